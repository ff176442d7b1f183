// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <iostream>
#include <sstream>

#include <eigengrad/eigengrad.hpp>

// Compiled in libstdc++'s debug mode, in which iterators know their containers and every subscript is checked.
int main() {
  using namespace eigengrad;
  const Tensor<double> none;
  Tensor<double> x({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor<double> moved = std::move(x);
  if (none.shape() != Shape{0} || x.shape() != Shape{0} || moved.reshape({3, -1}).shape() != Shape{3, 2}) return 1;
  std::ostringstream text;
  text << ops::sum(ops::permute(ops::concat({moved, moved}, 0), {1, 0}), 1) << ops::max(moved, {0, 1});
  if (text.str() != "[10. 14. 18.]6.") {
    std::cout << text.str() << '\n';
    return 1;
  }

  const autodiff::Variable<double> v({2}, {-1.0, 2.0});
  sum(v * v * v).backward();
  if (!equal(v.grad(), Tensor<double>({2}, {3.0, 12.0}))) return 1;

  auto [train, test] = data::synthetic_cifar10(/*seed=*/1, {.train = 6, .test = 2});
  nn::Sequential net{nn::Conv2d{3, 2, {.kernel = 3}}, nn::ReLU{}, nn::MaxPool2d{{.kernel = 2}}, nn::Flatten{},
                     nn::Linear{2 * 15 * 15, 10}};
  optim::Adam adam{net.parameters(), {.learning_rate = 0.01}};
  data::Loader batches{train, {.batch_size = 4, .epochs = 1, .prefetch = true}};
  const auto history = train::fit(net, nn::SoftmaxCrossEntropy{}, adam, batches, test);
  std::cout << "test loss " << history.back().validation_loss << '\n';
}
