// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/elementwise.hpp>

// Sums of numbers in a row, however many: runs are added up in T, the runs in double.
//   const double squares = row_sum<T>(count, [](const auto& v) { return v.square(); }, x);

namespace eigengrad::ops {

/// Elements that are added up in their own type.
inline constexpr Index kRowRun = 1024;

namespace detail {

/// The sum of f(from[i], ...) over whole blocks, four of which are added up side by side.
template <class T, class F, class... From>
EIGENGRAD_NOINLINE T sum_blocks(Index count, F f, const From*... from) {
  constexpr Index kSide = 4;
  Eigen::Array<T, static_cast<int>(kBlock<T>), 1> sum[kSide];
  for (auto& part : sum) part.setZero();
  Index i = 0;
  for (; i + kSide * kBlock<T> <= count; i += kSide * kBlock<T>) {
    kernels::unroll<kSide>([&](auto k)
                               EIGENGRAD_INLINE_LAMBDA { sum[k] += f(ConstBlock<From>(from + i + k * kBlock<T>)...); });
  }
  for (; i < count; i += kBlock<T>) sum[0] += f(ConstBlock<From>(from + i)...);
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])).sum();
}

}  // namespace detail

/// The sum of f(from[i], ...) over `count` elements, on the calling thread; f takes and returns Eigen array expressions
/// of blocks and is copied. The order depends on the count alone, not on where a row begins: equal rows have equal sums.
template <class T, class F, class... From>
requires(sizeof...(From) > 0) double row_sum(Index count, const F& f, const From*... from) {
  double total = 0.0;
  const Index whole = count / kBlock<T> * kBlock<T>;
  for (Index i = 0; i < whole; i += kRowRun) {
    total += static_cast<double>(detail::sum_blocks<T>(std::min(kRowRun, whole - i), f, (from + i)...));
  }
  if (whole == count) return total;
  detail::PaddedBlock<T> last;
  detail::map_blocks(kBlock<T>, last.elements.data(), f,
                     detail::PaddedBlock<From>(from + whole, count - whole).elements.data()...);
  std::fill(last.elements.begin() + (count - whole), last.elements.end(), T(0));  // f of 0 need not be 0
  return total + static_cast<double>(Block<T>(last.elements.data()).sum());
}
/// The sum of the elements themselves.
template <class T>
double row_sum(Index count, const T* from) {
  const Index whole = count / kBlock<T> * kBlock<T>;
  double total = 0.0;
  if (whole > 0)
    total = row_sum<T>(
        whole, [](const auto& v) { return v; }, from);
  if (whole == count) return total;
  const detail::PaddedBlock<T> last(from + whole, count - whole);  // filled up with zeros
  return total + static_cast<double>(ConstBlock<T>(last.elements.data()).sum());
}

}  // namespace eigengrad::ops
