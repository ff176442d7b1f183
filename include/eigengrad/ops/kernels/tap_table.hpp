// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/window.hpp>

// Where the taps of a moving window lie, worked out once for each axis of an image.
//   const auto taps = TapTables::of_window(window, x.shape(), y.shape());
//   taps.rows.at(p)[r];             // the row of pixels under tap r at position p, or kOutside

namespace eigengrad::ops::kernels {

/// One axis of the images under a window.
struct WindowAxis {
  Index pixels, positions, taps, stride, padding, dilation;
};

/// For each position along one axis an index for each of the window's taps, or kOutside.
class TapTable {
 public:
  static constexpr Index kOutside = -1;

  /// For each position of the window, the pixel under each tap.
  static TapTable of_window(const WindowAxis& axis) {
    return {axis.positions, axis.taps, [&](Index position, Index tap) {
              const Index pixel = position * axis.stride - axis.padding + tap * axis.dilation;
              return pixel < axis.pixels ? pixel : kOutside;
            }};
  }

  /// The other way round: for each pixel, the position at which each tap lies on it.
  static TapTable of_pixel(const WindowAxis& axis) {
    return {axis.pixels, axis.taps, [&](Index pixel, Index tap) {
              const Index distance = pixel + axis.padding - tap * axis.dilation;
              if (distance < 0 || distance % axis.stride != 0) return kOutside;
              return distance / axis.stride < axis.positions ? distance / axis.stride : kOutside;
            }};
  }

  const Index* at(Index position) const { return table_.data() + position * taps(); }
  Index positions() const { return table_.size(0); }
  Index taps() const { return table_.size(1); }

 private:
  template <class F>
  TapTable(Index positions, Index taps, const F& index_at) : table_({positions, taps}) {
    Index* entry = table_.mutable_data();
    for (Index p = 0; p < positions; ++p) {
      for (Index tap = 0; tap < taps; ++tap) *entry++ = std::max(index_at(p, tap), kOutside);
    }
  }

  Tensor<Index> table_;
};

/// The tables of both axes.
/// Shapes   x (N, H, W, C) the images; y (N, P, Q, ...) the positions
struct TapTables {
  TapTable rows;
  TapTable cols;

  static TapTables of_window(const Window& window, const Shape& x, const Shape& y) {
    return {TapTable::of_window(vertical(window, x, y)), TapTable::of_window(horizontal(window, x, y))};
  }
  static TapTables of_pixel(const Window& window, const Shape& x, const Shape& y) {
    return {TapTable::of_pixel(vertical(window, x, y)), TapTable::of_pixel(horizontal(window, x, y))};
  }

 private:
  static WindowAxis vertical(const Window& w, const Shape& x, const Shape& y) {
    return {x[1], y[1], w.kernel.height, w.stride.height, w.padding.height, w.dilation.height};
  }
  static WindowAxis horizontal(const Window& w, const Shape& x, const Shape& y) {
    return {x[2], y[2], w.kernel.width, w.stride.width, w.padding.width, w.dilation.width};
  }
};

}  // namespace eigengrad::ops::kernels
