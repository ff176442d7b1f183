// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/reduce_axes.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::detail::reduce_axes_test {
namespace {

/// Which element of the result each element of x belongs to.
Index place(const Shape& x, AxisMask mask, Index position) {
  Index result = 0;
  Index stride = 1;
  for (int axis = x.rank() - 1; axis >= 0; --axis) {
    const Index at = position % x[axis];
    position /= x[axis];
    if (((mask >> axis) & 1U) != 0) continue;
    result += at * stride;
    stride *= x[axis];
  }
  return result;
}

template <class T>
void expect_reductions(const Shape& shape, AxisMask mask, double tolerance) {
  const auto x = testing::random<T>(shape, 1);
  const Shape result = reduced_shape(shape, mask, false);
  Tensor<double> sums = Tensor<double>::zeros(result);
  Tensor<T> largest = Tensor<T>::full(result, -std::numeric_limits<T>::infinity());
  Tensor<T> smallest = Tensor<T>::full(result, std::numeric_limits<T>::infinity());
  for (Index i = 0; i < x.numel(); ++i) {
    const Index at = place(shape, mask, i);
    sums.mutable_data()[at] += static_cast<double>(x.data()[i]);
    largest.mutable_data()[at] = std::max(largest.data()[at], x.data()[i]);
    smallest.mutable_data()[at] = std::min(smallest.data()[at], x.data()[i]);
  }
  testing::poison<T>(result);
  set_num_threads(1);
  const Tensor<T> sum = reduce_axes<Sum>(x, mask, result);
  EXPECT_LT(testing::difference(sum, sums.template cast<T>()), tolerance) << shape << " mask " << mask;
  const Tensor<T> maximum = reduce_axes<Maximum>(x, mask, result);
  EXPECT_TRUE(equal(maximum, largest)) << shape << " mask " << mask;
  EXPECT_TRUE(equal(reduce_axes<Minimum>(x, mask, result), smallest)) << shape << " mask " << mask;
  set_num_threads(3);
  EXPECT_TRUE(equal(reduce_axes<Sum>(x, mask, result), sum)) << shape << " mask " << mask;
  EXPECT_TRUE(equal(reduce_axes<Maximum>(x, mask, result), maximum)) << shape << " mask " << mask;
  set_num_threads(0);
}

TEST(ReduceAxes, GoesOverAnyAxes) {
  for (const Shape& shape :
       {Shape{}, Shape{1}, Shape{7}, Shape{3, 4}, Shape{1, 5, 1}, Shape{2, 3, 4}, Shape{3, 1, 4, 5},
        Shape{2, 3, 2, 3, 2, 3}, Shape{70, 9, 11}, Shape{300, 5}, Shape{5, 300}}) {
    for (AxisMask mask = 0; mask < AxisMask{1} << shape.rank(); ++mask) {
      expect_reductions<double>(shape, mask, 1e-13);
      expect_reductions<float>(shape, mask, 1e-5);
    }
  }
}

TEST(ReduceAxes, CutsLongReductionsIntoParts) {
  for (const Shape& shape : {Shape{100003}, Shape{40001, 3}, Shape{3, 40001}, Shape{700, 3, 90}, Shape{90, 600, 4},
                             Shape{2, 300, 3, 301}, Shape{61, 2, 1500}, Shape{1500, 700}}) {
    for (AxisMask mask = 1; mask < AxisMask{1} << shape.rank(); ++mask) {
      expect_reductions<double>(shape, mask, 1e-12);
      expect_reductions<float>(shape, mask, 1e-5);
    }
  }
}

TEST(ReduceAxes, AFloatSumKeepsItsDigits) {
  const auto x = Tensor<float>::full({1000, 1000, 2}, 0.7F);
  const double exact = static_cast<double>(0.7F);
  EXPECT_NEAR(static_cast<double>(reduce_axes<Sum>(x, 7U, {}).item()) / (2e6 * exact), 1.0, 1e-6);
  EXPECT_NEAR(static_cast<double>(reduce_axes<Sum>(x, 3U, {2})(1)) / (1e6 * exact), 1.0, 1e-6);
}

TEST(ReduceAxes, OfNothingIsZero) {
  EXPECT_TRUE(equal(reduce_axes<Sum>(Tensor<float>({2, 0}), 2U, {2}), Tensor<float>::zeros({2})));
  EXPECT_EQ(reduce_axes<Sum>(Tensor<float>({2, 0}), 1U, {0}).shape(), (Shape{0}));
  EXPECT_EQ(reduce_axes<Sum>(Tensor<float>({0, 0}), 3U, {}).item(), 0.0F);
}

TEST(ReduceAxes, OverAxesOfOneElementCopiesNothing) {
  const auto x = testing::random<float>({3, 1, 2}, 1);
  EXPECT_TRUE(reduce_axes<Sum>(x, 2U, {3, 2}).shares_memory(x));
}

TEST(ReduceAxes, AddsIntegers) {
  Tensor<Index> x({3, 400});
  for (Index i = 0; i < x.numel(); ++i) x.mutable_data()[i] = (Index{1} << 55) + i;
  EXPECT_EQ(reduce_axes<Sum>(x, 1U, {400})(399), 3 * (Index{1} << 55) + 3 * 399 + 1200);
  EXPECT_EQ(reduce_axes<Maximum>(x, 3U, {}).item(), (Index{1} << 55) + 1199);
}

TEST(ReduceAxes, NaNIsTheExtremumWhereverItStands) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Index at : {0, 1, 17, 298, 299}) {
    Tensor<double> x = testing::random<double>({300, 20}, 1);
    x.mutable_matrix()(at, 3) = nan;
    for (const AxisMask mask : {1U, 2U, 3U}) {
      const Shape shape = reduced_shape(x.shape(), mask, false);
      const auto count = [](const Tensor<double>& y) { return y.array().isNaN().count(); };
      EXPECT_EQ(count(reduce_axes<Maximum>(x, mask, shape)), 1) << at << " mask " << mask;
      EXPECT_EQ(count(reduce_axes<Minimum>(x, mask, shape)), 1) << at << " mask " << mask;
    }
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::reduce_axes_test
