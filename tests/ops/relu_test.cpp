// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/relu.hpp>

#include "support/tensors.hpp"

namespace eigengrad::ops {
namespace {

TEST(Relu, CutsOffBelowZero) {
  const Tensor<float> x({5}, {-2, -0.5F, 0, 0.5F, 2});
  EXPECT_TRUE(equal(relu(x), Tensor<float>({5}, {0, 0, 0, 0.5F, 2})));
  EXPECT_EQ(x(0), -2);
}

TEST(Relu, LetsNaNPass) {
  const Tensor<float> x({2}, {std::numeric_limits<float>::quiet_NaN(), -1});
  EXPECT_TRUE(std::isnan(relu(x)(0)));
}

TEST(Relu, BackwardIsOneWherePositive) {
  const Tensor<float> x({5}, {-2, -0.5F, 0, 0.5F, 2});
  const Tensor<float> dy({5}, {1, 2, 3, 4, 5});
  const Tensor<float> expected({5}, {0, 0, 0, 4, 5});
  EXPECT_TRUE(equal(relu_backward(dy, relu(x)), expected));
  EXPECT_TRUE(equal(relu_backward(dy, x), expected));
  EXPECT_THROW(relu_backward(dy, Tensor<float>::zeros({4})), ShapeError);
}

TEST(Relu, MatchesALoopOnManyElements) {
  const auto x = testing::random<float>({7, 9001}, 1);
  testing::poison<float>(x.shape());
  const Tensor<float> y = relu(x);
  for (Index i = 0; i < x.numel(); ++i) ASSERT_EQ(y.data()[i], std::max(x.data()[i], 0.0F));
}

TEST(Relu, WorksInPlaceWhereItHoldsTheOnlyReference) {
  auto x = testing::random<float>({100}, 1);
  const float* memory = x.data();
  EXPECT_EQ(relu(std::move(x)).data(), memory);
}

}  // namespace
}  // namespace eigengrad::ops
