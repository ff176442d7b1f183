// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/max_pool2d.hpp>

// nn::MaxPool2d pool{2};
// nn::MaxPool2d overlapping{{.kernel = 3, .stride = 2, .padding = 1}};

namespace eigengrad::EIGENGRAD_ISA::nn {

struct MaxPool2dOptions {
  Size2d kernel = 0;                  ///< must be given: one number for both sides, or {height, width}
  std::optional<Size2d> stride = {};  ///< the kernel's size where it is not given
  Size2d padding = 0;                 ///< pixels of minus infinity on each side; at most half the kernel
};

/// The largest pixel under a window, channel by channel, as torch.nn.MaxPool2d.
/// Shapes   x (N, H, W, C), y (N, P, Q, C) with P = (H + 2 padding - R) / stride + 1, rounded down
/// Errors   ValueError for an option out of range, or a window of more than 2^24 taps (2^53 in double); ShapeError
///          if the window is larger than the padded image
template <class T = float>
class MaxPool2d {
 public:
  EIGENGRAD_COLD explicit MaxPool2d(const MaxPool2dOptions& options)
      : window_{options.kernel, options.stride.value_or(options.kernel), options.padding} {
    window_.check_pooling(*this);
    ops::check_max_pool_taps<T>(*this, window_);
  }
  explicit MaxPool2d(std::convertible_to<Size2d> auto kernel) : MaxPool2d(MaxPool2dOptions{.kernel = kernel}) {}

  Shape output_shape(const Shape& x) const { return window_.pooled(*this, x); }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    output_shape(x.shape());
    kept_.reset();
    auto [y, taps] = ops::max_pool2d(x, window_);
    if (remembers(mode)) kept_ = Memory{std::move(taps), x.shape()};
    return std::move(y);
  }

  Tensor<T> backward(Tensor<T> dy) {
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), kept_->taps.shape());
    return ops::max_pool2d_backward(dy, kept_->taps, kept_->x, window_);
  }

  EIGENGRAD_COLD std::string description() const {
    return error_text("MaxPool2d ", window_.kernel, " stride ", window_.stride);
  }

 private:
  struct Memory {
    Tensor<T> taps;
    Shape x;
  };

  Window window_;
  Kept<Memory> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
