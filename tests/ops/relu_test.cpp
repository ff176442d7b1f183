// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/relu.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::relu_test {
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

template <class T>
void expect_matches_loops(const Shape& shape) {
  const auto x = testing::random<T>(shape, 1);
  const auto dy = testing::random<T>(shape, 2);
  testing::poison<T>(shape);
  const Tensor<T> y = relu(x);
  testing::poison<T>(shape);
  const Tensor<T> dx = relu_backward(dy, y);
  for (Index i = 0; i < x.numel(); ++i) {
    ASSERT_EQ(y.data()[i], std::max(x.data()[i], T(0))) << shape;
    ASSERT_EQ(dx.data()[i], x.data()[i] > T(0) ? dy.data()[i] : T(0)) << shape;
  }
}

TEST(Relu, MatchesALoopOnManyElements) {
  for (const Shape& shape : {Shape{7, 9001}, Shape{1}, Shape{0, 3}, Shape{15}, Shape{95}}) {
    expect_matches_loops<float>(shape);
    expect_matches_loops<double>(shape);
  }
}

TEST(Relu, BackwardOfNaNIsZeroInEveryLane) {
  const auto nan = Tensor<float>::full({95}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(equal(relu_backward(Tensor<float>::ones({95}), nan), Tensor<float>::zeros({95})));
  const Tensor<float> y = relu(nan);
  EXPECT_TRUE(y.array().isNaN().all());
}

TEST(Relu, WorksInPlaceWhereItHoldsTheOnlyReference) {
  auto x = testing::random<float>({100}, 1);
  const float* memory = x.data();
  EXPECT_EQ(relu(std::move(x)).data(), memory);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::relu_test
