// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/conv2d_algorithm.hpp>
#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/gemm.hpp>

// Convolution with one tap that lies on every pixel once: the images themselves are the matrices of the products,
// one row a pixel.
//   y = x W^T        dx = dy W        dW = dy^T x

namespace eigengrad::EIGENGRAD_ISA::ops::detail {
namespace pointwise {

/// The channels [first, first + count) of all pixels.
template <class T>
View<T> channels(T* images, const Shape& shape, Index first, Index count) {
  return {images + first, shape.rows(), count, shape[3], 1};
}

/// The weights of one group, (outputs) x (inputs).
template <class T>
View<T> group_matrix(const ConvProblem& problem, T* weight, Index group) {
  return row_major(weight + group * problem.group_weights(), problem.group_outputs(), problem.group_inputs());
}

}  // namespace pointwise

template <class T>
struct PointwiseConv {
  static constexpr Conv2dAlgorithm kName = Conv2dAlgorithm::pointwise;

  /// A 1x1 window, one position for each pixel.
  static bool suits(const ConvProblem& problem) {
    const Window& window = problem.window;
    return window.kernel == Size2d(1) && window.stride == Size2d(1) && window.padding == Size2d(0);
  }

  static double cycles(const ConvProblem& /*problem*/, ConvDirection /*direction*/) { return kAlwaysFastest; }

  static bool forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                      Tensor<T>& y) {
    const Index inputs = problem.group_inputs();
    const Index outputs = problem.group_outputs();
    T* out = y.mutable_data();
    for (Index g = 0; g < problem.groups; ++g) {
      gemm(pointwise::channels(x.data(), problem.x, g * inputs, inputs),
           pointwise::group_matrix(problem, weight.data(), g).transposed(),
           pointwise::channels(out, problem.y, g * outputs, outputs));
    }
    y = channel_map(std::move(y), f);
    return true;
  }

  static bool backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
    const Index inputs = problem.group_inputs();
    const Index outputs = problem.group_outputs();
    T* out = dx.mutable_data();
    for (Index g = 0; g < problem.groups; ++g) {
      gemm(pointwise::channels(dy.data(), problem.y, g * outputs, outputs),
           pointwise::group_matrix(problem, weight.data(), g), pointwise::channels(out, problem.x, g * inputs, inputs));
    }
    return true;
  }

  static bool backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
    const Index inputs = problem.group_inputs();
    const Index outputs = problem.group_outputs();
    T* out = dw.mutable_data();
    for (Index g = 0; g < problem.groups; ++g) {
      gemm(pointwise::channels(dy.data(), problem.y, g * outputs, outputs).transposed(),
           pointwise::channels(x.data(), problem.x, g * inputs, inputs), pointwise::group_matrix(problem, out, g));
    }
    return true;
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
