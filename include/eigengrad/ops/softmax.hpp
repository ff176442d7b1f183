// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/row_sum.hpp>

// Softmax over the last axis: y_i = exp(x_i) / sum_j exp(x_j).

namespace eigengrad::ops {

/// Softmax of each row. The largest element of a row is subtracted first, so no exponential overflows.
/// Shapes   x, y (..., C)
/// Errors   ShapeError for a scalar
template <class T>
Tensor<T> softmax(Tensor<T> x) {
  check::rank_at_least("softmax", x.shape(), 1);
  if (x.empty()) return x;
  const Index cols = x.shape().cols();
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  parallel_rows(y.shape(), [&](Index begin, Index end) {
    T* out = to + begin * cols;
    for (Index row = begin; row < end; ++row) {
      const ConstRowMap<T> in(from + row * cols, cols);
      RowMap<T>(to + row * cols, cols) = in - in.maxCoeff();
    }
    map_row((end - begin) * cols, out, [](const auto& v) { return kernels::exp(v); }, out);
    for (Index row = begin; row < end; ++row) {
      RowMap<T> y_row(to + row * cols, cols);
      y_row /= static_cast<T>(row_sum(cols, to + row * cols));
    }
  });
  return y;
}

/// dx = (Diag(y) - y y^T) dy = y (dy - <y, dy>) for each row
/// Shapes   dy, y, dx (..., C), y being the result of softmax
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> softmax_backward(Tensor<T> dy, const Tensor<T>& y) {
  check::same_shape("softmax_backward", "gradient of the output", dy.shape(), y.shape());
  const Index cols = y.shape().cols();
  T* to = dy.mutable_data();
  parallel_rows(y.shape(), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      T* d = to + row * cols;
      const T* p = y.data() + row * cols;
      const T sum = static_cast<T>(row_sum<T>(
          cols, [](const auto& a, const auto& b) { return a * b; }, p, d));
      map_row(
          cols, d, [sum](const auto& a, const auto& b) { return a * (b - sum); }, p, d);
    }
  });
  return dy;
}

}  // namespace eigengrad::ops
