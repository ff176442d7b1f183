// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/inlining.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>

// Sums of numbers in a row, however many: runs are added up in T, the runs in double.
//   const double squares = row_sum<T>(count, [](const auto& v) { return v.square(); }, x);

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Elements that are added up in their own type.
inline constexpr Index kRowRun = 1024;

/// f(from[i], ...) of the elements of one block, or of fewer and then zeros.
template <class T, class F, class... From>
EIGEN_ALWAYS_INLINE PaddedBlock<T> last_block(Index count, const F& f, const From*... from) {
  PaddedBlock<T> values;
  Block<T>(values.elements.data()) = f(ConstBlock<From>(PaddedBlock<From>(from, count).elements.data())...);
  detail::clear_rest(count, values.elements.data());  // f of 0 need not be 0
  return values;
}

/// The sum of f(from[i], ...) in T. Four blocks are added up side by side, in registers; the last one is filled up.
template <class T, class F, class... From>
EIGEN_ALWAYS_INLINE T sum_run(Index count, const F& f, const From*... from) {
  using Vector = detail::Vector<T>;
  constexpr int kSide = 4;
  constexpr int kVectors = static_cast<int>(kBlock<T>) / detail::kLanes<T>;
  Vector sum[detail::array_size(kSide * kVectors)];
  EIGENGRAD_UNROLL
  for (int k = 0; k < kSide * kVectors; ++k) sum[k] = Vector(0.0);
  const auto add = [&](int side, const T* values) EIGENGRAD_INLINE_LAMBDA {
    EIGENGRAD_UNROLL
    for (int k = 0; k < kVectors; ++k) {
      const int at = side * kVectors + k;
      sum[at] = sum[at] + Vector::load(values + k * detail::kLanes<T>);
    }
  };
  const auto add_block = [&](int side, Index i) EIGENGRAD_INLINE_LAMBDA {
    PaddedBlock<T> values;
    Block<T>(values.elements.data()) = f(ConstBlock<From>(from + i)...);
    add(side, values.elements.data());
  };
  Index i = 0;
  for (; i + kSide * kBlock<T> <= count; i += kSide * kBlock<T>) {
    EIGENGRAD_UNROLL
    for (int side = 0; side < kSide; ++side) add_block(side, i + side * kBlock<T>);
  }
  for (; i + kBlock<T> <= count; i += kBlock<T>) add_block(0, i);
  if (i < count) add(0, last_block<T>(count - i, f, (from + i)...).elements.data());
  EIGENGRAD_UNROLL
  for (int k = 0; k < kSide * kVectors - 1; ++k) sum[0] = sum[0] + sum[k + 1];
  return sum[0].sum();
}

/// The sum of a row in runs.
template <class T, class F, class... From>
EIGENGRAD_NOINLINE double sum_runs(Index count, F f, const From*... from) {
  double total = 0.0;
  for (Index i = 0; i < count; i += kRowRun) {
    total += static_cast<double>(sum_run<T>(std::min(kRowRun, count - i), f, (from + i)...));
  }
  return total;
}

/// The sum of f(from[i], ...) over `count` elements, on the calling thread; f takes and returns Eigen array expressions
/// of blocks and is copied. The order depends on the count alone, not on where a row begins: equal rows have equal
/// sums.
template <class T, class F, class... From>
requires(sizeof...(From) > 0) EIGEN_ALWAYS_INLINE double row_sum(Index count, const F& f, const From*... from) {
  if (count > kBlock<T>) return detail::sum_runs<T>(count, f, from...);
  return static_cast<double>(ConstBlock<T>(detail::last_block<T>(count, f, from...).elements.data()).sum());
}
/// The sum of the elements themselves.
template <class T>
double row_sum(Index count, const T* from) {
  return row_sum<T>(
      count, [](const auto& v) { return v; }, from);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
