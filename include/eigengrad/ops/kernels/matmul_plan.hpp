// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include <eigengrad/core/scratch.hpp>
#include <eigengrad/ops/kernels/gemm.hpp>
#include <eigengrad/ops/kernels/gemv.hpp>
#include <eigengrad/ops/kernels/small_gemm.hpp>
#include <eigengrad/ops/kernels/strided.hpp>

// How matmul goes about its work: which axes are what, and which kernel multiplies.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// The sizes of a product of matrices, one for each position of the leading axes, the batch. A vector is a row on the
/// left and a column on the right.
struct MatmulPlan {
  const Shape& a;
  const Shape& b;
  bool a_turned, b_turned;
  Index rows, steps, cols;
  int batch_rank;
  std::array<Index, Shape::kMaxRank> batch{};

  MatmulPlan(const Shape& a_shape, const Shape& b_shape, bool transpose_a, bool transpose_b)
      : a(a_shape), b(b_shape), a_turned(transpose_a), b_turned(transpose_b) {
    if (a.rank() == 0 || b.rank() == 0) refuse("a number is not a matrix");
    if ((a.rank() == 1 && transpose_a) || (b.rank() == 1 && transpose_b)) refuse("a vector is not transposed");
    rows = a.rank() == 1 ? 1 : a.end()[transpose_a ? -1 : -2];
    steps = a.end()[transpose_a ? -2 : -1];
    cols = b.rank() == 1 ? 1 : b.end()[transpose_b ? -2 : -1];
    if (b.end()[b.rank() == 1 || transpose_b ? -1 : -2] != steps) refuse("the axes that are summed over differ");
    batch_rank = std::max({a.rank() - 2, b.rank() - 2, 0});
    for (int axis = 0; axis < batch_rank; ++axis) {
      const Index in_a = batch_size(a, axis);
      const Index in_b = batch_size(b, axis);
      if (in_a != in_b && in_a != 1 && in_b != 1) refuse("the leading axes do not broadcast");
      batch[static_cast<std::size_t>(axis)] = in_a == 1 ? in_b : in_a;
    }
  }

  Shape result() const {
    std::array<Index, Shape::kMaxRank> sizes = batch;
    auto rank = static_cast<std::size_t>(batch_rank);
    if (a.rank() > 1) sizes[rank++] = rows;
    if (b.rank() > 1) sizes[rank++] = cols;
    return Shape(std::span<const Index>(sizes.data(), rank));
  }

  /// The size of a batch axis in an operand, which may have fewer of them.
  Index batch_size(const Shape& operand, int axis) const {
    const int own = axis - batch_rank + std::max(operand.rank() - 2, 0);
    return own < 0 ? 1 : operand.begin()[own];
  }

  /// The distances of an operand's matrices along the batch axes, 0 where one is used again and again.
  Strides batch_strides(const Shape& operand, Index matrix) const {
    Strides strides{};
    for (int axis = batch_rank - 1; axis >= 0; --axis) {
      const Index size = batch_size(operand, axis);
      strides[static_cast<std::size_t>(axis)] = size == 1 ? 0 : matrix;
      matrix *= size;
    }
    return strides;
  }

  /// All products in order, with the offsets of their operands.
  Walk<2> walk() const {
    return {batch.data(), batch_rank, {batch_strides(a, rows * steps), batch_strides(b, steps * cols)}};
  }

  Index batch_count() const {
    Index count = 1;
    for (int axis = 0; axis < batch_rank; ++axis) count *= batch[static_cast<std::size_t>(axis)];
    return count;
  }

 private:
  [[noreturn]] void refuse(const char* why) const {
    throw ShapeError(
        error_text("matmul: shapes ", a, a_turned ? "^T" : "", " and ", b, b_turned ? "^T" : "", ": ", why));
  }
};

/// Products of fewer multiply-adds than this are not worth packing.
inline constexpr Index kTinyProduct = 256;
/// Enough products to keep all threads busy with one each.
inline constexpr Index kManyProducts = 16;

template <class T>
void tiny_gemm(detail::View<const T> a, detail::View<const T> b, T* c) {
  for (Index i = 0; i < a.rows; ++i) {
    for (Index j = 0; j < b.cols; ++j) {
      T sum(0);
      for (Index p = 0; p < a.cols; ++p)
        sum += a.data[i * a.row_stride + p * a.col_stride] * b.data[p * b.row_stride + j * b.col_stride];
      *c++ = sum;
    }
  }
}

/// One product, with all threads.
template <class T>
void multiply_one(detail::View<const T> a, detail::View<const T> b, T* c) {
  if (a.rows * a.cols * b.cols <= kTinyProduct)
    tiny_gemm(a, b, c);
  else if (b.cols == 1)
    detail::gemv(a, b.data, c);
  else if (a.rows == 1)
    detail::gemv(b.transposed(), a.data, c);
  else
    detail::gemm(a, b, detail::row_major(c, a.rows, b.cols));
}

/// Many products, each by one thread.
template <class T, class Multiply>
void multiply_each(const MatmulPlan& plan, detail::View<const T> a, detail::View<const T> b, T* c, Index scratch,
                   const Multiply& multiply) {
  const Index work = std::max<Index>(plan.rows * plan.cols * std::max<Index>(plan.steps, 1), 1);
  const Index size = plan.rows * plan.cols;
  const Scratch<T> memory(scratch);
  parallel_for(plan.batch_count(), std::max<Index>(1, 8 * kElementGrain / work),
               [&](Index begin, Index end, Index slot) {
                 Walk<2> walk = plan.walk();
                 walk.seek(begin);
                 detail::View<const T> left = a;
                 detail::View<const T> right = b;
                 for (; begin < end; ++begin, walk.next()) {
                   left.data = a.data + walk.offset(0);
                   right.data = b.data + walk.offset(1);
                   multiply(left, right, c + begin * size, memory.of(slot));
                 }
               });
}

/// The products of all matrices of the batch. How they are shared out among the threads follows from the sizes alone.
template <class T>
void multiply_batch(const MatmulPlan& plan, detail::View<const T> a, detail::View<const T> b, T* c) {
  using ConstView = detail::View<const T>;
  const Index size = plan.rows * plan.cols;
  if (size * plan.steps <= kTinyProduct) {
    return multiply_each(plan, a, b, c, 0, [](ConstView l, ConstView r, T* to, T*) { tiny_gemm(l, r, to); });
  }
  const detail::SmallGemm<T> gemm(plan.rows, plan.steps, plan.cols);
  // Few large products are each shared out among the threads.
  const bool apart = gemm.fits() && (plan.batch_count() >= kManyProducts || size * plan.steps <= detail::kSerialWork);
  if (apart && (plan.rows == 1 || plan.cols == 1)) {
    return multiply_each(plan, a, b, c, 0, [](ConstView l, ConstView r, T* to, T*) { multiply_one(l, r, to); });
  }
  if (apart) {
    return multiply_each(plan, a, b, c, gemm.scratch(), [&](ConstView l, ConstView r, T* to, T* scratch) {
      gemm(l, r, detail::row_major(to, plan.rows, plan.cols), scratch);
    });
  }
  Walk<2> walk = plan.walk();
  walk.seek(0);
  for (Index i = 0; i < plan.batch_count(); ++i, walk.next()) {
    a.data += walk.offset(0);
    b.data += walk.offset(1);
    multiply_one(a, b, c + i * size);
    a.data -= walk.offset(0);
    b.data -= walk.offset(1);
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
