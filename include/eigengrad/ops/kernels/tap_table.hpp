// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/window.hpp>

// If the taps of a moving window lie, worked out once for each axis of an image.
//   const auto taps = TapTables::of_window(window, x.shape(), y.shape());
//   taps.rows.at(p)[r];             // the row of pixels under tap r at position p, or kOutside
//   const auto odd = taps.part({1, 1}, {2, 2});      // every second position, with the taps that lie on pixels there

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

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

  /// The positions first, first + step, ... alone, and of the taps those that lie inside at one of them or more.
  TapTable part(Index first, Index step) const {
    const Index positions = ceil_div(table_.size(0) - first, step);
    const auto lies_inside = [&](Index tap) {
      for (Index p = 0; p < positions; ++p) {
        if (at(first + p * step)[tap] != kOutside) return true;
      }
      return false;
    };
    Tensor<Index> kept({taps()});
    Index count = 0;
    Index* numbers = kept.mutable_data();
    for (Index tap = 0; tap < taps(); ++tap) {
      if (lies_inside(tap)) numbers[count++] = tap;
    }
    if (count == taps() && positions == this->positions()) return *this;
    TapTable result(positions, count, [&](Index p, Index tap) { return at(first + p * step)[numbers[tap]]; });
    for (Index tap = 0; tap < count; ++tap) numbers[tap] = number(numbers[tap]);
    result.numbers_ = kept;
    return result;
  }

  const Index* at(Index position) const { return table_.data() + position * taps(); }
  Index positions() const { return table_.size(0); }
  Index taps() const { return table_.size(1); }
  /// Which of the window's taps a tap is; another than itself only in a part.
  Index number(Index tap) const { return numbers_.empty() ? tap : numbers_.data()[tap]; }

 private:
  template <class F>
  TapTable(Index positions, Index taps, const F& index_at) : table_({positions, taps}) {
    Index* entry = table_.mutable_data();
    for (Index p = 0; p < positions; ++p) {
      for (Index tap = 0; tap < taps; ++tap) *entry++ = std::max(index_at(p, tap), kOutside);
    }
  }

  Tensor<Index> table_;
  Tensor<Index> numbers_;  // of the taps, empty for all of them
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

  TapTables part(const Size2d& first, const Size2d& step) const {
    return {rows.part(first.height, step.height), cols.part(first.width, step.width)};
  }
  /// Without the taps that lie beside the image at every position.
  TapTables without_dead_taps() const { return part({0, 0}, {1, 1}); }

  Size2d taps() const { return {rows.taps(), cols.taps()}; }

 private:
  static WindowAxis vertical(const Window& w, const Shape& x, const Shape& y) {
    return {x[1], y[1], w.kernel.height, w.stride.height, w.padding.height, w.dilation.height};
  }
  static WindowAxis horizontal(const Window& w, const Shape& x, const Shape& y) {
    return {x[2], y[2], w.kernel.width, w.stride.width, w.padding.width, w.dilation.width};
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
