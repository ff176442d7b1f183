// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <iostream>

#include <eigengrad/eigengrad.hpp>

// Compiled under settings of Eigen and of the compiler; some of these programs also run. It uses the kernels of both
// number types, and what float computes must be what double does.
namespace {

using namespace eigengrad;

/// Outputs of a small network after some steps.
template <class T>
Tensor<double> trained() {
  manual_seed(3);
  Rng rng(/*seed=*/3);
  const Tensor<T> x = Tensor<T>::randn({5, 9, 9, 4}, rng);
  const Tensor<Index> labels({5}, {0, 2, 1, 2, 0});
  nn::Sequential<T> net{nn::Conv2d<T>{4, 20, {.kernel = 3, .padding = 1}},
                        nn::BatchNorm2d<T>{20},
                        nn::ReLU<T>{},
                        nn::Conv2d<T>{20, 20, {.kernel = 3, .padding = 1, .groups = 20}},
                        nn::SiLU<T>{},
                        nn::Conv2d<T>{20, 7, {.kernel = 1}},
                        nn::MaxPool2d<T>{{.kernel = 2}},
                        nn::Flatten<T>{},
                        nn::LayerNorm<T>{4 * 4 * 7},
                        nn::Linear<T>{4 * 4 * 7, 3}};
  optim::AdamW<T> adam{net.parameters(), {.learning_rate = 0.01, .eps = 1e-3}};
  nn::SoftmaxCrossEntropy<T> loss;
  for (int step = 0; step < 3; ++step) {
    loss.forward(net.forward(x, Mode::train), labels);
    net.backward(loss.backward());
    optim::clip_grad_norm(net.parameters(), 1.0);
    adam.step();
  }
  return net.forward(x, Mode::inference).template cast<double>();
}

/// What arrays, products and derivatives of expressions give.
template <class T>
Tensor<double> computed() {
  Rng rng(/*seed=*/4);
  const auto a = autodiff::Variable<T>::leaf(Tensor<T>::randn({7, 13}, rng));
  const auto b = autodiff::Variable<T>::leaf(Tensor<T>::randn({13, 37}, rng));
  sum(tanh(matmul(a, b)) * T(0.1)).backward();
  const Tensor<T> rows = ops::log_softmax(ops::matmul(ops::permute(b.value(), {1, 0}), a.grad().reshape({13, 7})));
  return ops::concat({rows, rows * T(2)}, 0).template cast<double>();
}

bool agree(const Tensor<double>& a, const Tensor<double>& b) {
  double largest = 0;
  for (Index i = 0; i < a.numel(); ++i) largest = std::max(largest, std::abs(a.data()[i] - b.data()[i]));
  std::cout << "float differs from double by " << largest << '\n';
  return a.shape() == b.shape() && largest < 1e-3;
}

}  // namespace

int main() {
  return agree(trained<float>(), trained<double>()) && agree(computed<float>(), computed<double>()) ? 0 : 1;
}
