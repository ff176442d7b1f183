// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/elementwise.hpp>
#include <eigengrad/ops/kernels/pack.hpp>

// The product of a matrix and a vector, y = a x. Every element of a is used once, so nothing is packed: the matrix is
// read in the order in which it stands in memory.

namespace eigengrad::ops::kernels {

/// y = a x for a matrix with contiguous rows or columns; x and y are contiguous and do not overlap.
template <class T>
void gemv(View<const T> a, const T* x, T* y) {
  const Index steps = a.cols;
  if (a.col_stride == 1) {
    parallel_for(a.rows, row_grain(steps), [&](Index begin, Index end) {
      const ConstRowMap<T> vector(x, steps);
      for (Index i = begin; i < end; ++i) y[i] = (ConstRowMap<T>(a.data + i * a.row_stride, steps) * vector).sum();
    });
    return;
  }
  // A run of y stays in the first-level cache while the columns are added to it, four at a time.
  const Index grain = std::clamp<Index>(4 * row_grain(steps), 256, 2048);
  parallel_for(a.rows, grain, [&](Index begin, Index end) {
    const Index count = end - begin;
    RowMap<T> sum(y + begin, count);
    const auto column = [&](Index p) { return ConstRowMap<T>(a.data + begin + p * a.col_stride, count); };
    sum.setZero();
    Index p = 0;
    for (; p + 4 <= steps; p += 4)
      sum += (column(p) * x[p] + column(p + 1) * x[p + 1]) + (column(p + 2) * x[p + 2] + column(p + 3) * x[p + 3]);
    for (; p < steps; ++p) sum += column(p) * x[p];
  });
}

}  // namespace eigengrad::ops::kernels
