// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/channel_map.hpp>
#include <eigengrad/ops/conv2d_algorithm.hpp>
#include <eigengrad/ops/kernels/conv_definition.hpp>
#include <eigengrad/ops/linear.hpp>

// Conv2d: cross-correlation of images with learned windows, as deep learning calls convolution.
//   y[n, p, q, k] = b[k] + sum over r, s, c of W[k, r, s, c] x[n, p stride - padding + r dilation,
//                                                               q stride - padding + s dilation, c]
// Pixels beside the image are 0. With G groups the outputs of group g see only the inputs of group g.
// There are several ways to compute it, each with a file in ops/kernels/; conv2d_algorithm.hpp chooses. Whichever it is, a
// number that is not finite, or out of all proportion to those around it, is in the sums that it belongs to and in no other.

namespace eigengrad::ops {

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
  Index groups = 1;
  Conv2dAlgorithm algorithm = Conv2dAlgorithm::automatic;
};

namespace detail {

/// The sizes of a convolution, checked.
/// Shapes   x (N, H, W, C); weight w (K, R, S, C / groups)
inline kernels::ConvProblem conv2d_problem(std::string_view where, const Shape& x, const Shape& w,
                                           const Conv2dOptions& options) {
  if (w.rank() != 4) throw ShapeError(error_text(where, ": weight has shape ", w, ", expected (K, R, S, C)"));
  const Window window{{w[1], w[2]}, options.stride, options.padding, options.dilation};
  window.check_options(where);
  check::above_zero(where, "groups", options.groups);
  const Shape positions = window.output(where, x);
  check::last_axis(where, "channels", x, check::product(where, w[3], options.groups));
  check::divisible(where, "output channels", w[0], options.groups);
  return {x, positions.with(-1, w[0]), window, options.groups};
}

/// Errors   ValueError for an algorithm that does not compute this problem
inline void check_algorithm(std::string_view where, const kernels::ConvProblem& problem, Conv2dAlgorithm algorithm) {
  if (suits(algorithm, problem)) return;
  const Window& w = problem.window;
  throw ValueError(error_text(where, ": algorithm ", algorithm, " computes no window of ", w.kernel, " with stride ",
                              w.stride, ", padding ", w.padding, " and dilation ", w.dilation));
}

/// The algorithm asked for, or the fastest.
template <class T>
Conv2dAlgorithm conv2d_algorithm(const kernels::ConvProblem& problem, Conv2dAlgorithm algorithm) {
  return algorithm == Conv2dAlgorithm::automatic ? fastest<T>(problem) : algorithm;
}

/// The options for which groups are merged, and how many are: 1 is none. See kernels/conv_groups.hpp.
struct MergedGroups {
  Conv2dOptions options;
  Index merged = 1;
};
template <class T>
MergedGroups merge_groups(const kernels::ConvProblem& problem, const Conv2dOptions& options) {
  MergedGroups result{options};
  if (options.algorithm != Conv2dAlgorithm::automatic || suits(Conv2dAlgorithm::depthwise, problem)) return result;
  result.merged = kernels::groups::mergeable<T>(problem);
  result.options.groups = options.groups / result.merged;
  return result;
}

/// The options for each group by itself.
inline Conv2dOptions without_merging(Conv2dOptions options) {
  options.algorithm = Conv2dAlgorithm::im2col;
  return options;
}

/// True if an algorithm multiplies zeros for what lies beside the images.
inline bool multiplies_zeros(Conv2dAlgorithm algorithm) {
  return algorithm != Conv2dAlgorithm::depthwise && algorithm != Conv2dAlgorithm::pointwise;
}

}  // namespace detail

