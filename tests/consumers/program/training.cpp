// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <iostream>

#include <eigengrad/eigengrad.hpp>

// What users write: a network of many layers, trained for two steps.
int main() {
  using namespace eigengrad;
  auto [train, test] = data::synthetic_cifar10(/*seed=*/1, {.train = 8, .test = 4});
  nn::Sequential net{nn::Conv2d{3, 4, {.kernel = 3, .padding = 1}},
                     nn::BatchNorm2d{4},
                     nn::ReLU{},
                     nn::MaxPool2d{{.kernel = 2}},
                     nn::Flatten{},
                     nn::Dropout{{.p = 0.1}},
                     nn::Linear{4 * 16 * 16, 10}};
  optim::Adam adam{net.parameters(), {.learning_rate = 0.01}};
  data::Loader batches{train, {.batch_size = 4, .epochs = 1}};
  train::fit(net, nn::SoftmaxCrossEntropy{}, adam, batches, test);
  const double accuracy = train::accuracy(net, test);
  std::cout << "accuracy " << accuracy << '\n';
  return accuracy >= 0 && accuracy <= 1 ? 0 : 1;
}
