// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/kernels/pack.hpp>
#include <eigengrad/ops/kernels/row_sum.hpp>

// The product of a matrix and a vector, y = a x. Every element of a is used once, so nothing is packed: the matrix is
// read in the order in which it stands in memory.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// y = a x for a matrix with contiguous rows or columns; x and y are contiguous and do not overlap.
template <class T>
void gemv(View<const T> a, const T* x, T* y) {
  const Index steps = a.cols;
  if (a.col_stride == 1) {
    parallel_for(a.rows, row_grain(steps), [&](Index begin, Index end) {
      const auto product = [](const auto& v, const auto& w) { return v * w; };
      for (Index i = begin; i < end; ++i) {
        y[i] = static_cast<T>(row_sum<T>(steps, product, a.data + i * a.row_stride, x));
      }
    });
    return;
  }
  // A run of y stays in the first-level cache while the columns are added to it, four at a time.
  // After a run of columns it goes on to a sum in double.
  const Index grain = std::clamp<Index>(4 * row_grain(steps), 256, 2048);
  constexpr Index kRun = 256;
  Tensor<double> totals;
  if (steps > kRun) totals = Tensor<double>::zeros({a.rows});
  double* total = totals.mutable_data();
  parallel_for(a.rows, grain, [&](Index begin, Index end) {
    const Index count = end - begin;
    T* sum = y + begin;
    const auto column = [&](Index p) -> const T* { return a.data + begin + p * a.col_stride; };
    const auto add_run = [&](Index p, Index last) {
      std::fill_n(sum, count, T(0));
      for (; p + 4 <= last; p += 4) {
        const auto add = [x0 = x[p], x1 = x[p + 1], x2 = x[p + 2], x3 = x[p + 3]](
                             const auto& s, const auto& a0, const auto& a1, const auto& a2, const auto& a3) {
          return s + ((a0 * x0 + a1 * x1) + (a2 * x2 + a3 * x3));
        };
        map_row<T>(count, sum, add, sum, column(p), column(p + 1), column(p + 2), column(p + 3));
      }
      for (; p < last; ++p) {
        map_row<T>(
            count, sum, [x0 = x[p]](const auto& s, const auto& a0) { return s + a0 * x0; }, sum, column(p));
      }
    };
    for (Index p = 0; p < steps || p == 0; p += kRun) {
      add_run(p, std::min(p + kRun, steps));
      if (steps > kRun) RowMap<double>(total + begin, count) += ConstRowMap<T>(sum, count).template cast<double>();
    }
    if (steps > kRun) RowMap<T>(sum, count) = RowMap<double>(total + begin, count).template cast<T>();
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
