// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <vector>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/adam.hpp>

#include "units.hpp"

// Compiled once for each instruction set, as EIGENGRAD_UNIT.

namespace {

using namespace eigengrad;

std::vector<float> train() {
  set_num_threads(2);
  nn::Sequential net{nn::Conv2d{3, 16, {.kernel = 3, .padding = 1}}, nn::BatchNorm2d{16}, nn::ReLU{},
                     nn::MaxPool2d{{.kernel = 2, .stride = 2}},      nn::Flatten{},       nn::Linear{4 * 4 * 16, 10}};
  nn::SoftmaxCrossEntropy loss;
  optim::Adam adam{net.parameters(), {.learning_rate = 0.01}};
  Rng rng(1);
  const Tensor<float> x = Tensor<float>::randn({20, 8, 8, 3}, rng);
  Tensor<Index> labels({20});
  for (Index i = 0; i < 20; ++i) labels.mutable_data()[i] = i % 10;
  std::vector<float> numbers;
  for (int step = 0; step < 5; ++step) {
    numbers.push_back(loss.forward(net.forward(x), labels));
    net.backward_parameters(loss.backward());
    adam.step();
  }
  const Tensor<float> y = net.forward(x, Mode::inference);
  numbers.insert(numbers.end(), y.data(), y.data() + y.numel());
  for (const Parameter<float>* parameter : net.parameters())
    numbers.insert(numbers.end(), parameter->value.data(), parameter->value.data() + parameter->value.numel());
  return numbers;
}

void misuse() { nn::Linear{3, 4}.forward(Tensor<float>::ones({2, 5}), Mode::train); }

#define EIGENGRAD_TEXT_OF(name) #name
#define EIGENGRAD_TEXT(name) EIGENGRAD_TEXT_OF(name)
const bool registered = (units().push_back({EIGENGRAD_TEXT(EIGENGRAD_UNIT), train, misuse}), true);

}  // namespace
