// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/scratch.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/block.hpp>

// The inner loops of max pooling: packets of channels stay in registers from the first tap of a window to the last.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::max_pool {

/// Places along an axis, first, first + 1, ..., last - 1.
struct Places {
  Index first, last;
  Index count() const { return last - first; }
};

/// One axis of images under a window without dilation.
struct Axis {
  Index pixels, positions, taps, stride, padding;

  /// The pixels under the window at a position.
  Places pixels_under(Index position) const {
    const Index start = start_of(position);
    return {std::max<Index>(0, start), std::min(pixels, start + taps)};
  }
  /// The positions at which the window lies on a pixel. There may be none.
  Places positions_over(Index pixel) const {
    const Index distance = pixel + padding;
    return {distance < taps ? 0 : (distance - taps) / stride + 1, std::min(positions, distance / stride + 1)};
  }
  /// positions_over of every pixel, without a division for each.
  Scratch<Places> positions_over_pixels() const {
    Scratch<Places> result(pixels, 1);
    for (Index pixel = 0; pixel < pixels; ++pixel) result.of(0)[pixel] = positions_over(pixel);
    return result;
  }
  /// The tap that lies on a pixel at a position.
  Index tap(Index position, Index pixel) const { return pixel - start_of(position); }

 private:
  Index start_of(Index position) const { return position * stride - padding; }
};

/// The pixels under a window, or the positions at which it lies on a pixel: a rectangle, how far its rows and columns
/// are apart in elements, and the number of the tap at its first corner and how that grows from row to row and column
/// to column.
struct Patch {
  Index rows, cols;
  Index row_step, col_step;
  Index tap, tap_row_step, tap_col_step;

  /// Calls f(where, tap) for every place, row by row.
  template <class F>
  EIGEN_ALWAYS_INLINE void for_each(const F& f) const {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) f(i * row_step + j * col_step, tap + i * tap_row_step + j * tap_col_step);
    }
  }
};

/// The largest of the pixels and its tap, the first of equals; NaN is larger than all.
template <int Packets, class Access, class T>
void take_maxima(const Access& access, const Patch& patch, const T* pixels, T* y, T* taps) {
  using P = typename Access::P;
  constexpr Index kLength = Access::kLength;
  P best[array_size(Packets)], winner[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    best[k] = access.load(pixels + k * kLength);
    winner[k] = packet::pset1<P>(static_cast<T>(patch.tap));
  });
  patch.for_each([&](Index where, Index tap) EIGENGRAD_INLINE_LAMBDA {
    const P number = packet::pset1<P>(static_cast<T>(tap));
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P x = access.load(pixels + where + k * kLength);
      const auto wins = (x > best[k]) | (x != x);
      best[k] = wins ? x : best[k];
      winner[k] = wins ? number : winner[k];
    });
  });
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    access.store(y + k * kLength, best[k]);
    access.store(taps + k * kLength, winner[k]);
  });
}

/// The sum of dy over the positions whose winner is the tap on this pixel.
template <int Packets, class Access, class T>
void collect_gradients(const Access& access, const Patch& patch, const T* dy, const T* winners, T* dx) {
  using P = typename Access::P;
  constexpr Index kLength = Access::kLength;
  P sum[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA { sum[k] = packet::pset1<P>(T(0)); });
  patch.for_each([&](Index where, Index tap) EIGENGRAD_INLINE_LAMBDA {
    const P number = packet::pset1<P>(static_cast<T>(tap));
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P winner = access.load(winners + where + k * kLength);
      const P more = sum[k] + access.load(dy + where + k * kLength);
      sum[k] = winner == number ? more : sum[k];
    });
  });
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA { access.store(dx + k * kLength, sum[k]); });
}

/// Elements that are needed when a row is done, asked for in equal shares while it is computed: windows jump from row
/// to row, which a processor does not foresee.
class ComingRows {
 public:
  /// Elements [first, last) by `steps` calls of share.
  ComingRows(Index first, Index last, Index steps)
      : first_(first),
        last_(last - first > kMost ? first : std::max(first, last)),
        share_(ceil_div(last_ - first_, steps)) {}

  template <class T>
  void prefetch(const T* elements, Index step) const {
    const Index end = std::min(last_, first_ + (step + 1) * share_);
    for (Index i = first_ + step * share_; i < end; i += 64 / static_cast<Index>(sizeof(T)))
      packet::prefetch(elements + i);
  }

 private:
  static constexpr Index kMost = 16 * 1024;  // more would push out what is in use

  Index first_, last_, share_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::max_pool
