// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/kernels/elementwise.hpp>

// Sums over the rows of a matrix, by several threads and yet in one order: each run of rows adds up its own
// part, and the parts are added from first to last.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Rows in one run of a reduction: few enough that a sum in float keeps its digits, enough that the parts of all runs
/// are small beside the matrix.
inline Index reduction_grain(Index cols) { return std::clamp<Index>(row_grain(cols), 32, 256); }

/// The sum of the parts, from first to last.
/// Shapes   parts (runs, width), result (width)
template <class T>
EIGENGRAD_CALLED Tensor<T> sum_of_parts(Tensor<T> parts) {
  const Index runs = parts.size(0);
  const Index width = parts.size(1);
  if (runs == 1) return std::move(parts).reshape({width});
  using Total = std::conditional_t<std::floating_point<T>, double, T>;
  Tensor<Total> sums = Tensor<Total>::zeros({width});
  Total* to = sums.mutable_data();
  for (Index run = 0; run < runs; ++run) {
    const T* part = parts.data() + run * width;
    for (Index i = 0; i < width; ++i) to[i] += static_cast<Total>(part[i]);
  }
  return sums.template cast<T>();
}

/// The sum of what body(begin, end, sums) adds to `width` zeros, over the runs of rows [begin, end) of a matrix
/// with `cols` columns.
/// Shapes   result (width)
/// Memory   width numbers for each run
template <class T, class F>
Tensor<T> reduce_rows(Index rows, Index cols, Index width, const F& body) {
  if (rows == 0 || cols == 0) return Tensor<T>::zeros({width});
  const Index grain = reduction_grain(cols);
  const Index runs = ceil_div(rows, grain);
  Tensor<T> parts = Tensor<T>::zeros({runs, width});
  T* data = parts.mutable_data();
  parallel_for(rows, grain, [&](Index begin, Index end) { body(begin, end, data + begin / grain * width); });
  return detail::sum_of_parts(std::move(parts));
}

/// The sum of all rows: the gradient of what is added to each of them, a bias.
/// Shapes   x (..., C), result (C)
template <class T>
Tensor<SumOf<T>> sum_rows(const Tensor<T>& x) {
  using Result = SumOf<T>;
  const Index cols = x.shape().cols();
  return reduce_rows<Result>(x.shape().rows(), cols, cols, [&](Index begin, Index end, Result* sums) {
    RowMap<Result> sum(sums, cols);
    for (Index row = begin; row < end; ++row) {
      sum += ConstRowMap<T>(x.data() + row * cols, cols).template cast<Result>();
    }
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
