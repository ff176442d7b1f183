// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/compare.hpp>

#include "support/broadcast.hpp"
#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::compare_test {
namespace {

using testing::kNaN;

/// Conversion to Index leaves few different numbers, so that some are equal.
template <class T>
void expect_comparisons() {
  testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return greater(a, b); },
                                [](T a, T b) { return a > b; });
  testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return greater_equal(a, b); },
                                [](T a, T b) { return a >= b; });
  testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return less(a, b); },
                                [](T a, T b) { return a < b; });
  testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return less_equal(a, b); },
                                [](T a, T b) { return a <= b; });
  testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return equal_to(a, b); },
                                [](T a, T b) { return a == b; });
}

TEST(Compare, EachElementWithBroadcasting) {
  expect_comparisons<float>();
  expect_comparisons<Index>();
}

TEST(Compare, WithNumbersOnEitherSide) {
  const Tensor<double> x({5}, {1, 2, 3, kNaN, 2});
  const auto expect = [](const Tensor<bool>& got, std::initializer_list<bool> expected) {
    EXPECT_TRUE(equal(got, Tensor<bool>({5}, expected)));
  };
  expect(greater(x, 2), {false, false, true, false, false});
  expect(greater(2, x), {true, false, false, false, false});
  expect(greater_equal(x, 2), {false, true, true, false, true});
  expect(greater_equal(2, x), {true, true, false, false, true});
  expect(less(x, 2), {true, false, false, false, false});
  expect(less(2, x), {false, false, true, false, false});
  expect(less_equal(x, 2), {true, true, false, false, true});
  expect(less_equal(2, x), {false, true, true, false, true});
  expect(equal_to(x, 2), {false, true, false, false, true});
  expect(equal_to(2, x), {false, true, false, false, true});
  expect(greater(x, kNaN), {false, false, false, false, false});
  expect(equal_to(x, x), {true, true, true, false, true});
  expect(isnan(x), {false, false, false, true, false});
}

TEST(Compare, MasksCombine) {
  const Tensor<bool> a({2, 1}, {false, true});
  const Tensor<bool> b({2}, {false, true});
  EXPECT_TRUE(equal(logical_and(a, b), Tensor<bool>({2, 2}, {false, false, false, true})));
  EXPECT_TRUE(equal(logical_or(a, b), Tensor<bool>({2, 2}, {false, true, true, true})));
  EXPECT_TRUE(equal(logical_not(a), Tensor<bool>({2, 1}, {true, false})));
}

TEST(Compare, RefusesShapesThatDoNotBroadcast) {
  const auto a = Tensor<float>::zeros({2, 3});
  const auto b = Tensor<float>::zeros({2});
  EXPECT_EQ(testing::message_of([&] { less(a, b); }), "less: shapes (2, 3) and (2,) do not broadcast");
  EXPECT_THROW(greater(a, b), ShapeError);
  EXPECT_THROW(greater_equal(a, b), ShapeError);
  EXPECT_THROW(less_equal(a, b), ShapeError);
  EXPECT_THROW(equal_to(a, b), ShapeError);
  EXPECT_THROW(logical_and(greater(a, 0), greater(b, 0)), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::compare_test
