// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <limits>

#include <eigengrad/core/window.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/max_pool.hpp>

// MaxPool2d: the largest pixel under a moving window, channel by channel.
//   auto [y, taps] = max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
//   Tensor<T> dx = max_pool2d_backward(dy, taps, x.shape(), {.kernel = 3, .stride = 2, .padding = 1});

namespace eigengrad::EIGENGRAD_ISA::ops {

/// The maxima, and the taps of the window at which they were found: tap r S + s.
template <class T>
struct MaxPool2dResult {
  Tensor<T> y;
  Tensor<T> taps;  ///< whole numbers, in T so that a packet of them is as wide as one of maxima
};

/// Errors   ValueError for a window with more taps than T counts, 2^24 for float
template <class T>
void check_max_pool_taps(const detail::check::Where& where, const Window& window) {
  constexpr int kDigits = std::numeric_limits<T>::digits;
  constexpr bool kCountsAll = kDigits >= std::numeric_limits<Index>::digits;
  constexpr Index kMost = kCountsAll ? std::numeric_limits<Index>::max() : Index{1} << (kCountsAll ? 0 : kDigits);
  if (window.kernel.area() <= kMost) return;
  throw ValueError(error_text(where.name(), ": kernel is ", window.kernel, ", expected at most ", kMost, " taps"));
}

namespace detail {

/// Both axes of images x (N, H, W, C) under a window with positions y (N, P, Q, C).
struct PoolAxes {
  detail::max_pool::Axis rows, cols;

  PoolAxes(const Window& w, const Shape& x, const Shape& y)
      : rows{x[1], y[1], w.kernel.height, w.stride.height, w.padding.height},
        cols{x[2], y[2], w.kernel.width, w.stride.width, w.padding.width} {}
};

}  // namespace detail

/// y[n, p, q, c] = the largest x under the window at (p, q); of equals the first in the order of the taps. Pixels
/// beside the image count as minus infinity and never win; a NaN wins, as in PyTorch.
/// Shapes   x (N, H, W, C); y, taps (N, P, Q, C)
/// Errors   ShapeError if the window is larger than the padded image or there are no pixels; ValueError for options
///          out of range, a padding of more than half the window, or more taps than T counts
template <class T>
MaxPool2dResult<T> max_pool2d(const Tensor<T>& x, const Window& window) {
  const Shape shape = window.pooled("max_pool2d", x.shape());
  check_max_pool_taps<T>("max_pool2d", window);
  const detail::PoolAxes axes(window, x.shape(), shape);
  const auto &rows = axes.rows, &cols = axes.cols;
  MaxPool2dResult<T> result{Tensor<T>(shape), Tensor<T>(shape)};
  if (result.y.empty()) return result;
  T* y = result.y.mutable_data();
  T* taps = result.taps.mutable_data();
  const Index channels = shape[3], row_size = x.size(2) * channels;
  const auto one_row = [&](Index row) {
    const Index p = row % rows.positions, image = row / rows.positions * rows.pixels * row_size;
    const auto under = rows.pixels_under(p), next = rows.pixels_under(p + 1);
    const detail::max_pool::ComingRows coming(image + std::max(under.last, next.first) * row_size,
                                              image + next.last * row_size, cols.positions);
    for (Index q = 0; q < cols.positions; ++q) {
      coming.prefetch(x.data(), q);
      const auto across = cols.pixels_under(q);
      const Index tap = rows.tap(p, under.first) * cols.taps + cols.tap(q, across.first);
      const detail::max_pool::Patch patch{under.count(), across.count(), row_size, channels, tap, cols.taps, 1};
      const T* pixels = x.data() + image + under.first * row_size + across.first * channels;
      const Index at = (row * cols.positions + q) * channels;
      detail::for_each_vector_group<T, 4, detail::kChoiceLanes<T>>(
          channels, [&](const auto& access, auto packets, Index c) {
            detail::max_pool::take_maxima<packets>(access, patch, pixels + c, y + at + c, taps + at + c);
          });
    }
  };
  parallel_for(shape[0] * shape[1], detail::row_grain(shape[2] * channels), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) one_row(row);
  });
  return result;
}

/// dx = the sum of dy over the positions whose maximum the pixel was
/// Shapes   dy, taps (N, P, Q, C), taps being those of max_pool2d; x the shape (N, H, W, C) of the input; dx as x
/// Errors   as max_pool2d, and ShapeError if dy or taps have another shape than its result
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> max_pool2d_backward(const Tensor<T>& dy, const Tensor<T>& taps, const Shape& x, const Window& window) {
  const Shape shape = window.pooled("max_pool2d_backward", x);
  check_max_pool_taps<T>("max_pool2d_backward", window);
  detail::check::same_shape("max_pool2d_backward", "gradient of the output", dy.shape(), shape);
  detail::check::same_shape("max_pool2d_backward", "taps", taps.shape(), shape);
  const detail::PoolAxes axes(window, x, shape);
  const auto &rows = axes.rows, &cols = axes.cols;
  Tensor<T> dx(x);
  if (dx.empty()) return dx;
  T* out = dx.mutable_data();
  const Index channels = x[3], row_size = shape[2] * channels;
  const detail::Scratch<detail::max_pool::Places> over_cols = cols.positions_over_pixels();
  // Every pixel asks the positions it lies under: no two threads write to the same place.
  const auto one_row = [&](Index row) {
    const Index h = row % rows.pixels, image = row / rows.pixels * rows.positions * row_size;
    const auto over = rows.positions_over(h), next = rows.positions_over(h + 1);
    const detail::max_pool::ComingRows coming(image + over.last * row_size, image + next.last * row_size, cols.pixels);
    for (Index w = 0; w < cols.pixels; ++w) {
      coming.prefetch(dy.data(), w);
      coming.prefetch(taps.data(), w);
      const auto across = over_cols.of(0)[w];
      const Index tap = rows.tap(over.first, h) * cols.taps + cols.tap(across.first, w);
      const detail::max_pool::Patch patch{over.count(), across.count(),           row_size,    channels,
                                          tap,          -rows.stride * cols.taps, -cols.stride};
      const Index from = image + over.first * row_size + across.first * channels;
      T* to = out + (row * cols.pixels + w) * channels;
      detail::for_each_vector_group<T, 4, detail::kChoiceLanes<T>>(
          channels, [&](const auto& access, auto packets, Index c) {
            detail::max_pool::collect_gradients<packets>(access, patch, dy.data() + from + c, taps.data() + from + c,
                                                         to + c);
          });
    }
  };
  parallel_for(x[0] * x[1], detail::row_grain(x[2] * channels), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) one_row(row);
  });
  return dx;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
