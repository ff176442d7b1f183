// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/broadcast.hpp>
#include <eigengrad/ops/kernels/matmul_plan.hpp>
#include <eigengrad/ops/reshape.hpp>

// Matrix products with NumPy's rules.
//   matmul(a, b);                                // (M, K) and (K, N) give (M, N)
//   matmul(a, b, {.transpose_b = true});         // (M, K) and (N, K): nothing is moved in memory
//   matmul(x, w);                                // (B, H, M, K) and (H, K, N), batch axes broadcast, give (B, H, M, N)
//   matmul(a, v); matmul(v, b); matmul(v, w);    // a vector loses its axis: (M), (N) and a scalar

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Which operands are given with their last two axes swapped.
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

/// The shape of matmul(a, b, options).
/// Errors   those of matmul
inline Shape matmul_shape(const Shape& a, const Shape& b, const MatmulOptions& options = {}) {
  return detail::MatmulPlan(a, b, options.transpose_a, options.transpose_b).result();
}

/// The product of the matrices that the last two axes are, for each position of the leading axes, which broadcast. A
/// vector is a row on the left and a column on the right, and its axis is not in the result.
/// Shapes   a (..., M, K) or (K), with transpose_a (..., K, M); b (..., K, N) or (K), with transpose_b (..., N, K);
///          c (..., M, N), without M or N if an operand is a vector
/// Errors   ShapeError for a scalar, a transposed vector, sizes K that differ, or leading axes that do not broadcast
/// Cost     M K N multiply-adds for each product; no operand is copied
template <class T>
Tensor<T> matmul(const Tensor<T>& a, const Tensor<T>& b, const MatmulOptions& options = {}) {
  detail::MatmulPlan plan(a.shape(), b.shape(), options.transpose_a, options.transpose_b);
  Tensor<T> c(plan.result());
  if (c.empty()) return c;
  const Index count = plan.batch_count();
  // If one matrix b serves all of a, the rows of all products are those of one.
  const bool joined = count > 1 && !options.transpose_a && b.numel() == plan.steps * plan.cols;
  if (joined) plan.rows *= count;
  const auto view = [](const Tensor<T>& x, Index rows, Index cols, bool transposed) {
    return transposed ? detail::row_major(x.data(), cols, rows).transposed() : detail::row_major(x.data(), rows, cols);
  };
  const detail::View<const T> left = view(a, plan.rows, plan.steps, options.transpose_a);
  const detail::View<const T> right = view(b, plan.steps, plan.cols, options.transpose_b);
  if (plan.steps == 0)
    std::fill_n(c.mutable_data(), c.numel(), T(0));
  else if (count == 1 || joined)
    detail::multiply_one(left, right, c.mutable_data());
  else
    detail::multiply_batch(plan, left, right, c.mutable_data());
  return c;
}

namespace detail {

/// The gradient with the axes back that the product has dropped if an operand is a vector.
template <class X>
X with_vector_axes(const X& dy, const Shape& a, const Shape& b) {
  if (a.rank() > 1 && b.rank() > 1) return dy;
  Shape shape = dy.shape();
  if (b.rank() == 1) shape = unsqueezed(shape, -1);
  if (a.rank() == 1) shape = unsqueezed(shape, -2);
  return reshape(dy, shape);
}

/// The operand as a matrix: a vector as a row on the left and as a column on the right.
template <class X>
X as_matrix(const X& x, bool row) {
  if (x.shape().rank() > 1) return x;
  return reshape(x, row ? Shape{1, x.shape().numel()} : Shape{x.shape().numel(), 1});
}

/// Summed over the leading axes along which an operand was repeated, and in its shape.
template <class X>
X as_operand(const X& d, const Shape& operand, bool row) {
  if (d.shape() == operand) return d;
  if (operand.rank() > 1) return sum_to(d, operand);
  return reshape(sum_to(d, row ? Shape{1, operand.numel()} : Shape{operand.numel(), 1}), operand);
}

}  // namespace detail

/// da = dy b^T, summed over the leading axes along which a was repeated; b dy^T with transpose_a
/// Shapes   dy as the result; a that of the first operand, as da
template <class X>
X matmul_backward_first(const X& dy, const X& b, const Shape& a, const MatmulOptions& options = {}) {
  const X d = detail::with_vector_axes(dy, a, b.shape());
  const X other = detail::as_matrix(b, /*row=*/false);
  const X da = options.transpose_a ? matmul(other, d, {.transpose_a = options.transpose_b, .transpose_b = true})
                                   : matmul(d, other, {.transpose_a = false, .transpose_b = !options.transpose_b});
  return detail::as_operand(da, a, /*row=*/true);
}

/// db = a^T dy, summed over the leading axes along which b was repeated; dy^T a with transpose_b
/// Shapes   dy as the result; b that of the second operand, as db
template <class X>
X matmul_backward_second(const X& dy, const X& a, const Shape& b, const MatmulOptions& options = {}) {
  X d = detail::with_vector_axes(dy, a.shape(), b);
  X other = detail::as_matrix(a, /*row=*/true);
  if (b.rank() <= 2 && other.shape().rank() > 2 && !options.transpose_a) {
    // One matrix b for all of a: the sum over the batch is part of the product.
    other = reshape(other, Shape{other.shape().rows(), other.shape().cols()});
    d = reshape(d, Shape{d.shape().rows(), d.shape().cols()});
  }
  const X db = options.transpose_b ? matmul(d, other, {.transpose_a = true, .transpose_b = options.transpose_a})
                                   : matmul(other, d, {.transpose_a = !options.transpose_a, .transpose_b = false});
  return detail::as_operand(db, b, /*row=*/false);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
