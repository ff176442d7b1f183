// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/kernels/gemm.hpp>

// Many small matrix products of one size, each computed by one thread: both operands are packed whole, into
// memory that the caller has taken before its parallel loop.
//   const SmallGemm<T> product(rows, steps, cols);
//   const Scratch<T> scratch(product.scratch());
//   product(a, b, c, scratch_of_this_thread);

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// What writing a tile against the grain of c leaves of its speed.
inline constexpr double kAgainstTheGrain = 0.95;

/// The share of useful lanes when packets run along `lines` lines.
template <class T>
double filled(Index lines) {
  return static_cast<double>(lines) / static_cast<double>(round_up(lines, kLanes<T>));
}

template <class T>
class SmallGemm {
 public:
  SmallGemm(Index rows, Index steps, Index cols)
      : depths_(EvenSplit::of_at_most(steps, kDepth)),
        by_cols_(detail::filled<T>(cols) >= detail::filled<T>(rows) * detail::kAgainstTheGrain),
        rows_(by_cols_ ? rows : cols),
        cols_(by_cols_ ? cols : rows),
        padded_cols_(round_up(cols_, kLanes<T>)),
        row_panels_(rows_, kTileRows) {}

  /// Elements of scratch that a product needs, a whole number of packets.
  Index scratch() const { return row_elements() + col_elements() + rows_ * padded_cols_; }

  /// True if the operands of one product fit into a thread's cache.
  bool fits() const { return (rows_ + padded_cols_) * depths_.longest() <= 2 * kBlockElements; }

  /// c = a b for views of the sizes given before; scratch lies on a boundary of packets.
  void operator()(View<const T> a, View<const T> b, View<T> c, T* scratch) const {
    if (by_cols_)
      multiply(a, b.transposed(), c, scratch);
    else
      multiply(b.transposed(), a, c.transposed(), scratch);
  }

 private:
  Index row_elements() const { return round_up(rows_ * depths_.longest(), kLanes<T>); }
  Index col_elements() const { return round_up(cols_, kTileCols<T>) * depths_.longest(); }

  /// c = a b^T. Sums whose rows are whole packets go straight to their place.
  void multiply(View<const T> a, View<const T> b, View<T> c, T* packed_rows) const {
    T* packed_cols = packed_rows + row_elements();
    T* sums = packed_cols + col_elements();
    const bool direct = c.col_stride == 1 && cols_ == padded_cols_;
    T* target = direct ? c.data : sums;
    const Index stride = direct ? c.row_stride : padded_cols_;
    for (Index block = 0; block < depths_.count; ++block) {
      pack(a, b, block, packed_rows, packed_cols);
      const Index depth = depths_.length(block);
      for (Index j = 0; j < cols_; j += kTileCols<T>) {
        const std::size_t packets = cols_ - j > kLanes<T> ? 2 : 1;
        for (Index i = 0; i < row_panels_.count; ++i) {
          const Index row = row_panels_.begin(i);
          kMultiplyTile<T>[packets - 1][static_cast<std::size_t>(row_panels_.length(i) - 1)](
              depth, packed_rows + row * depth, /*a_jump=*/0, packed_cols + j * depth, target + row * stride + j,
              stride, block > 0);
        }
      }
    }
    if (direct) return;
    for (Index i = 0; i < rows_; ++i) {
      const T* sum = sums + i * padded_cols_;
      T* row = c.data + i * c.row_stride;
      if (c.col_stride == 1) {
        std::copy_n(sum, cols_, row);
      } else {
        for (Index j = 0; j < cols_; ++j) row[j * c.col_stride] = sum[j];
      }
    }
  }

  /// Both operands over one block of the summed axis.
  void pack(const View<const T>& a, const View<const T>& b, Index block, T* packed_rows, T* packed_cols) const {
    const Index first = depths_.begin(block);
    const Index depth = depths_.length(block);
    for (Index i = 0; i < row_panels_.count; ++i) {
      const Index height = row_panels_.length(i);
      OperandRef<T>(a).pack_rows(row_panels_.begin(i), height, first, depth,
                                 packed_rows + row_panels_.begin(i) * depth);
    }
    for (Index j = 0; j < cols_; j += kTileCols<T>) {
      const Index width = std::min<Index>(kTileCols<T>, cols_ - j);
      OperandRef<T>(b).pack_cols(j, width, first, depth, packed_cols + j * depth);
    }
  }

  EvenSplit depths_;
  bool by_cols_;  // packets run along the columns of c; else everything is transposed
  Index rows_;
  Index cols_;
  Index padded_cols_;
  TileSplit row_panels_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
