// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/operand.hpp>
#include <eigengrad/ops/kernels/tile_split.hpp>

// The product c = a b^T for a c of few rows, as in inference on few samples: b is then read once and packing it would
// take longer than the product. Its lines are multiplied where they stand, packets along the summed axis.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// With more rows than this, or more elements of a than a second-level cache holds, packing b pays.
inline constexpr Index kFewRows = 32;
inline constexpr Index kFewRowsElements = 160 * 1024;
/// Products of fewer multiply-adds than this, which take less than two microseconds, run on one thread: another one
/// does not make up for the time that it takes to tell it.
inline constexpr Index kFewRowsSerialWork = Index{1} << 15;
/// So many elements ahead a line of b is asked of memory: the processor by itself follows four lines too late.
inline constexpr Index kPrefetch = 512;
/// Rows and columns of a tile: their packets of sums and one operand's fill the registers.
inline constexpr int kDotRows = kRegisters >= 32 ? 6 : 3;
inline constexpr int kDotCols = kRegisters >= 32 ? 4 : 3;

/// Steps that are summed up in T before the sums go on in double.
template <class T>
inline constexpr Index kDotRun = 256 * kLanes<T>;

/// Rows x Cols dot products over `steps`; the rows of a are padded with zeros to whole packets. The result comes as
/// numbers: the processor would wait for a View that is written to the stack as vectors and read as numbers.
template <class T, int Rows, int Cols>
void dot_tile(Index steps, const T* a, Index a_stride, const T* b, Index b_stride, bool add, T* c, Index row_stride,
              Index col_stride) {
  double total[array_size(Rows)][array_size(Cols)] = {};  // of all runs
  for (Index p = 0; p < steps;) {
    const Index end = std::min(p + kDotRun<T>, steps);
    Vector<T> sum[array_size(Rows)][array_size(Cols)];
    EIGENGRAD_UNROLL
    for (int i = 0; i < Rows; ++i) {
      EIGENGRAD_UNROLL
      for (int j = 0; j < Cols; ++j) sum[i][j] = Vector<T>(0);
    }
    for (; p < end; p += kLanes<T>) {
      const bool whole = end - p >= kLanes<T>;
      Vector<T> line[array_size(Cols)];
      EIGENGRAD_UNROLL
      for (int j = 0; j < Cols; ++j) {
        const T* from = b + j * b_stride + p;
        line[j] = whole ? Vector<T>::load(from) : Vector<T>::load(from, end - p);
        __builtin_prefetch(from + kPrefetch);
      }
      EIGENGRAD_UNROLL
      for (int i = 0; i < Rows; ++i) {
        const auto row = Vector<T>::load(a + i * a_stride + p);
        EIGENGRAD_UNROLL
        for (int j = 0; j < Cols; ++j) sum[i][j] = Vector<T>::multiply_add(row, line[j], sum[i][j]);
      }
    }
    p = end;
    EIGENGRAD_UNROLL
    for (int i = 0; i < Rows; ++i) {
      EIGENGRAD_UNROLL
      for (int j = 0; j < Cols; ++j) total[i][j] += static_cast<double>(sum[i][j].sum());
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int j = 0; j < Cols; ++j) {
      T& place = c[i * row_stride + j * col_stride];
      place = static_cast<T>(total[i][j]) + (add ? place : T(0));
    }
  }
}

template <class T>
using DotTile = void (*)(Index, const T*, Index, const T*, Index, bool, T*, Index, Index);

/// dot_tile for the rows that tiles have, up to kDotRows, from one less, with kDotCols columns or with one.
template <class T, int Cols>
inline constexpr auto kDotTile = tile_table<DotTile<T>, kDotRows>([]<int Rows>() { return dot_tile<T, Rows, Cols>; });

/// True if multiply_few_rows is the way to compute c = a b^T.
template <class T>
bool has_few_rows(const View<T>& b, Index steps, Index rows) {
  return b.col_stride == 1 && steps >= 2 * kLanes<std::remove_const_t<T>> && rows <= kFewRows &&
         rows * steps <= kFewRowsElements;
}

/// c = a b^T, or c += a b^T with add, for any operand a and a view b whose lines are contiguous.
template <class T>
void multiply_few_rows(const OperandRef<T>& a, const View<const T>& b, Index steps, const View<T>& c, bool add) {
  // Divided, not multiplied, as c may have any number of columns.
  const bool serial = c.cols <= (kFewRowsSerialWork - 1) / (c.rows * steps);
  const Index stride = round_up(steps, kLanes<T>);
  Tensor<T> lines({c.rows, stride});
  T* packed = lines.mutable_data();
  parallel_for(c.rows, serial ? c.rows : 4, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      a.pack_rows(i, 1, 0, steps, packed + i * stride);
      std::fill(packed + i * stride + steps, packed + (i + 1) * stride, T(0));
    }
  });
  const TileSplit rows(c.rows, kDotRows);
  constexpr Index kLines = 4 * kDotCols;
  parallel_for(c.cols, serial ? c.cols : kLines, [&](Index begin, Index end) {
    for (Index j = begin; j < end;) {
      const bool whole = j + kDotCols <= end;
      const Index cols = whole ? kDotCols : 1;
      const auto& tiles = whole ? detail::kDotTile<T, kDotCols> : detail::kDotTile<T, 1>;
      for (Index r = 0; r < rows.count; ++r) {
        const Index i = rows.begin(r);
        tiles[static_cast<std::size_t>(rows.length(r) - 1)](
            steps, packed + i * stride, stride, b.data + j * b.row_stride, b.row_stride, add,
            c.data + i * c.row_stride + j * c.col_stride, c.row_stride, c.col_stride);
      }
      j += cols;
    }
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
