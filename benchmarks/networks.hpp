// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/eigengrad.hpp>

#include "common/networks.hpp"

// The yardstick networks, the same as in torch_child.py.

namespace benchmarks {

using namespace eigengrad;

/// A network and the batch it is measured with.
struct Yardstick {
  std::string name;
  nn::Sequential<> net;
  Tensor<float> inputs;
  Tensor<Index> labels;
  bool adam = true;  // else SGD
};

/// The first layer with parameters, whose input gradient training does not need; net.size() if there is none.
inline Index first_with_parameters(nn::Sequential<>& net) {
  Index first = 0;
  while (first < net.size() && !requires_grad(net[first])) ++first;
  return first;
}

/// Floating-point operations of one step: 2 a multiply-add; forward, and in training weight gradient and input
/// gradient, the last not for the first layer that has parameters. Convolutions count as direct ones.
inline double step_flop(Yardstick& yardstick, Mode mode) {
  const Index forward = yardstick.net.multiply_adds(yardstick.inputs.shape());
  if (mode != Mode::train) return 2.0 * static_cast<double>(forward);
  const Index first = first_with_parameters(yardstick.net);
  Shape shape = yardstick.inputs.shape();
  for (Index i = 0; i < first; ++i) shape = yardstick.net[i].output_shape(shape);
  return 2.0 * static_cast<double>(3 * forward - yardstick.net[first].multiply_adds(shape));
}

/// A yardstick by its name; a batch_size of 0 is the yardstick's own.
/// Errors   ValueError for another name than mlp100, mlp700 or cnn
inline Yardstick make(const std::string& name, Index batch_size = 0) {
  manual_seed(1);
  Rng rng(1);
  const auto yardstick = [&](nn::Sequential<> net, const Shape& inputs, bool adam) {
    const Shape batch = batch_size == 0 ? inputs : inputs.with(0, batch_size);
    auto labels = Tensor<Index>::generate({batch[0]}, [&] { return rng.below(10); });
    return Yardstick{name, std::move(net), Tensor<float>::randn(batch, rng), std::move(labels), adam};
  };
  if (name == "mlp100") return yardstick(networks::mlp(3072, 10, {.hidden_units = {100}}), {200, 3072}, false);
  if (name == "mlp700") return yardstick(networks::mlp(3072, 10, {.hidden_units = {700, 700, 700}}), {200, 3072}, true);
  if (name == "cnn") return yardstick(networks::convnet(3, 10), {32, 32, 32, 3}, true);
  throw ValueError("yardstick: no network " + name);
}

/// Calls f with the optimiser that the yardstick is trained with.
template <class F>
auto with_optimizer(Yardstick& yardstick, const F& f) {
  if (yardstick.adam) return f(optim::Adam{yardstick.net.parameters(), {.learning_rate = 1e-4}});
  return f(optim::SGD{yardstick.net.parameters(), {.learning_rate = 1e-3}});
}

}  // namespace benchmarks
