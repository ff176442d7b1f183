// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <utility>

#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/pack.hpp>
#include <eigengrad/ops/kernels/tile.hpp>

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// An operand of any type (pack.hpp), behind a table of its functions: the product that asks it for panels is compiled
/// once for a number type and not for every pair of operands. It refers to the operand and must not outlive it.
template <class T>
class OperandRef {
 public:
  template <class Operand>
  explicit OperandRef(const Operand& operand) : operand_(&operand), table_(&kTable<Operand>) {
    if constexpr (requires { operand.lines_are_contiguous(); }) copies_lines_ = operand.lines_are_contiguous();
  }

  /// True if lines become rows of a tile as they are, by copy_lines.
  bool copies_lines() const { return copies_lines_; }

  /// `valid` lines, and zeros up to `width` of them, side by side at each step.
  void pack(Index line, Index valid, Index width, Index step, Index depth, T* target) const {
    table_->pack(operand_, line, valid, width, step, depth, target);
  }
  /// `count` lines as rows of a tile, up to kTileRows.
  void pack_rows(Index line, Index count, Index step, Index depth, T* target) const {
    pack(line, count, count, step, depth, target);
  }
  /// `count` lines as rows of a tile that lie one after another, in chunks.
  void copy_lines(Index line, Index count, Index step, Index depth, T* target) const {
    table_->lines(operand_, line, count, step, depth, target);
  }
  /// `count` lines as columns of a tile, up to kTileCols.
  void pack_cols(Index line, Index count, Index step, Index depth, T* target) const {
    pack(line, count, kTileCols<T>, step, depth, target);
  }

 private:
  using Lines = void (*)(const void*, Index, Index, Index, Index, T*);
  struct Table {
    void (*pack)(const void*, Index, Index, Index, Index, Index, T*);
    Lines lines;  // null for an operand that has none
  };

  template <class Operand>
  static constexpr Lines lines_of() {
    if constexpr (requires(const Operand& operand) { operand.lines_are_contiguous(); }) {
      return [](const void* operand, Index line, Index count, Index step, Index depth, T* target) {
        static_cast<const Operand*>(operand)->copy_lines(line, count, step, depth, target);
      };
    } else {
      return nullptr;
    }
  }
  template <class Operand>
  static constexpr Table kTable{
      [](const void* operand, Index line, Index valid, Index width, Index step, Index depth, T* target) {
        static_cast<const Operand*>(operand)->pack(line, valid, width, step, depth, target);
      },
      lines_of<Operand>()};

  const void* operand_;
  const Table* table_;
  bool copies_lines_ = false;
};

/// If a product goes: a View, or something of its sizes and strides that writes parts of it elsewhere. It refers to
/// that and must not outlive it.
template <class T>
class ResultRef {
 public:
  /// Sums of some rows and columns, row by row.
  using Sums = Eigen::Map<const Matrix<T>, 0, Eigen::OuterStride<>>;

  ResultRef(const View<T>& view) : view_(view) {}  // NOLINT(google-explicit-constructor): a View is one
  template <class Result>
  explicit ResultRef(const Result& result)
      : view_{result.data, result.rows, result.cols, result.row_stride, result.col_stride},
        result_(&result),
        write_([](const void* target, const Sums& sums, Index row, Index col, bool add) {
          static_cast<const Result*>(target)->write(sums, row, col, add);
        }) {}

  /// Its sizes; its elements only if in_memory().
  const View<T>& view() const { return view_; }
  /// True if tiles may be written to it as they are.
  bool in_memory() const { return write_ == nullptr; }

  /// The part from (row, col) on becomes the sums, or is increased by them with add.
  void write(const Sums& sums, Index row, Index col, bool add) const {
    if (!in_memory()) return write_(result_, sums, row, col, add);
    using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    Eigen::Map<Matrix<T>, 0, Stride> to(view_.data + row * view_.row_stride + col * view_.col_stride, sums.rows(),
                                        sums.cols(), Stride(view_.row_stride, view_.col_stride));
    if (add)
      to += sums;
    else
      to = sums;
  }

 private:
  View<T> view_;
  const void* result_ = nullptr;
  void (*write_)(const void*, const Sums&, Index, Index, bool) = nullptr;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
