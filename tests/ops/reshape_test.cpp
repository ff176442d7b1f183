// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/reshape.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::reshape_test {
namespace {

using testing::message_of;

TEST(Reshape, KeepsTheMemory) {
  const auto x = testing::random<float>({2, 6}, 1);
  const Tensor<float> y = reshape(x, {3, -1});
  EXPECT_EQ(y.shape(), (Shape{3, 4}));
  EXPECT_TRUE(y.shares_memory(x));
  EXPECT_EQ(reshape(x, Shape{12}).shape(), Shape{12});
  EXPECT_TRUE(equal(reshape_backward(y, x.shape()), x));
  EXPECT_THROW(reshape(x, {5, 2}), ShapeError);
}

TEST(Unsqueeze, PutsAnAxisIn) {
  const auto x = testing::random<float>({2, 3}, 1);
  EXPECT_EQ(unsqueeze(x, 0).shape(), (Shape{1, 2, 3}));
  EXPECT_EQ(unsqueeze(x, 1).shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(unsqueeze(x, 2).shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(unsqueeze(x, -1).shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(unsqueeze(x, -3).shape(), (Shape{1, 2, 3}));
  EXPECT_EQ(unsqueeze(Tensor<float>::zeros({}), 0).shape(), Shape{1});
  EXPECT_TRUE(unsqueeze(x, 1).shares_memory(x));
  EXPECT_TRUE(equal(reshape_backward(unsqueeze(x, 1), x.shape()), x));
  EXPECT_EQ(message_of([&] { unsqueeze(x, 3); }), "unsqueeze: axis 3 of shape (2, 3), expected -3 to 2");
  EXPECT_THROW(unsqueeze(x, -4), ShapeError);
  EXPECT_EQ(message_of([&] {
              unsqueeze(Tensor<float>::zeros({1, 1, 1, 1, 1, 1}), 0);
            }),
            "unsqueeze: shape (1, 1, 1, 1, 1, 1) has the most axes there are, 6");
}

TEST(Squeeze, TakesAxesOfSize1Out) {
  const auto x = testing::random<float>({1, 2, 1, 3, 1}, 1);
  EXPECT_EQ(squeeze(x, 0).shape(), (Shape{2, 1, 3, 1}));
  EXPECT_EQ(squeeze(x, 2).shape(), (Shape{1, 2, 3, 1}));
  EXPECT_EQ(squeeze(x, -1).shape(), (Shape{1, 2, 1, 3}));
  EXPECT_EQ(squeeze(x).shape(), (Shape{2, 3}));
  EXPECT_EQ(squeeze(Tensor<float>::zeros({1, 1})).shape(), Shape{});
  EXPECT_TRUE(squeeze(x).shares_memory(x));
  EXPECT_EQ(message_of([&] { squeeze(x, 1); }), "squeeze: axis 1 of shape (1, 2, 1, 3, 1), expected one of size 1");
  EXPECT_THROW(squeeze(x, 5), ShapeError);
}

TEST(Squeeze, AFailureChangesNothing) {
  Tensor<float> x = Tensor<float>::ones({2, 1});
  EXPECT_THROW(squeeze(std::move(x), 0), ShapeError);
  EXPECT_THROW(unsqueeze(std::move(x), 5), ShapeError);
}

TEST(Reshape, DerivativeIsThatOfTheForward) {
  EXPECT_TRUE(testing::op_gradcheck(
      "reshape", testing::random<double>({2, 6}, 1),
      [](const auto& x) {
        return reshape(x, {3, 4});
      },
      [](const auto& dy, const auto& x, const auto&) { return reshape_backward(dy, x.shape()); }));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::reshape_test