/// Convolution of images, and then what follows it channel by channel: y = f(x * W).
/// Shapes   x (N, H, W, C); weight (K, R, S, C / groups); f of K channels; y (N, P, Q, K) with
///          P = (H + 2 padding - dilation (R - 1) - 1) / stride + 1, rounded down, and Q likewise
/// Errors   ShapeError if the shapes do not fit, images have no pixels or the window is larger than the padded image;
///          ValueError for options out of range, outputs that groups do not divide, or an algorithm that does not suit
/// Cost     N P Q K R S C / groups multiply-adds, fewer with Winograd's algorithms
template <class T>
Tensor<T> conv2d_channel_map(const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                             const Conv2dOptions& options = {}) {
  const auto problem = detail::conv2d_problem("conv2d", x.shape(), weight.shape(), options);
  detail::check_algorithm("conv2d", problem, options.algorithm);
  if (!f.scale.empty()) check::same_shape("conv2d", "scale", f.scale.shape(), {weight.size(0)});
  if (!f.shift.empty()) check::same_shape("conv2d", "bias", f.shift.shape(), {weight.size(0)});
  if (problem.is_nothing()) return channel_map(Tensor<T>::zeros(problem.y), f);
  if (const auto [merged_options, merged] = detail::merge_groups<T>(problem, options); merged > 1) {
    Tensor<T> y = conv2d_channel_map(x, kernels::groups::merge(weight, options.groups, merged), f, merged_options);
    if (kernels::definition::is_number_in_merged_groups(y, merged_options.groups)) return y;
    return conv2d_channel_map(x, weight, f, detail::without_merging(options));
  }
  Tensor<T> y(problem.y);
  auto algorithm = detail::conv2d_algorithm<T>(problem, options.algorithm);
  if (algorithm == Conv2dAlgorithm::winograd_2x2 || algorithm == Conv2dAlgorithm::winograd_4x4) {
    const bool is_2x2 = algorithm == Conv2dAlgorithm::winograd_2x2;
    if (is_2x2 ? kernels::winograd::forward<2>(problem, x, weight, f, y)
               : kernels::winograd::forward<4>(problem, x, weight, f, y))
      return y;
    algorithm = Conv2dAlgorithm::im2col;
  }
  // Some add the whole of f as they write, some a bias; what is left takes a pass of its own.
  const bool only_bias = f.scale.empty();
  const Tensor<T> bias = only_bias ? f.shift : Tensor<T>();
  ChannelMap<T> rest = f;
  switch (algorithm) {
    case Conv2dAlgorithm::depthwise:
      kernels::depthwise::forward(problem, x, weight, bias, y);
      if (only_bias) rest.shift = Tensor<T>();
      break;
    case Conv2dAlgorithm::few_channels:
      kernels::few_channels::forward(problem, x, weight, bias, y);
      if (only_bias) rest.shift = Tensor<T>();
      break;
    case Conv2dAlgorithm::pointwise:
      kernels::pointwise::forward(problem, x, weight, y);
      break;
    default:
      kernels::im2col::forward(problem, x, weight, y);
  }
  if (detail::multiplies_zeros(algorithm) && problem.window.padding != Size2d(0) &&
      !kernels::definition::is_finite_at_corners(y) && !kernels::definition::is_finite(weight))
    kernels::definition::mend_forward(problem, x, weight, rest.shift.empty() ? bias : Tensor<T>(), y);
  return channel_map(std::move(y), rest);
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
/// Errors   as conv2d, and ShapeError where dy has another shape than its result
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> conv2d_backward_input(const Tensor<T>& dy, const Tensor<T>& weight, const Shape& x,
                                const Conv2dOptions& options = {}) {
  const auto problem = detail::conv2d_problem("conv2d_backward_input", x, weight.shape(), options);
  detail::check_algorithm("conv2d_backward_input", problem, options.algorithm);
  check::same_shape("conv2d_backward_input", "gradient of the output", dy.shape(), problem.y);
  if (problem.is_nothing()) return Tensor<T>::zeros(x);
  if (const auto [merged_options, merged] = detail::merge_groups<T>(problem, options); merged > 1) {
    Tensor<T> dx = conv2d_backward_input(dy, kernels::groups::merge(weight, options.groups, merged), x, merged_options);
    if (kernels::definition::is_number_in_merged_groups(dx, merged_options.groups)) return dx;
    return conv2d_backward_input(dy, weight, x, detail::without_merging(options));
  }
  Tensor<T> dx(x);
  auto algorithm = detail::conv2d_algorithm<T>(problem, options.algorithm);
  if (algorithm == Conv2dAlgorithm::winograd_2x2 || algorithm == Conv2dAlgorithm::winograd_4x4) {
    const bool is_2x2 = algorithm == Conv2dAlgorithm::winograd_2x2;
    if (is_2x2 ? kernels::winograd::backward_input<2>(problem, dy, weight, dx)
               : kernels::winograd::backward_input<4>(problem, dy, weight, dx))
      return dx;
    algorithm = Conv2dAlgorithm::im2col;
  }
  switch (algorithm) {
    case Conv2dAlgorithm::depthwise:
      kernels::depthwise::backward_input(problem, dy, weight, dx);
      break;
    case Conv2dAlgorithm::pointwise:
      kernels::pointwise::backward_input(problem, dy, weight, dx);
      break;
    default:
      kernels::im2col::backward_input(problem, dy, weight, dx);
  }
  if (detail::multiplies_zeros(algorithm) && !kernels::definition::is_finite_at_corners(dx, problem.window.stride) &&
      !kernels::definition::is_finite(weight))
    kernels::definition::mend_backward_input(problem, dy, weight, dx);
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
  const Shape weight{dy.shape()[-1], kernel.height, kernel.width, x.shape()[-1] / options.groups};
  const auto problem = detail::conv2d_problem("conv2d_backward_weight", x.shape(), weight, options);
  detail::check_algorithm("conv2d_backward_weight", problem, options.algorithm);
  check::same_shape("conv2d_backward_weight", "gradient of the output", dy.shape(), problem.y);
  if (problem.is_nothing()) return Tensor<T>::zeros(weight);
  if (const auto [merged_options, merged] = detail::merge_groups<T>(problem, options); merged > 1) {
    const Tensor<T> merged_dw = conv2d_backward_weight(dy, x, kernel, merged_options);
    return kernels::groups::split(merged_dw, options.groups, merged);
  }
  Tensor<T> dw(weight);
  const auto algorithm = detail::conv2d_algorithm<T>(problem, options.algorithm);
  switch (algorithm) {
    case Conv2dAlgorithm::depthwise:
      kernels::depthwise::backward_weight(problem, dy, x, dw);
      break;
    case Conv2dAlgorithm::few_channels:
      kernels::few_channels::backward_weight(problem, dy, x, dw);
      break;
    case Conv2dAlgorithm::pointwise:
      kernels::pointwise::backward_weight(problem, dy, x, dw);
      break;
    case Conv2dAlgorithm::winograd_2x2:
      kernels::winograd::backward_weight<2>(problem, dy, x, dw);
      return dw;
    case Conv2dAlgorithm::winograd_4x4:
      kernels::winograd::backward_weight<4>(problem, dy, x, dw);
      return dw;
    default:
      kernels::im2col::backward_weight(problem, dy, x, dw);
  }
  if (detail::multiplies_zeros(algorithm) && problem.window.padding != Size2d(0) &&
      !kernels::definition::is_finite_at_first_input(dw) && !kernels::definition::is_finite(dy))
    kernels::definition::mend_backward_weight(problem, dy, x, dw);
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
