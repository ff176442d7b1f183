// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/winograd_correlation.hpp>
#include <eigengrad/ops/kernels/winograd_weight_gradient.hpp>

// Convolution with windows of 3x3 and stride 1 by Winograd's algorithm (winograd_transform.hpp), in tiles of M x M
// outputs. Its (M + 2)^2 products are worked through in blocks that never leave the caches: of the tiles and the
// weights, the smaller is transformed once and shared, the larger block by block by the thread that multiplies it,
// which at once transforms the product back. So the transformed weights, up to four times the size of the weights,
// are nowhere as a whole.
//
// Blocks depend on the problem alone and each sum has its order: the number of threads changes no bit.

namespace eigengrad::ops::kernels::winograd {

/// Whether the algorithm computes this problem at all: 3x3 windows at every pixel.
inline bool suits(const ConvProblem& problem) {
  const Window& w = problem.window;
  return w.kernel == Size2d(3) && w.stride == Size2d(1) && w.dilation == Size2d(1) && w.padding.height <= 2 &&
         w.padding.width <= 2;
}

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

/// y = f(x * W). Returns false, and nothing in y that can be used, if the taps of the weights are of too many sizes.
template <int M, class T>
bool forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
             Tensor<T>& y) {
  const auto of_group = [&](const Tensor<T>& channels, Index g) {
    return channels.empty() ? nullptr : channels.data() + g * problem.group_outputs();
  };
  T* out = y.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    Correlation<M, T, ForwardWeights<M, T>> correlation(
        group_images(x.data(), problem.x, g, problem.groups), problem.x[0], problem.window.padding,
        {group_weights(problem, weight, g)}, {of_group(f.scale, g), of_group(f.shift, g), f.relu},
        group_images(out, problem.y, g, problem.groups));
    if (!correlation.run()) return false;
  }
  return true;
}

/// dx from dy. Returns false as forward does.
template <int M, class T>
bool backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
  T* out = dx.mutable_data();
  const Size2d padding = problem.window.padding;
  for (Index g = 0; g < problem.groups; ++g) {
    Correlation<M, T, BackwardWeights<M, T>> correlation(
        group_images(dy.data(), problem.y, g, problem.groups), problem.y[0], {2 - padding.height, 2 - padding.width},
        {group_weights(problem, weight, g)}, {}, group_images(out, problem.x, g, problem.groups));
    if (!correlation.run()) return false;
  }
  return true;
}

/// dW from dy and x.
template <int M, class T>
void backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
  T* out = dw.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    WeightGradient<M, T>(group_images(x.data(), problem.x, g, problem.groups),
                         group_images(dy.data(), problem.y, g, problem.groups), problem.x[0], problem.window.padding,
                         out + g * problem.group_weights())
        .run();
  }
}

}  // namespace eigengrad::ops::kernels::winograd
