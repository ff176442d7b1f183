// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/joined_axes.hpp>
#include <eigengrad/ops/kernels/pack.hpp>

// Copies between arrays by strides: what permuting, slicing, joining and repeating have in common.
//   copy_strided(shape, x, x_strides, y, y_strides);      // y[i] = x[i] for every position i of shape

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Copies a run of elements: a few without the call that memcpy is, many on several threads.
template <class T>
void copy_run(const T* from, Index count, T* to) {
  constexpr Index kFew = 64 / static_cast<Index>(sizeof(T));
  if (count <= kFew) {
    for (Index i = 0; i < count; ++i) to[i] = from[i];
    return;
  }
  parallel_for(count, kElementGrain, [&](Index begin, Index end) {
    std::memcpy(to + begin, from + begin, static_cast<std::size_t>(end - begin) * sizeof(T));
  });
}

/// Fills a run of elements, on several threads where it is long.
template <class T>
void fill_run(T* to, Index count, T value) {
  parallel_for(count, kElementGrain, [&](Index begin, Index end) { std::fill(to + begin, to + end, value); });
}

/// Copies `rows` runs of elements that stand at equal distances.
template <class T>
void copy_runs(Index rows, Index count, const T* from, Index from_stride, T* to, Index to_stride) {
  if (rows == 1 || (count == from_stride && count == to_stride)) return copy_run(from, rows * count, to);
  parallel_for(rows, row_grain(count), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) copy_run(from + row * from_stride, count, to + row * to_stride);
  });
}

/// Lines that are transposed at a time: one cache line of the target.
template <class T>
inline constexpr int kLines = std::max<int>(64 / static_cast<int>(sizeof(T)), 1);
/// The most elements of each of them.
inline constexpr Index kLongBand = 256;

/// to[i * to_stride + j] = from[j * from_stride + i] for i < rows, at most kLongBand, and j < cols. Blocks are read
/// line by line and written line by line, so that no cache line is met twice, however they collide in the cache.
template <class T>
void transpose_lines(const T* from, Index from_stride, Index rows, Index cols, T* to, Index to_stride) {
  constexpr int Lines = kLines<T>;
  for (Index first = 0; first < cols; first += Lines, from += Lines * from_stride, to += Lines) {
    const Index count = std::min<Index>(Lines, cols - first);
    if constexpr (std::is_floating_point_v<T>) {
      if (count == Lines && rows >= detail::kLanes<T>) {
        alignas(64) std::array<T, detail::array_size(kLongBand * Lines)> block;
        std::array<const T*, detail::array_size(Lines)> lines;
        for (Index j = 0; j < Lines; ++j) lines[static_cast<std::size_t>(j)] = from + j * from_stride;
        detail::pack_lines<T>(lines.data(), Lines, Lines, rows, block.data());
        for (Index i = 0; i < rows; ++i) std::memcpy(to + i * to_stride, block.data() + i * Lines, Lines * sizeof(T));
        continue;
      }
    }
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < count; ++j) to[i * to_stride + j] = from[j * from_stride + i];
    }
  }
}

/// A copy whose source is contiguous along the axis `contiguous` and whose target is along the last.
template <class T>
void copy_transposed(const JoinedAxes<2>& axes, std::size_t contiguous, const T* from, T* to) {
  const std::size_t last = axes.rank - 1;
  const Index rows = axes.sizes[contiguous], to_stride = axes.strides[1][contiguous];
  const Index cols = axes.sizes[last], from_stride = axes.strides[0][last];
  JoinedAxes<2> others;
  for (std::size_t axis = 0; axis < last; ++axis) {
    if (axis != contiguous) others.add(axes.sizes[axis], {axes.strides[0][axis], axes.strides[1][axis]});
  }
  // Lines that lie on pages of their own are read further at a time: each costs the processor an address to look up.
  constexpr Index kPage = 4096 / static_cast<Index>(sizeof(T));
  const Index height = from_stride >= kPage ? kLongBand : kLongBand / 4;
  const Index bands = ceil_div(rows, height);
  parallel_for(others.positions() * bands, row_grain(height * cols), [&](Index begin, Index end) {
    Walk<2> walk = others.walk();
    walk.seek(begin / bands);
    for (Index band = begin % bands; begin < end; ++begin) {
      const Index row = band * height;
      transpose_lines(from + walk.offset(0) + row, from_stride, std::min(height, rows - row), cols,
                      to + walk.offset(1) + row * to_stride, to_stride);
      if (++band == bands) {
        band = 0;
        walk.next();
      }
    }
  });
}

/// to[i] = from[i] for every position i of a shape. The arrays do not overlap; strides of `from` may be 0.
template <class T>
void copy_strided(const Shape& shape, const T* from, const Strides& from_strides, T* to, const Strides& to_strides) {
  if (shape.numel() == 0) return;
  JoinedAxes<2> axes;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(shape.rank()); ++axis)
    axes.add(shape.begin()[axis], {from_strides[axis], to_strides[axis]});
  if (axes.rank == 0) {
    *to = *from;
    return;
  }
  const Index count = axes.last_size(), from_step = axes.last_stride(0), to_step = axes.last_stride(1);
  if (from_step == 1 && to_step == 1 && axes.rank == 1) return detail::copy_run(from, count, to);
  if (from_step > 1 && to_step == 1) {
    for (std::size_t axis = 0; axis + 1 < axes.rank; ++axis) {
      if (axes.strides[0][axis] == 1) return detail::copy_transposed(axes, axis, from, to);
    }
  }
  parallel_for(axes.positions() / count, row_grain(count), [&](Index begin, Index end) {
    Walk<2> walk = axes.outer_walk();
    for (walk.seek(begin); begin < end; ++begin, walk.next()) {
      const T* source = from + walk.offset(0);
      T* target = to + walk.offset(1);
      if (to_step == 1 && from_step == 1) {
        detail::copy_run(source, count, target);
      } else if (to_step == 1 && from_step == 0) {
        std::fill_n(target, count, *source);
      } else {
        for (Index i = 0; i < count; ++i) target[i * to_step] = source[i * from_step];
      }
    }
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
