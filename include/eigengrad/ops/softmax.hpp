// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/row_sum.hpp>

// Softmax over the last axis: y_i = exp(x_i) / sum_j exp(x_j).

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Softmax of each row. The largest element of a row is subtracted first, so no exponential overflows.
/// Shapes   x, y (..., C)
/// Errors   ShapeError for a scalar
template <class T>
Tensor<T> softmax(Tensor<T> x) {
  detail::check::rank_at_least("softmax", x.shape(), 1);
  if (x.empty()) return x;
  const Index cols = x.shape().cols();
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  detail::parallel_rows(y.shape(), [&](Index begin, Index end) {
    T* out = to + begin * cols;
    for (Index row = begin; row < end; ++row) {
      const detail::ConstRowMap<T> in(from + row * cols, cols);
      detail::RowMap<T>(to + row * cols, cols) = in - in.maxCoeff();
    }
    detail::map_row((end - begin) * cols, out, [](const auto& v) { return detail::exp(v); }, out);
    for (Index row = begin; row < end; ++row) {
      detail::RowMap<T> y_row(to + row * cols, cols);
      y_row /= static_cast<T>(detail::row_sum(cols, to + row * cols));
    }
  });
  return y;
}

/// dx = (Diag(y) - y y^T) dy = y (dy - <y, dy>) for each row
/// Shapes   dy, y, dx (..., C), y being the result of softmax
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> softmax_backward(Tensor<T> dy, const Tensor<T>& y) {
  detail::check::same_shape("softmax_backward", "gradient of the output", dy.shape(), y.shape());
  const Index cols = y.shape().cols();
  T* to = dy.mutable_data();
  detail::parallel_rows(y.shape(), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      T* d = to + row * cols;
      const T* p = y.data() + row * cols;
      const T sum = static_cast<T>(detail::row_sum<T>(
          cols, [](const auto& a, const auto& b) { return a * b; }, p, d));
      detail::map_row(
          cols, d, [sum](const auto& a, const auto& b) { return a * (b - sum); }, p, d);
    }
  });
  return dy;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
