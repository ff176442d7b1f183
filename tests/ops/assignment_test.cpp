// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/ops/math.hpp>
#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/ops/reduce.hpp>
#include <eigengrad/ops/relu.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

// Tensors changed in place: x += y, one element; and the functions that are found by their argument.

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::message_of;

TEST(Assignment, IsTheOperationWithItsResultInPlace) {
  const auto a = testing::random<float>({3, 4}, 1), b = testing::random<float>({3, 4}, 2);
  Tensor<float> x = a;
  x += b;
  EXPECT_TRUE(equal(x, a + b));
  x = a;
  x -= b;
  EXPECT_TRUE(equal(x, a - b));
  x = a;
  x *= b;
  EXPECT_TRUE(equal(x, a * b));
  x = a;
  x /= b;
  EXPECT_TRUE(equal(x, a / b));
  x = a;
  ((x += 2) *= 3.0) -= 1;
  x /= 2;
  EXPECT_TRUE(equal(x, ((a + 2) * 3.0 - 1) / 2));
}

TEST(Assignment, BroadcastsTheRightHandSideAlone) {
  const auto a = testing::random<double>({3, 4}, 1), row = testing::random<double>({4}, 2);
  Tensor<double> x = a;
  x *= row;
  EXPECT_TRUE(equal(x, a * row));
  Tensor<double> y = row;
  EXPECT_EQ(message_of([&] { y *= a; }), "*=: shape (3, 4) does not broadcast to (4,)");
  EXPECT_EQ(message_of([&] { y += Tensor<double>::ones({3}); }),
            message_of([&] { y + Tensor<double>::ones({3}); }).replace(0, 3, "+="));
  EXPECT_TRUE(equal(y, row));
}

TEST(Assignment, KeepsItsMemoryAndLeavesOthersAlone) {
  Tensor<float> x = Tensor<float>::ones({100});
  const float* memory = x.data();
  x += Tensor<float>::ones({100});
  x *= 2;
  EXPECT_EQ(x.data(), memory);
  const Tensor<float> shared = x;
  x -= 1;
  EXPECT_TRUE(equal(shared, Tensor<float>::full({100}, 4.0F)));
  EXPECT_TRUE(equal(x, Tensor<float>::full({100}, 3.0F)));
  x += x;
  x *= x;
  x -= x;
  EXPECT_TRUE(equal(x, Tensor<float>::zeros({100})));
}

TEST(Assignment, OfOneElement) {
  Tensor<float> x = Tensor<float>::zeros({2, 3});
  const Tensor<float> shared = x;
  x.mutable_at(1, 2) = 5.0F;
  x.mutable_at(1, 2) += 1.0F;
  EXPECT_TRUE(equal(x, Tensor<float>({2, 3}, {0, 0, 0, 0, 0, 6})));
  EXPECT_TRUE(equal(shared, Tensor<float>::zeros({2, 3})));
  EXPECT_EQ(message_of([&] { x.mutable_at(2, 0) = 1.0F; }), "Tensor: index 2 on axis 0 of shape (2, 3)");
  EXPECT_EQ(message_of([&] { x.mutable_at(0) = 1.0F; }), "Tensor: 1 indices for shape (2, 3)");
  Tensor<Index> labels = Tensor<Index>::zeros({2});
  labels.mutable_at(1) = 7;
  EXPECT_EQ(labels(1), 7);
}

TEST(FoundByArgument, AreTheFunctionsOfOps) {
  const auto x = testing::random<float>({4, 4}, 1);
  EXPECT_TRUE(equal(exp(x), ops::exp(x)));
  EXPECT_TRUE(equal(relu(sum(matmul(x, x), 0)), ops::relu(ops::sum(ops::matmul(x, x), 0))));
  static_assert(sizeof(Tensor<float>) == sizeof(Shape) + sizeof(detail::BlockPtr));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
