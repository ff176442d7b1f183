// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/conv2d_plan.hpp>
#include <eigengrad/ops/linear.hpp>

// Conv2d: cross-correlation of images with learned windows, as deep learning calls convolution.
//   y[n, p, q, k] = b[k] + sum over r, s, c of W[k, r, s, c] x[n, p stride - padding + r dilation,
//                                                               q stride - padding + s dilation, c]
// Pixels beside the image are 0. With G groups the outputs of group g see only the inputs of group g.
// There are several ways to compute it, each with a file in ops/kernels/; conv2d_plan.hpp chooses. Whichever it is, a
// number that is not finite, or out of all proportion to those around it, is in the sums that it belongs to and in no
// other.

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Convolution of images, and then what follows it channel by channel: y = f(x * W).
/// Shapes   x (N, H, W, C); weight (K, R, S, C / groups); f of K channels; y (N, P, Q, K) with
///          P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1, rounded down, and Q likewise
/// Errors   ShapeError if the shapes do not fit, images have no pixels or the window is larger than the padded image;
///          ValueError for options out of range, outputs that groups do not divide, or an algorithm that does not suit
/// Cost     N P Q K R S C / groups multiply-adds, fewer with Winograd's algorithms
template <class T>
Tensor<T> conv2d_channel_map(const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                             const Conv2dOptions& options = {}) {
  const Conv2dPlan<T> plan("conv2d", x.shape(), weight.shape(), options);
  if (!f.scale.empty()) detail::check::same_shape("conv2d", "scale", f.scale.shape(), {weight.size(0)});
  if (!f.shift.empty()) detail::check::same_shape("conv2d", "bias", f.shift.shape(), {weight.size(0)});
  return plan.forward(x, weight, f);
}

/// Convolution of images with a bias: y = x * W + b.
/// Shapes   bias (K), or empty for none; the others and the errors as above
template <class T>
Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias = {},
                 const Conv2dOptions& options = {}) {
  return conv2d_channel_map(x, weight, ChannelMap<T>{.scale = {}, .shift = bias}, options);
}

/// dx[n, h, w, c] = sum over r, s, k of W[k, r, s, c] dy[n, p, q, k], p and q being the positions whose tap (r, s)
/// lies on the pixel (h, w)
/// Shapes   dy (N, P, Q, K); weight (K, R, S, C / groups); x the shape (N, H, W, C) of the input; dx (N, H, W, C)
/// Errors   as conv2d, and ShapeError if dy has another shape than its result
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> conv2d_backward_input(const Tensor<T>& dy, const Tensor<T>& weight, const Shape& x,
                                const Conv2dOptions& options = {}) {
  const Conv2dPlan<T> plan("conv2d_backward_input", x, weight.shape(), options);
  detail::check::same_shape("conv2d_backward_input", "gradient of the output", dy.shape(), plan.problem().y);
  return plan.backward_input(dy, weight);
}

/// dW[k, r, s, c] = sum over n, p, q of dy[n, p, q, k] x[n, p stride - padding + r dilation, ..., c]
/// Shapes   dy (N, P, Q, K); x (N, H, W, C); kernel R x S; dW (K, R, S, C / groups)
/// Errors   as conv2d, and ShapeError if dy has another shape than its result
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> conv2d_backward_weight(const Tensor<T>& dy, const Tensor<T>& x, const Size2d& kernel,
                                 const Conv2dOptions& options = {}) {
  Window{kernel, options.stride, options.padding, options.dilation}.check_options("conv2d_backward_weight");
  detail::check::above_zero("conv2d_backward_weight", "groups", options.groups);
  detail::check::rank_at_least("conv2d_backward_weight", dy.shape(), 1);
  detail::check::rank_at_least("conv2d_backward_weight", x.shape(), 1);
  const Shape weight{dy.shape()[-1], kernel.height, kernel.width, x.shape()[-1] / options.groups};
  const Conv2dPlan<T> plan("conv2d_backward_weight", x.shape(), weight, options);
  detail::check::same_shape("conv2d_backward_weight", "gradient of the output", dy.shape(), plan.problem().y);
  return plan.backward_weight(dy, x);
}

/// db = the sum of dy over the batch and all positions
/// Shapes   dy (N, P, Q, K); db (K)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> conv2d_backward_bias(const Tensor<T>& dy) {
  return detail::sum_rows(dy);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
