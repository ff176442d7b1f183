// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <eigengrad/ops/elementwise.hpp>
#include <eigengrad/ops/kernels/tap_table.hpp>

// MaxPool2d: the largest pixel under a moving window, channel by channel.

namespace eigengrad::ops {

/// The maxima, and the taps of the window at which they were found: tap r S + s.
template <class T>
struct MaxPool2dResult {
  Tensor<T> y;
  Tensor<std::int32_t> taps;
};

/// y[n, p, q, c] = the largest x under the window at (p, q); of equals the first in the order of the taps. Pixels
/// beside the image count as minus infinity and never win; a NaN wins, as in PyTorch.
/// Shapes   x (N, H, W, C); y, taps (N, P, Q, C)
/// Errors   ShapeError where the window is larger than the padded image or there are no pixels; ValueError for options out of range, or a
///          padding of more than half the window
template <class T>
MaxPool2dResult<T> max_pool2d(const Tensor<T>& x, const Window& window) {
  const Shape shape = window.pooled("max_pool2d", x.shape());
  const auto tables = kernels::TapTables::of_window(window, x.shape(), shape);
  MaxPool2dResult<T> result{Tensor<T>(shape), Tensor<std::int32_t>(shape)};
  T* out = result.y.mutable_data();
  std::int32_t* out_taps = result.taps.mutable_data();
  const Index channels = shape[3];
  const auto one_position = [&](const T* image, const Index* rows, const Index* cols, T* y, std::int32_t* taps) {
    std::fill_n(y, channels, -std::numeric_limits<T>::infinity());
    std::fill_n(taps, channels, -1);
    std::int32_t tap = 0;
    for (Index r = 0; r < window.kernel.height; ++r) {
      for (Index s = 0; s < window.kernel.width; ++s, ++tap) {
        if (rows[r] < 0 || cols[s] < 0) continue;
        const T* pixel = image + (rows[r] * x.size(2) + cols[s]) * channels;
        for (Index c = 0; c < channels; ++c) {
          const bool wins = pixel[c] > y[c] || pixel[c] != pixel[c] || taps[c] < 0;
          y[c] = wins ? pixel[c] : y[c];
          taps[c] = wins ? tap : taps[c];
        }
      }
    }
  };
  parallel_for(shape[0] * shape[1], row_grain(shape[2] * channels), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const T* image = x.data() + row / shape[1] * x.size(1) * x.size(2) * channels;
      for (Index q = 0; q < shape[2]; ++q) {
        const Index at = (row * shape[2] + q) * channels;
        one_position(image, tables.rows.at(row % shape[1]), tables.cols.at(q), out + at, out_taps + at);
      }
    }
  });
  return result;
}

/// dx = the sum of dy over the positions whose maximum the pixel was
/// Shapes   dy, taps (N, P, Q, C), taps being those of max_pool2d; x the shape (N, H, W, C) of the input; dx as x
/// Errors   as max_pool2d, and ShapeError where dy or taps have another shape than its result
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> max_pool2d_backward(const Tensor<T>& dy, const Tensor<std::int32_t>& taps, const Shape& x,
                              const Window& window) {
  const Shape shape = window.pooled("max_pool2d_backward", x);
  check::same_shape("max_pool2d_backward", "gradient of the output", dy.shape(), shape);
  check::same_shape("max_pool2d_backward", "taps", taps.shape(), shape);
  const auto tables = kernels::TapTables::of_pixel(window, x, shape);
  Tensor<T> dx = Tensor<T>(x);
  T* out = dx.mutable_data();
  const Index channels = x[3];
  // Every pixel asks the positions it lies under: no two threads write to the same place.
  const auto one_pixel = [&](Index image, const Index* rows, const Index* cols, T* to) {
    std::fill_n(to, channels, T(0));
    std::int32_t tap = 0;
    for (Index r = 0; r < window.kernel.height; ++r) {
      for (Index s = 0; s < window.kernel.width; ++s, ++tap) {
        if (rows[r] < 0 || cols[s] < 0) continue;
        const Index at = ((image * shape[1] + rows[r]) * shape[2] + cols[s]) * channels;
        const T* d = dy.data() + at;
        const std::int32_t* winner = taps.data() + at;
        for (Index c = 0; c < channels; ++c) to[c] += winner[c] == tap ? d[c] : T(0);
      }
    }
  };
  parallel_for(x[0] * x[1], row_grain(x[2] * channels), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      for (Index w = 0; w < x[2]; ++w) {
        one_pixel(row / x[1], tables.rows.at(row % x[1]), tables.cols.at(w), out + (row * x[2] + w) * channels);
      }
    }
  });
  return dx;
}

}  // namespace eigengrad::ops
