// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <iostream>

#include <eigengrad/eigengrad.hpp>

int main() {
  eigengrad::nn::Sequential net{eigengrad::nn::Linear{3, 2}, eigengrad::nn::ReLU{}};
  const auto y = net.forward(eigengrad::Tensor<float>::ones({4, 3}));
  std::cout << y.shape() << '\n';
  return y.shape() == eigengrad::Shape{4, 2} ? 0 : 1;
}
