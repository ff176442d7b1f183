// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <eigengrad/ops/kernels/strided.hpp>

// Loops over several arrays by as few axes as possible: axes of one element are left out, and neighbours that are one
// axis in every array are joined.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Axes of more than one element, outermost first, and their strides in N arrays.
template <std::size_t N>
struct JoinedAxes {
  using Offsets = std::array<Index, N>;

  Strides sizes{};
  std::array<Strides, N> strides{};
  std::size_t rank = 0;

  /// The next axis inside those that are there.
  void add(Index size, const Offsets& steps) {
    if (size == 1) return;
    bool joined = rank > 0;
    for (std::size_t n = 0; n < N; ++n) joined = joined && strides[n][rank - 1] == size * steps[n];
    if (joined)
      sizes[rank - 1] *= size;
    else
      sizes[rank++] = size;
    for (std::size_t n = 0; n < N; ++n) strides[n][rank - 1] = steps[n];
  }

  /// Takes the innermost axis out and returns its size.
  Index take_last() { return sizes[--rank]; }

  /// The size of the innermost axis; 1 if there is none.
  Index last_size() const { return rank == 0 ? 1 : sizes[rank - 1]; }
  Index last_stride(std::size_t array) const { return rank == 0 ? 1 : strides[array][rank - 1]; }

  Index positions() const {
    Index count = 1;
    for (std::size_t axis = 0; axis < rank; ++axis) count *= sizes[axis];
    return count;
  }

  /// If a position lies in an array.
  Index offset(Index position, std::size_t array = 0) const {
    if (rank == 0) return 0;
    Index result = 0;
    for (std::size_t axis = rank - 1; axis > 0; --axis) {
      result += position % sizes[axis] * strides[array][axis];
      position /= sizes[axis];
    }
    return result + position * strides[array][0];
  }

  /// All axes, or all but the innermost, position by position.
  Walk<N> walk() const { return {sizes.data(), static_cast<int>(rank), strides}; }
  Walk<N> outer_walk() const { return {sizes.data(), static_cast<int>(rank == 0 ? 0 : rank - 1), strides}; }

  /// f(position, offsets, count) for the positions [begin, end), in runs along the innermost axis.
  template <class F>
  void for_runs(Index begin, Index end, const F& f) const {
    const Index length = last_size();
    Index outer = begin / length;
    Index at = begin - outer * length;
    Offsets offsets;
    if (rank <= 2) {  // the usual case, with nothing to carry
      Offsets jumps{};
      for (std::size_t n = 0; n < N; ++n) {
        if (rank == 2) jumps[n] = strides[n][0];
        offsets[n] = outer * jumps[n] + at * last_stride(n);
      }
      for (Index count; begin < end; begin += count, at = 0) {
        count = std::min(length - at, end - begin);
        f(begin, offsets, count);
        for (std::size_t n = 0; n < N; ++n) offsets[n] += jumps[n] - at * last_stride(n);
      }
      return;
    }
    Walk<N> walk = outer_walk();
    walk.seek(outer);
    for (Index count; begin < end; begin += count, at = 0, walk.next()) {
      count = std::min(length - at, end - begin);
      for (std::size_t n = 0; n < N; ++n) offsets[n] = walk.offset(n) + at * last_stride(n);
      f(begin, offsets, count);
    }
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
