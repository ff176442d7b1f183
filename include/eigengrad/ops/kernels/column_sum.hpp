// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <eigengrad/ops/kernels/elementwise.hpp>

// Sums of many short rows, as the pixels under a window are: each column by itself, runs of rows added up in T and the
// runs in double.
//   ColumnSum<T> sum(to, width);
//   for (...) sum.add(ConstRowMap<T>(row, width));
//   sum.divide(count);                          // to = sum / count

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Rows that are added up in their own type.
inline constexpr Index kColumnRun = 64;

template <class T>
class ColumnSum {
 public:
  /// The largest width.
  static constexpr Index kMost = 256;

  ColumnSum(T* to, Index width) : run_(to, width), total_(total_memory_.data(), width) { run_.setZero(); }
  ColumnSum(const ColumnSum&) = delete;
  ColumnSum& operator=(const ColumnSum&) = delete;
  ~ColumnSum() = default;

  /// Adds a row, an array expression.
  template <class V>
  void add(const V& row) {
    if (rows_ == kColumnRun) {
      if (runs_ == 0) total_.setZero();
      total_ += run_.template cast<double>();
      run_.setZero();
      ++runs_;
      rows_ = 0;
    }
    run_ += row;
    ++rows_;
  }

  /// Writes the sum, divided.
  void divide(Index count) {
    if (runs_ == 0)
      run_ /= static_cast<T>(count);
    else
      run_ = ((total_ + run_.template cast<double>()) / static_cast<double>(count)).template cast<T>();
  }

 private:
  RowMap<T> run_;  // where the sum is to be written
  std::array<double, static_cast<std::size_t>(kMost)> total_memory_;
  RowMap<double> total_;
  Index rows_ = 0;  // in this run
  Index runs_ = 0;  // before it
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
