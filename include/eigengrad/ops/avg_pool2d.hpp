// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>

#include <eigengrad/ops/kernels/column_sum.hpp>
#include <eigengrad/ops/kernels/reduce_axes.hpp>
#include <eigengrad/ops/kernels/tap_table.hpp>
#include <eigengrad/ops/map.hpp>

// Means of pixels, channel by channel: AvgPool2d under a moving window, GlobalAvgPool2d over a whole image.

namespace eigengrad::EIGENGRAD_ISA::ops {

struct AvgPool2dOptions {
  bool count_include_pad = true;  ///< a window divides by its area, also if it lies partly beside the image
};

namespace detail {

/// What the mean at one position divides by.
inline Index avg_pool2d_count(const Window& window, const Index* rows, const Index* cols,
                              const AvgPool2dOptions& options) {
  if (options.count_include_pad) return window.kernel.area();
  const auto inside = [](Index pixel) { return pixel >= 0; };
  return std::count_if(rows, rows + window.kernel.height, inside) *
         std::count_if(cols, cols + window.kernel.width, inside);
}

}  // namespace detail

/// y[n, p, q, c] = the mean of x under the window at (p, q). Pixels beside the image are 0.
/// Shapes   x (N, H, W, C); y (N, P, Q, C)
/// Errors   ShapeError if the window is larger than the padded image or there are no pixels; ValueError for options out
///          of range, or a padding of more than half the window
template <std::floating_point T>
Tensor<T> avg_pool2d(const Tensor<T>& x, const Window& window, const AvgPool2dOptions& options = {}) {
  const Shape shape = window.pooled("avg_pool2d", x.shape());
  Tensor<T> y(shape);
  if (y.empty()) return y;
  const auto tables = detail::TapTables::of_window(window, x.shape(), shape);
  T* out = y.mutable_data();
  const Index channels = shape[3];
  const auto one_position = [&](const T* image, const Index* rows, const Index* cols, T* to) {
    const Index count = detail::avg_pool2d_count(window, rows, cols, options);
    for (Index c = 0; c < channels; c += detail::ColumnSum<T>::kMost) {
      const Index width = std::min(detail::ColumnSum<T>::kMost, channels - c);
      detail::ColumnSum<T> sum(to + c, width);
      for (Index r = 0; r < window.kernel.height; ++r) {
        for (Index s = 0; s < window.kernel.width; ++s) {
          if (rows[r] < 0 || cols[s] < 0) continue;
          sum.add(detail::ConstRowMap<T>(image + (rows[r] * x.size(2) + cols[s]) * channels + c, width));
        }
      }
      sum.divide(count);
    }
  };
  parallel_for(shape[0] * shape[1], detail::row_grain(shape[2] * channels), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const T* image = x.data() + row / shape[1] * x.size(1) * x.size(2) * channels;
      for (Index q = 0; q < shape[2]; ++q) {
        one_position(image, tables.rows.at(row % shape[1]), tables.cols.at(q), out + (row * shape[2] + q) * channels);
      }
    }
  });
  return y;
}

/// dx = the sum over the positions whose window lies on the pixel of dy / count, the count being what the mean at
/// that position divides by
/// Shapes   dy (N, P, Q, C); x the shape (N, H, W, C) of the input; dx as x
/// Errors   as avg_pool2d, and ShapeError if dy has another shape than its result
/// Source   derived in docs/derivations.md
template <std::floating_point T>
Tensor<T> avg_pool2d_backward(const Tensor<T>& dy, const Shape& x, const Window& window,
                              const AvgPool2dOptions& options = {}) {
  const Shape shape = window.pooled("avg_pool2d_backward", x);
  detail::check::same_shape("avg_pool2d_backward", "gradient of the output", dy.shape(), shape);
  Tensor<T> dx(x);
  if (dx.empty()) return dx;
  const auto positions = detail::TapTables::of_pixel(window, x, shape);
  const auto pixels = detail::TapTables::of_window(window, x, shape);
  T* out = dx.mutable_data();
  const Index channels = x[3];
  const auto one_pixel = [&](Index image, const Index* rows, const Index* cols, T* to) {
    for (Index c = 0; c < channels; c += detail::ColumnSum<T>::kMost) {
      const Index width = std::min(detail::ColumnSum<T>::kMost, channels - c);
      detail::ColumnSum<T> sum(to + c, width);
      for (Index r = 0; r < window.kernel.height; ++r) {
        for (Index s = 0; s < window.kernel.width; ++s) {
          const Index p = rows[r];
          const Index q = cols[s];
          if (p < 0 || q < 0) continue;
          const Index count = detail::avg_pool2d_count(window, pixels.rows.at(p), pixels.cols.at(q), options);
          const Index at = ((image * shape[1] + p) * shape[2] + q) * channels + c;
          sum.add(detail::ConstRowMap<T>(dy.data() + at, width) / static_cast<T>(count));
        }
      }
      sum.divide(1);
    }
  };
  parallel_for(x[0] * x[1], detail::row_grain(x[2] * channels), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      for (Index w = 0; w < x[2]; ++w) {
        one_pixel(row / x[1], positions.rows.at(row % x[1]), positions.cols.at(w), out + (row * x[2] + w) * channels);
      }
    }
  });
  return dx;
}

/// y[n, c] = the mean of x over all pixels of an image
/// Shapes   x (N, H, W, C) with at least one pixel; y (N, C)
/// Errors   ShapeError for another rank or images without pixels
template <std::floating_point T>
Tensor<T> global_avg_pool2d(const Tensor<T>& x) {
  detail::check_image("global_avg_pool2d", x.shape());
  const Index pixels = x.size(1) * x.size(2);
  const Index channels = x.size(3);
  constexpr detail::AxisMask kPixelAxes = 0b0110;
  const T count = static_cast<T>(pixels);
  return map(detail::reduce_axes<detail::Sum>(x, kPixelAxes, {x.size(0), channels}),
             [count](const auto& v) { return v / count; });
}

/// dx = dy / (H W) at every pixel
/// Shapes   dy (N, C); x the shape (N, H, W, C) of the input; dx as x
/// Source   derived in docs/derivations.md
template <std::floating_point T>
Tensor<T> global_avg_pool2d_backward(const Tensor<T>& dy, const Shape& x) {
  detail::check_image("global_avg_pool2d_backward", x);
  detail::check::same_shape("global_avg_pool2d_backward", "gradient of the output", dy.shape(), {x[0], x[3]});
  const Index pixels = x[1] * x[2];
  Tensor<T> dx(x);
  if (dx.empty()) return dx;
  T* out = dx.mutable_data();
  parallel_for(x[0], detail::row_grain(pixels * x[3]), [&](Index begin, Index end) {
    for (Index n = begin; n < end; ++n) {
      const detail::ConstRowMap<T> gradient(dy.data() + n * x[3], x[3]);
      for (Index i = n * pixels; i < (n + 1) * pixels; ++i) {
        detail::RowMap<T>(out + i * x[3], x[3]) = gradient / static_cast<T>(pixels);
      }
    }
  });
  return dx;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
