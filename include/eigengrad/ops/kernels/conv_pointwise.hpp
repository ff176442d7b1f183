// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/gemm.hpp>

// Convolution with one tap that lies on every pixel once: the images themselves are the matrices of the products,
// one row a pixel.
//   y = x W^T        dx = dy W        dW = dy^T x

namespace eigengrad::ops::kernels::pointwise {

/// A 1x1 window, one position for each pixel.
inline bool suits(const ConvProblem& problem) {
  const Window& window = problem.window;
  return window.kernel == Size2d(1) && window.stride == Size2d(1) && window.padding == Size2d(0);
}

namespace detail {

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

}  // namespace detail

/// y = x * W
template <class T>
void forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, Tensor<T>& y) {
  const Index inputs = problem.group_inputs();
  const Index outputs = problem.group_outputs();
  T* out = y.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    gemm(detail::channels(x.data(), problem.x, g * inputs, inputs),
         detail::group_matrix(problem, weight.data(), g).transposed(),
         detail::channels(out, problem.y, g * outputs, outputs));
  }
}

/// dx from dy.
template <class T>
void backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
  const Index inputs = problem.group_inputs();
  const Index outputs = problem.group_outputs();
  T* out = dx.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    gemm(detail::channels(dy.data(), problem.y, g * outputs, outputs), detail::group_matrix(problem, weight.data(), g),
         detail::channels(out, problem.x, g * inputs, inputs));
  }
}

/// dW from dy and x.
template <class T>
void backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
  const Index inputs = problem.group_inputs();
  const Index outputs = problem.group_outputs();
  T* out = dw.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    gemm(detail::channels(dy.data(), problem.y, g * outputs, outputs).transposed(),
         detail::channels(x.data(), problem.x, g * inputs, inputs), detail::group_matrix(problem, out, g));
  }
}

}  // namespace eigengrad::ops::kernels::pointwise
