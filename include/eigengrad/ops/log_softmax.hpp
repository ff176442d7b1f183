// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>
#include <utility>

#include <eigengrad/ops/kernels/row_sum.hpp>
#include <eigengrad/ops/reduce.hpp>

// Logarithm of softmax over the last axis: y_i = x_i - log sum_j exp(x_j).

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Log-softmax of each row. The largest element of a row is subtracted first, so no exponential overflows and no
/// logarithm meets 0.
/// Shapes   x, y (..., C)
/// Memory   none if x is the only holder of its elements, else one tensor
/// Errors   ShapeError for a scalar
template <std::floating_point T>
Tensor<T> log_softmax(Tensor<T> x) {
  detail::check::rank_at_least("log_softmax", x.shape(), 1);
  if (x.empty()) return x;
  const Index cols = x.shape().cols();
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  detail::parallel_rows(y.shape(), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const detail::ConstRowMap<T> in(from + row * cols, cols);
      detail::RowMap<T> out(to + row * cols, cols);
      out = in - in.maxCoeff();
      out -= static_cast<T>(std::log(detail::row_sum<T>(
          cols, [](const auto& v) { return detail::exp(v); }, to + row * cols)));
    }
  });
  return y;
}

/// dx = dy - exp(y) sum_j dy_j for each row
/// Shapes   dy, y, dx (..., C), y being the result of log_softmax
template <class X>
X log_softmax_backward(const X& dy, const X& y) {
  return sub(dy, mul(exp(y), sum(dy, -1, true)));
}
/// The same in one pass.
template <class T>
Tensor<T> log_softmax_backward(Tensor<T> dy, const Tensor<T>& y) {
  detail::check::same_shape("log_softmax_backward", "gradient of the output", dy.shape(), y.shape());
  const Index cols = y.shape().cols();
  T* to = dy.mutable_data();
  detail::parallel_rows(y.shape(), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      T* d = to + row * cols;
      const T sum = static_cast<T>(detail::row_sum(cols, d));
      detail::map_row(
          cols, d, [sum](const auto& a, const auto& v) { return a - detail::exp(v) * sum; }, d, y.data() + row * cols);
    }
  });
  return dy;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
