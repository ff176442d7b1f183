// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <utility>

#include <eigengrad/core/conv2d_algorithm.hpp>
#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/kernels/conv_definition.hpp>
#include <eigengrad/ops/kernels/conv_operands.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/gemm.hpp>

// Convolution as a matrix product over (r, s, c), for any window, stride, dilation and number of groups:
// the general path, and the measure of all others.
//   y  = patches(x) W^T        dx = patches'(dy) W'        dW = dy^T patches(x)
// patches'(dy) is the window seen from the input: for each pixel the outputs that its taps have gone to. With a stride
// only some taps lie on a pixel, the same for all pixels a stride apart: each such lattice is a product of its own.
// Taps that lie beside the image at every position (those around the centre, for images of one pixel) are left out.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {
namespace im2col {

/// dx at every stride-th pixel from the first on, whose channels begin at out.
template <class T>
void backward_input_lattice(const ConvProblem& problem, const Size2d& first, const TapTables& taps, const Tensor<T>& dy,
                            const Tensor<T>& weight, T* out) {
  const Shape& x = problem.x;
  const Size2d& stride = problem.window.stride;
  const Index inputs = problem.group_inputs();
  const Index outputs = problem.group_outputs();
  const Tensor<T> live = weights_of(weight, taps);
  for (Index g = 0; g < problem.groups; ++g) {
    const Patches<T> patches(dy, g * outputs, outputs, taps);
    const InputWeights<T> weights{live.data() + g * outputs * taps.taps().area() * inputs, outputs, taps.taps().area(),
                                  inputs};
    T* to = out + g * inputs;
    if (stride == Size2d(1)) {
      multiply(patches, weights, patches.steps(), View<T>{to, x.rows(), inputs, x[3], 1});
      continue;
    }
    const Index in_row = taps.cols.positions();
    const Index in_column = taps.rows.positions();
    multiply(patches, weights, patches.steps(),
             PixelLattice<T>{.data = to + (first.height * x[2] + first.width) * x[3],
                             .rows = x[0] * in_column * in_row,
                             .cols = inputs,
                             .row_stride = stride.width * x[3],
                             .col_stride = 1,
                             .in_row = in_row,
                             .in_column = in_column,
                             .line_stride = stride.height * x[2] * x[3],
                             .image_stride = x[1] * x[2] * x[3]});
  }
}

}  // namespace im2col

template <class T>
struct Im2colConv {
  static constexpr Conv2dAlgorithm kName = Conv2dAlgorithm::im2col;

  static bool suits(const ConvProblem& /*problem*/) { return true; }

  /// Products, packing of the patches, reading and packing of the weights, which if positions are few are only read.
  static double cycles(const ConvProblem& problem, ConvDirection /*direction*/) {
    const ConvSizes<T> n(problem);
    const double weights = problem.y.rows() <= kFewRows ? 9.0 : 11.0;
    return n.groups * n.taps *
           (n.positions * (0.5 * n.outputs * n.channels + 2.0 * n.inputs) + weights * n.outputs * n.channels);
  }

  static bool forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                      Tensor<T>& y) {
    const auto taps = TapTables::of_window(problem.window, problem.x, problem.y).without_dead_taps();
    const Tensor<T> live = weights_of(weight, taps);
    const Index outputs = problem.group_outputs();
    T* out = y.mutable_data();
    for (Index g = 0; g < problem.groups; ++g) {
      const Patches<T> patches(x, g * problem.group_inputs(), problem.group_inputs(), taps);
      const auto weights = row_major(live.data() + g * outputs * patches.steps(), outputs, patches.steps());
      multiply(patches, weights, patches.steps(),
               View<T>{out + g * outputs, y.shape().rows(), outputs, y.shape().cols(), 1});
    }
    definition::mend_forward(problem, x, weight, {}, y);
    y = channel_map(std::move(y), f);
    return true;
  }

  static bool backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
    const auto taps = TapTables::of_pixel(problem.window, problem.x, problem.y);
    const Size2d& stride = problem.window.stride;
    T* out = dx.mutable_data();
    for (Index h = 0; h < std::min(stride.height, problem.x[1]); ++h) {
      for (Index w = 0; w < std::min(stride.width, problem.x[2]); ++w) {
        im2col::backward_input_lattice(problem, {h, w}, taps.part({h, w}, stride), dy, weight, out);
      }
    }
    definition::mend_backward_input(problem, dy, weight, dx);
    return true;
  }

  static bool backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
    const auto taps = TapTables::of_window(problem.window, problem.x, problem.y).without_dead_taps();
    const bool all_live = taps.taps() == problem.window.kernel;
    const Index inputs = problem.group_inputs();
    const Index outputs = problem.group_outputs();
    const Index positions = dy.shape().rows();
    Tensor<T> live = all_live ? Tensor<T>() : Tensor<T>({problem.y[3], taps.taps().height, taps.taps().width, inputs});
    T* out = all_live ? dw.mutable_data() : live.mutable_data();
    for (Index g = 0; g < problem.groups; ++g) {
      const Patches<T> patches(x, g * inputs, inputs, taps);
      const View<const T> gradients{dy.data() + g * outputs, outputs, positions, 1, dy.shape().cols()};
      multiply(gradients, TransposedPatches<T>{&patches}, positions,
               row_major(out + g * outputs * patches.steps(), outputs, patches.steps()));
    }
    if (!all_live) spread_weights(live, taps, dw);
    definition::mend_backward_weight(problem, dy, x, dw);
    return true;
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
