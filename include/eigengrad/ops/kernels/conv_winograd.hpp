// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/core/conv2d_algorithm.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/winograd_correlation.hpp>
#include <eigengrad/ops/kernels/winograd_weight_gradient.hpp>

// Convolution with windows of 3x3 and stride 1 by Winograd's algorithm (winograd_transform.hpp), in tiles of M x M
// outputs. Its (M + 2)^2 products are worked through in blocks that never leave the caches: of the tiles and the
// weights, the smaller is transformed once and shared, the larger block by block by the thread that multiplies it,
// which at once transforms the product back. So the transformed weights, up to four times the size of the weights,
// never exist as a whole.
//
// Blocks depend on the problem alone and each sum has its order: the number of threads changes no bit.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {
namespace winograd {

/// The channels of one group of images.
template <class T>
Images<T> group_images(T* data, const Shape& shape, Index group, Index groups) {
  const Index channels = shape[3] / groups;
  return {data + group * channels, shape[1], shape[2], channels, shape[3]};
}

template <class T>
Weights<T> group_weights(const ConvProblem& problem, const Tensor<T>& weight, Index group) {
  return {weight.data() + group * problem.group_weights(), problem.group_outputs(), problem.group_inputs()};
}

}  // namespace winograd

/// Declines weights whose taps are of too many sizes, and a weight gradient of many tiles whose pixels are.
template <int M, class T>
struct WinogradConv {
  static constexpr Conv2dAlgorithm kName = M == 2 ? Conv2dAlgorithm::winograd_2x2 : Conv2dAlgorithm::winograd_4x4;

  /// 3x3 windows at every pixel.
  static bool suits(const ConvProblem& problem) {
    const Window& w = problem.window;
    return w.kernel == Size2d(3) && w.stride == Size2d(1) && w.dilation == Size2d(1) && w.padding.height <= 2 &&
           w.padding.width <= 2;
  }

  /// For each point the products and the transforms of the tiles; reading and transforming the weights.
  static double cycles(const ConvProblem& problem, ConvDirection direction) {
    // The input gradient of one output has products of one step, of which there is next to nothing to save; and a
    // weight that is near 0 by chance, being alone under its tap, would make the algorithm decline.
    if (direction == ConvDirection::backward_input && problem.group_outputs() == 1) return kNeverFastest;
    constexpr double kPoints = winograd::points(M);
    const ConvSizes<T> n(problem);
    const Shape& y = problem.y;
    const auto tiles = static_cast<double>(winograd::TileGrid::of(M, y[0], y[1], y[2]).count());
    return n.groups * (kPoints * tiles * (0.5 * n.outputs * n.channels + 2.3 * n.inputs + 1.8 * n.outputs) +
                       (128.0 + 4.0 * kPoints) * n.outputs * n.channels);
  }

  static bool forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                      Tensor<T>& y) {
    const auto of_group = [&](const Tensor<T>& channels, Index g) {
      return channels.empty() ? nullptr : channels.data() + g * problem.group_outputs();
    };
    T* out = y.mutable_data();
    for (Index g = 0; g < problem.groups; ++g) {
      winograd::Correlation<T> correlation(
          kSize, winograd::group_images(x.data(), problem.x, g, problem.groups), problem.x[0], problem.window.padding,
          winograd::ProductWeights<T>::forward(kSize, winograd::group_weights(problem, weight, g)),
          {of_group(f.scale, g), of_group(f.shift, g), f.relu},
          winograd::group_images(out, problem.y, g, problem.groups));
      if (!correlation.run()) return false;
    }
    return true;
  }

  static bool backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
    T* out = dx.mutable_data();
    const Size2d padding = problem.window.padding;
    for (Index g = 0; g < problem.groups; ++g) {
      winograd::Correlation<T> correlation(
          kSize, winograd::group_images(dy.data(), problem.y, g, problem.groups), problem.y[0],
          {2 - padding.height, 2 - padding.width},
          winograd::ProductWeights<T>::backward(kSize, winograd::group_weights(problem, weight, g)), {},
          winograd::group_images(out, problem.x, g, problem.groups));
      if (!correlation.run()) return false;
    }
    return true;
  }

  static bool backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
    T* out = dw.mutable_data();
    for (Index g = 0; g < problem.groups; ++g) {
      winograd::WeightGradient<T> gradient(kSize, winograd::group_images(x.data(), problem.x, g, problem.groups),
                                           winograd::group_images(dy.data(), problem.y, g, problem.groups),
                                           problem.x[0], problem.window.padding, out + g * problem.group_weights());
      if (!gradient.run()) return false;
    }
    return true;
  }

 private:
  static constexpr const winograd::TileSize<T>& kSize = winograd::kTileSize<M, T>;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
