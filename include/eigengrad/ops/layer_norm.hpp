// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/reduce_rows.hpp>
#include <eigengrad/ops/kernels/row_sum.hpp>

// Layer normalisation: each row, the last axis of x, is moved and scaled to mean 0 and variance 1; then y = w n + b.
//   auto [y, normalized, inv_std] = layer_norm(x, weight, bias, 1e-5, /*remember=*/true);

namespace eigengrad::EIGENGRAD_ISA::ops {

/// y, and what its backward starts from.
template <class T>
struct LayerNormResult {
  Tensor<T> y;
  Tensor<T> normalized;  ///< n = (x - mean) inv_std; empty where it need not be remembered
  Tensor<T> inv_std;     ///< one for each row, in the shape (N); empty likewise
};

namespace detail {

/// to = (from - mean) / sqrt(variance + eps) in one row; returns 1 / sqrt(variance + eps). `to` may be `from`.
/// The mean is subtracted twice: the first one is rounded, and where it is large against the spread of the row its
/// error is not small; the second is the mean of what the first has left.
template <class T>
T normalize_row(const T* from, T* to, Index cols, T eps) {
  const auto count = static_cast<double>(cols);
  const T mean = static_cast<T>(detail::row_sum(cols, from) / count);
  const double left = detail::row_sum<T>(
      cols, [mean](const auto& v) { return v - mean; }, from);
  const T rest = static_cast<T>(left / count);
  const double squares = detail::row_sum<T>(
      cols, [mean, rest](const auto& v) { return (v - mean - rest).square(); }, from);
  const T inv_std = T(1) / std::sqrt(static_cast<T>(squares / count) + eps);
  detail::map_row(
      cols, to, [mean, rest, inv_std](const auto& v) { return (v - mean - rest) * inv_std; }, from);
  return inv_std;
}

}  // namespace detail

/// y = w n + b with n = (x - mean) / sqrt(variance + eps), mean and variance (divided by C) of each row
/// Shapes   x, y (..., C), N rows; weight w, bias b (C), or empty for 1 and 0
/// Errors   ShapeError for a scalar or a row of no elements, or if weight or bias have another shape
/// Memory   n in place of x where x is the only holder of its elements, and y; y alone where nothing is remembered
/// Source   Ba, Kiros, Hinton 2016
template <class T>
LayerNormResult<T> layer_norm(Tensor<T> x, const Tensor<T>& weight, const Tensor<T>& bias, double eps, bool remember) {
  const Shape shape = x.shape();
  const Index cols = shape.cols();
  detail::check::rank_at_least("layer_norm", shape, 1);
  if (cols == 0) throw ShapeError(error_text("layer_norm: rows of no elements; input shape ", shape));
  if (!weight.empty()) detail::check::same_shape("layer_norm", "weight", weight.shape(), {cols});
  if (!bias.empty()) detail::check::same_shape("layer_norm", "bias", bias.shape(), {cols});

  const bool affine = !weight.empty() || !bias.empty();
  const T* from = x.data();
  Tensor<T> normalized = detail::reuse(x);
  Tensor<T> inv_std;
  if (remember) inv_std = Tensor<T>({shape.rows()});
  Tensor<T> y;
  if (remember && affine) y = Tensor<T>(shape);
  T* n_data = normalized.mutable_data();
  T* y_data = y.empty() ? n_data : y.mutable_data();
  T* inverse = inv_std.mutable_data();
  detail::parallel_rows(shape, [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const T scale = detail::normalize_row(from + row * cols, n_data + row * cols, cols, static_cast<T>(eps));
      if (inverse != nullptr) inverse[row] = scale;
      const T* n = n_data + row * cols;
      T* out = y_data + row * cols;
      if (!weight.empty() && !bias.empty())
        detail::map_row(
            cols, out, [](const auto& v, const auto& w, const auto& b) { return v * w + b; }, n, weight.data(),
            bias.data());
      else if (!weight.empty())
        detail::map_row(
            cols, out, [](const auto& v, const auto& w) { return v * w; }, n, weight.data());
      else if (!bias.empty())
        detail::map_row(
            cols, out, [](const auto& v, const auto& b) { return v + b; }, n, bias.data());
    }
  });
  if (!remember) return {std::move(normalized), {}, {}};
  if (!affine) y = normalized;
  return {std::move(y), std::move(normalized), std::move(inv_std)};
}

/// dx = (g - mean(g) - n mean(g n)) / sqrt(variance + eps) with g = w dy, the means being those of each row
/// Shapes   dy, normalized n, dx (..., C), N rows; inv_std (N); weight w (C), or empty for 1
/// Errors   ShapeError if shapes differ
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> layer_norm_backward_input(Tensor<T> dy, const Tensor<T>& normalized, const Tensor<T>& inv_std,
                                    const Tensor<T>& weight) {
  detail::check::same_shape("layer_norm_backward_input", "gradient of the output", dy.shape(), normalized.shape());
  detail::check::same_shape("layer_norm_backward_input", "inv_std", inv_std.shape(), {dy.shape().rows()});
  const Index cols = dy.shape().cols();
  if (!weight.empty()) detail::check::same_shape("layer_norm_backward_input", "weight", weight.shape(), {cols});
  const T* from = dy.data();
  const auto count = static_cast<double>(cols);
  Tensor<T> dx = detail::reuse(dy);
  T* to = dx.mutable_data();
  detail::parallel_rows(dx.shape(), [&](Index begin, Index end) {
    for (Index row = begin; row < end; ++row) {
      const T* n = normalized.data() + row * cols;
      T* g = to + row * cols;
      const auto product = [](const auto& a, const auto& b) { return a * b; };
      if (weight.empty())
        std::copy_n(from + row * cols, cols, g);
      else
        detail::map_row(cols, g, product, from + row * cols, weight.data());
      const T mean = static_cast<T>(detail::row_sum<T>(cols, g) / count);
      const T projection = static_cast<T>(detail::row_sum<T>(cols, product, g, n) / count);
      const T scale = inv_std.data()[row];
      detail::map_row(
          cols, g,
          [mean, projection, scale](const auto& a, const auto& b) { return (a - mean - b * projection) * scale; }, g,
          n);
    }
  });
  return dx;
}

/// dw = the sum of n dy over the rows
/// Shapes   dy, normalized n (..., C); dw (C)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> layer_norm_backward_weight(const Tensor<T>& dy, const Tensor<T>& normalized) {
  detail::check::same_shape("layer_norm_backward_weight", "gradient of the output", dy.shape(), normalized.shape());
  const Index cols = dy.shape().cols();
  return detail::reduce_rows<T>(dy.shape().rows(), cols, cols, [&](Index begin, Index end, T* sums) {
    detail::RowMap<T> sum(sums, cols);
    for (Index row = begin; row < end; ++row) {
      sum += detail::ConstRowMap<T>(dy.data() + row * cols, cols) *
             detail::ConstRowMap<T>(normalized.data() + row * cols, cols);
    }
  });
}

/// db = the sum of dy over the rows
/// Shapes   dy (..., C); db (C)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> layer_norm_backward_bias(const Tensor<T>& dy) {
  return detail::sum_rows(dy);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
