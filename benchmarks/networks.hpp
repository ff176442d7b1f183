// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <eigengrad/eigengrad.hpp>

// The yardstick networks, the same as in compare_torch.py.

namespace benchmarks {

using namespace eigengrad;

/// A network, the batch it is measured with and the operations of one training step.
struct Yardstick {
  std::string name;
  nn::Sequential<> net;
  Tensor<float> inputs;
  Tensor<Index> labels;
  /// Floating-point operations of one step: 2 a multiply-add, forward, weight gradient and input gradient,
  /// the last not for the first layer.
  double flop = 0.0;
};

/// An MLP on flat images; layers of the given sizes with ReLU between them.
inline Yardstick mlp(std::string name, const std::vector<Index>& sizes, Index batch_size) {
  Yardstick yardstick{.name = std::move(name), .net = {}, .inputs = {}, .labels = {}};
  double first_layer = 0.0;
  double all_layers = 0.0;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    yardstick.net.push_back(nn::Linear{sizes[i], sizes[i + 1]});
    if (i + 2 < sizes.size()) yardstick.net.push_back(nn::ReLU{});
    const double flop = 2.0 * static_cast<double>(batch_size * sizes[i] * sizes[i + 1]);
    all_layers += flop;
    if (i == 0) first_layer = flop;
  }
  yardstick.flop = 3.0 * all_layers - first_layer;
  Rng rng(1);
  yardstick.inputs = Tensor<float>::randn({batch_size, sizes.front()}, rng);
  yardstick.labels = Tensor<Index>::generate({batch_size}, [&] { return rng.below(sizes.back()); });
  return yardstick;
}

inline Yardstick make(const std::string& name) {
  if (name == "mlp100") return mlp(name, {3072, 100, 10}, 200);
  return mlp(name, {3072, 700, 700, 700, 10}, 200);
}

}  // namespace benchmarks
