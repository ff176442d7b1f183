// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/kernels/conv_operands.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/gemm.hpp>

// Convolution as a matrix product over (r, s, c), for any window, stride, dilation and number of groups:
// the general path, and the measure of all others. Each function computes one direction:
//   y  = patches(x) W^T        dx = patches'(dy) W'        dW = dy^T patches(x)
// patches'(dy) is the window seen from the input: for each pixel the outputs that its taps have gone to.

namespace eigengrad::ops::kernels::im2col {

/// y = x * W, or y += x * W with add.
template <class T>
void forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, Tensor<T>& y, bool add) {
  if (y.empty()) return;
  const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
  const Index outputs = problem.group_outputs();
  T* out = y.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    const Patches<T> patches(x, g * problem.group_inputs(), problem.group_inputs(), taps);
    const auto weights = row_major(weight.data() + g * problem.group_weights(), outputs, patches.steps());
    multiply(patches, weights, patches.steps(),
             View<T>{out + g * outputs, y.shape().rows(), outputs, y.shape().cols(), 1}, add);
  }
}

/// dx from dy.
template <class T>
void backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
  if (dx.empty()) return;
  const auto taps = TapTables::of_pixel(problem.window, problem.x, problem.y);
  const Index inputs = problem.group_inputs();
  const Index outputs = problem.group_outputs();
  T* out = dx.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    const Patches<T> patches(dy, g * outputs, outputs, taps);
    const InputWeights<T> weights{weight.data() + g * problem.group_weights(), outputs, problem.taps(), inputs};
    multiply(patches, weights, patches.steps(),
             View<T>{out + g * inputs, dx.shape().rows(), inputs, dx.shape().cols(), 1});
  }
}

/// dW from dy and x.
template <class T>
void backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
  if (dy.empty()) {
    dw.mutable_array().setZero();
    return;
  }
  const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
  const Index outputs = problem.group_outputs();
  const Index positions = dy.shape().rows();
  T* out = dw.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    const Patches<T> patches(x, g * problem.group_inputs(), problem.group_inputs(), taps);
    const View<const T> gradients{dy.data() + g * outputs, outputs, positions, 1, dy.shape().cols()};
    multiply(gradients, TransposedPatches<T>{&patches}, positions,
             row_major(out + g * problem.group_weights(), outputs, patches.steps()));
  }
}

}  // namespace eigengrad::ops::kernels::im2col
