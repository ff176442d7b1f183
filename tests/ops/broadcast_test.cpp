// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "support/broadcast.hpp"

#include <gtest/gtest.h>

#include <eigengrad/ops/broadcast.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::broadcast_test {
namespace {

TEST(Broadcast, ShapesFollowNumPysRules) {
  for (const auto& [a, b, result] : testing::broadcast_cases()) {
    EXPECT_EQ(broadcast_shape(a, b), result);
    EXPECT_EQ(broadcast_shape(b, a), result);
  }
  EXPECT_EQ(testing::message_of([] {
              broadcast_shape({2, 3}, {4, 3}, "add");
            }),
            "add: shapes (2, 3) and (4, 3) do not broadcast");
  EXPECT_THROW(broadcast_shape({0}, {3}), ShapeError);
  EXPECT_THROW(broadcast_shape({2, 3}, {2}), ShapeError);
}

TEST(Broadcast, RepeatsElements) {
  for (const auto& [a, b, shape] : testing::broadcast_cases()) {
    const auto x = testing::random<double>(b, 1);
    testing::poison<double>(shape);
    const Tensor<double> y = broadcast_to(x, shape);
    ASSERT_EQ(y.shape(), shape);
    for (Index i = 0; i < y.numel(); ++i) ASSERT_EQ(y.data()[i], testing::broadcast_at(x, shape, i)) << b << shape;
  }
  const auto x = testing::random<float>({3}, 1);
  EXPECT_TRUE(broadcast_to(x, {3}).shares_memory(x));
}

TEST(Broadcast, SumToAddsTheCopiesOfEachElement) {
  for (const auto& [a, b, shape] : testing::broadcast_cases()) {
    const auto y = testing::random<double>(shape, 1);
    Tensor<double> expected = Tensor<double>::zeros(b);
    Tensor<Index> places = Tensor<Index>::zeros(b);
    for (Index i = 0; i < b.numel(); ++i) places.mutable_data()[i] = i;
    for (Index i = 0; i < y.numel(); ++i) {
      expected.mutable_data()[testing::broadcast_at(places, shape, i)] += y.data()[i];
    }
    testing::poison<double>(b);
    EXPECT_LT(testing::difference(sum_to(y, b), expected), 1e-14) << shape << " to " << b;
  }
  const auto x = testing::random<float>({3}, 1);
  EXPECT_TRUE(sum_to(x, {3}).shares_memory(x));
}

TEST(Broadcast, RefusesShapesThatDoNotBroadcast) {
  EXPECT_EQ(testing::message_of([] {
              broadcast_to(Tensor<float>::zeros({2, 3}), {4, 3});
            }),
            "broadcast_to: shape (2, 3) does not broadcast to (4, 3)");
  EXPECT_EQ(testing::message_of([] {
              sum_to(Tensor<float>::zeros({4, 3}), {2, 3});
            }),
            "sum_to: shape (2, 3) does not broadcast to (4, 3)");
  EXPECT_THROW(broadcast_to(Tensor<float>::zeros({1, 3}), {3}), ShapeError);
  EXPECT_THROW(sum_to(Tensor<float>::zeros({3}), {1, 3}), ShapeError);
}

TEST(Broadcast, DerivativesAreTheAdjoints) {
  for (const auto& [a, b, shape] : testing::broadcast_cases()) {
    EXPECT_TRUE(testing::op_gradcheck(
        "broadcast_to", testing::random<double>(b, 1),
        [&shape = shape](const auto& x) { return broadcast_to(x, shape); },
        [](const auto& dy, const auto& x, const auto&) { return broadcast_to_backward(dy, x.shape()); }));
    EXPECT_TRUE(testing::op_gradcheck(
        "sum_to", testing::random<double>(shape, 1), [&b = b](const auto& x) { return sum_to(x, b); },
        [](const auto& dy, const auto& x, const auto&) { return sum_to_backward(dy, x.shape()); }));
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::broadcast_test
