// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <optional>
#include <string>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/avg_pool2d.hpp>

// nn::AvgPool2d pool{{.kernel = 2}};
// nn::GlobalAvgPool2d pool;                 // (N, H, W, C) -> (N, C)

namespace eigengrad::EIGENGRAD_ISA::nn {

struct AvgPool2dOptions {
  Size2d kernel = 0;                  ///< must be given: one number for both sides, or {height, width}
  std::optional<Size2d> stride = {};  ///< the kernel's size where it is not given
  Size2d padding = 0;                 ///< pixels of zeros on each side; at most half the kernel
  bool count_include_pad = true;      ///< a window divides by its area, also if it lies partly beside the image
};

/// The mean of the pixels under a window, channel by channel, as torch.nn.AvgPool2d.
/// Shapes   x (N, H, W, C), y (N, P, Q, C) with P = (H + 2 padding - R) / stride + 1, rounded down
/// Errors   ValueError for an option out of range; ShapeError if the window is larger than the padded image
template <class T = float>
class AvgPool2d {
 public:
  explicit AvgPool2d(const AvgPool2dOptions& options)
      : window_{options.kernel, options.stride.value_or(options.kernel), options.padding},
        options_{options.count_include_pad} {
    window_.check_pooling(*this);
  }
  explicit AvgPool2d(std::convertible_to<Size2d> auto kernel) : AvgPool2d(AvgPool2dOptions{.kernel = kernel}) {}

  Shape output_shape(const Shape& x) const { return window_.pooled(*this, x); }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    output_shape(x.shape());
    kept_.reset();
    if (remembers(mode)) kept_ = x.shape();
    return ops::avg_pool2d(x, window_, options_);
  }

  Tensor<T> backward(Tensor<T> dy) {
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), output_shape(*kept_));
    return ops::avg_pool2d_backward(dy, *kept_, window_, options_);
  }

  std::string description() const { return error_text("AvgPool2d ", window_.kernel, " stride ", window_.stride); }

 private:
  Window window_;
  ops::AvgPool2dOptions options_;
  Kept<Shape> kept_;  // of the last forward that remembers
};

/// The mean of all pixels, channel by channel: torch.nn.AdaptiveAvgPool2d(1) followed by Flatten.
/// Shapes   x (N, H, W, C), y (N, C)
/// Errors   ShapeError for another rank or images without pixels
template <class T = float>
class GlobalAvgPool2d {
 public:
  Shape output_shape(const Shape& x) const {
    detail::check_image(*this, x);
    return {x[0], x[3]};
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    output_shape(x.shape());
    kept_.reset();
    if (remembers(mode)) kept_ = x.shape();
    return ops::global_avg_pool2d(x);
  }

  Tensor<T> backward(Tensor<T> dy) {
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), output_shape(*kept_));
    return ops::global_avg_pool2d_backward(dy, *kept_);
  }

  std::string description() const { return "GlobalAvgPool2d"; }

 private:
  Kept<Shape> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
