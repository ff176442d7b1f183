// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The whole of it in thirty lines: a network learns which of two spirals a point of the plane belongs to.

#include <cmath>
#include <iostream>

#include <eigengrad/eigengrad.hpp>

namespace eg = eigengrad;
namespace nn = eg::nn;

int main() {
  const eg::Index points = 1000;
  eg::Rng rng(1);
  eg::Tensor<float> inputs = eg::Tensor<float>::randn({points, 2}, rng);  // becomes the points, with noise
  eg::Tensor<eg::Index> labels({points});
  for (eg::Index i = 0; i < points; ++i) {
    const float turn = 10.0F * static_cast<float>(i) / points;
    labels.mutable_at(i) = i % 2;
    inputs.mutable_at(i, 0) = 0.1F * inputs(i, 0) + turn * std::cos(turn + 3.14F * static_cast<float>(i % 2));
    inputs.mutable_at(i, 1) = 0.1F * inputs(i, 1) + turn * std::sin(turn + 3.14F * static_cast<float>(i % 2));
  }
  const auto [train, validation] = eg::data::split(eg::data::TensorDataset{inputs, labels}, {0.8, 0.2}, /*seed=*/2);

  nn::Sequential net{nn::Linear{2, 64}, nn::ReLU{}, nn::Linear{64, 64}, nn::ReLU{}, nn::Linear{64, 2}};
  eg::optim::Adam adam{net.parameters(), {.learning_rate = 0.01}};
  const auto history = eg::train::fit(net, nn::SoftmaxCrossEntropy{}, adam, eg::data::Loader{train, {.epochs = 60}},
                                      validation, {.eval_freq = 250});

  for (const auto& m : history) std::cout << "step " << m.step << ": accuracy " << m.validation_accuracy << '\n';
  const eg::Tensor<float> point({1, 2}, {5.0F, 0.5F});
  std::cout << "(5, 0.5) is on spiral 0 or 1 with probability " << softmax(net.predict(point)) << '\n';
}
