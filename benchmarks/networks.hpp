// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include "common/networks.hpp"

// The yardstick networks, the same as in compare_torch.py.

namespace benchmarks {

using namespace eigengrad;

/// A network, the batch it is measured with and the operations of one training step.
struct Yardstick {
  std::string name;
  nn::Sequential<> net;
  Tensor<float> inputs;
  Tensor<Index> labels;
  bool adam = true;   // else SGD
  double flop = 0.0;  // of one step, see training_flop
};

/// Floating-point operations of one step: 2 a multiply-add, forward, weight gradient and input gradient, the last not
/// for the first layer that has any. Convolutions count as direct ones.
inline double training_flop(nn::Sequential<>& net, const Shape& inputs) {
  Shape shape = inputs;
  Index first = 0;
  for (Index i = 0; i < net.size() && first == 0; ++i) {
    first = net[i].multiply_adds(shape);
    shape = net[i].output_shape(shape);
  }
  return 2.0 * static_cast<double>(3 * net.multiply_adds(inputs) - first);
}

/// Errors   ValueError for another name than mlp100, mlp700 or cnn
inline Yardstick make(const std::string& name) {
  manual_seed(1);
  Rng rng(1);
  const auto yardstick = [&](nn::Sequential<> net, const Shape& inputs, bool adam) {
    const double flop = training_flop(net, inputs);
    auto labels = Tensor<Index>::generate({inputs[0]}, [&] { return rng.below(10); });
    return Yardstick{name, std::move(net), Tensor<float>::randn(inputs, rng), std::move(labels), adam, flop};
  };
  if (name == "mlp100") return yardstick(networks::mlp(3072, 10, {.hidden_units = {100}}), {200, 3072}, false);
  if (name == "mlp700") return yardstick(networks::mlp(3072, 10, {.hidden_units = {700, 700, 700}}), {200, 3072}, true);
  if (name == "cnn") return yardstick(networks::convnet(3, 10), {32, 32, 32, 3}, true);
  throw ValueError("yardstick: no network " + name);
}

}  // namespace benchmarks
