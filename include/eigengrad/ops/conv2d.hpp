// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/kernels/conv_im2col.hpp>
#include <eigengrad/ops/linear.hpp>

// Conv2d: cross-correlation of images with learned windows, as deep learning calls convolution.
//   y[n, p, q, k] = b[k] + sum over r, s, c of W[k, r, s, c] x[n, p stride - padding + r dilation,
//                                                               q stride - padding + s dilation, c]
// Pixels beside the image are 0. With G groups the outputs of group g see only the inputs of group g.
// How a problem is computed is chosen here; each way has its own file in ops/kernels/.

namespace eigengrad::ops {

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
  Index groups = 1;
};

namespace detail {

/// The sizes of a convolution, checked.
template <class T>
kernels::ConvProblem conv2d_problem(std::string_view where, const Shape& x, const Tensor<T>& weight,
                                    const Conv2dOptions& options) {
  const Shape& w = weight.shape();
  if (w.rank() != 4) throw ShapeError(error_text(where, ": weight has shape ", w, ", expected (K, R, S, C)"));
  const Window window{{w[1], w[2]}, options.stride, options.padding, options.dilation};
  window.check_options(where);
  check::above_zero(where, "groups", options.groups);
  const Shape positions = window.output(where, x);
  check::last_axis(where, "channels", x, w[3] * options.groups);
  check::divisible(where, "output channels", w[0], options.groups);
  return {x, positions.with(-1, w[0]), window, options.groups};
}

}  // namespace detail

/// Convolution of images with a bias.
/// Shapes   x (N, H, W, C); weight (K, R, S, C / groups); bias (K), or empty for none; y (N, P, Q, K) with
///          P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1, rounded down, and Q likewise
/// Errors   ShapeError where the shapes do not fit or the window is larger than the padded image; ValueError for
///          options out of range or outputs that groups do not divide
/// Cost     N P Q K R S C / groups multiply-adds
template <class T>
Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias = {},
                 const Conv2dOptions& options = {}) {
  const auto problem = detail::conv2d_problem("conv2d", x.shape(), weight, options);
  if (!bias.empty()) check::same_shape("conv2d", "bias", bias.shape(), {weight.size(0)});
  Tensor<T> y(problem.y);
  if (!bias.empty()) detail::fill_rows(y, bias);
  kernels::im2col::forward(problem, x, weight, y, /*add=*/!bias.empty());
  return y;
}

/// dx[n, h, w, c] = sum over r, s, k of W[k, r, s, c] dy[n, p, q, k], p and q being the positions whose tap (r, s)
/// lies on the pixel (h, w)
/// Shapes   dy (N, P, Q, K); weight (K, R, S, C / groups); x the shape (N, H, W, C) of the input; dx (N, H, W, C)
/// Errors   as conv2d, and ShapeError where dy has another shape than its result
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> conv2d_backward_input(const Tensor<T>& dy, const Tensor<T>& weight, const Shape& x,
                                const Conv2dOptions& options = {}) {
  const auto problem = detail::conv2d_problem("conv2d_backward_input", x, weight, options);
  check::same_shape("conv2d_backward_input", "gradient of the output", dy.shape(), problem.y);
  Tensor<T> dx(x);
  kernels::im2col::backward_input(problem, dy, weight, dx);
  return dx;
}

/// dW[k, r, s, c] = sum over n, p, q of dy[n, p, q, k] x[n, p stride - padding + r dilation, ..., c]
/// Shapes   dy (N, P, Q, K); x (N, H, W, C); kernel R x S; dW (K, R, S, C / groups)
/// Errors   as conv2d, and ShapeError where dy has another shape than its result
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> conv2d_backward_weight(const Tensor<T>& dy, const Tensor<T>& x, const Size2d& kernel,
                                 const Conv2dOptions& options = {}) {
  Window{kernel, options.stride, options.padding, options.dilation}.check_options("conv2d_backward_weight");
  check::above_zero("conv2d_backward_weight", "groups", options.groups);
  check::rank_at_least("conv2d_backward_weight", dy.shape(), 1);
  check::rank_at_least("conv2d_backward_weight", x.shape(), 1);
  Tensor<T> dw({dy.shape()[-1], kernel.height, kernel.width, x.shape()[-1] / options.groups});
  const auto problem = detail::conv2d_problem("conv2d_backward_weight", x.shape(), dw, options);
  check::same_shape("conv2d_backward_weight", "gradient of the output", dy.shape(), problem.y);
  kernels::im2col::backward_weight(problem, dy, x, dw);
  return dw;
}

/// db = the sum of dy over the batch and all positions
/// Shapes   dy (N, P, Q, K); db (K)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> conv2d_backward_bias(const Tensor<T>& dy) {
  return sum_rows(dy);
}

}  // namespace eigengrad::ops
