// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/ops/log_softmax.hpp>

#include "support/op_gradcheck.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::log_softmax_test {
namespace {

TEST(LogSoftmax, MatchesItsDefinition) {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 10}, Shape{700, 33}, Shape{2, 3, 4}, Shape{5}}) {
    const auto x = testing::random<double>(shape, 1);
    Tensor<double> expected(shape);
    for (Index row = 0; row < shape.rows(); ++row) {
      double sum = 0.0;
      for (Index c = 0; c < shape.cols(); ++c) sum += std::exp(x.matrix()(row, c));
      for (Index c = 0; c < shape.cols(); ++c) {
        expected.mutable_matrix()(row, c) = std::log(std::exp(x.matrix()(row, c)) / sum);
      }
    }
    testing::poison<double>(shape);
    EXPECT_LT(testing::difference(log_softmax(x), expected), 1e-14) << shape;
    set_num_threads(3);
    EXPECT_TRUE(equal(log_softmax(x), log_softmax(Tensor<double>(shape, x.span()))));
    set_num_threads(0);
  }
}

TEST(LogSoftmax, IsStableForLargeInputs) {
  const Tensor<float> y = log_softmax(Tensor<float>({2, 3}, {1e4F, -1e4F, 0, -1e4F, -1e4F, -1e4F}));
  EXPECT_EQ(y(0, 0), 0.0F);
  EXPECT_EQ(y(0, 1), -2e4F);
  EXPECT_FLOAT_EQ(y(1, 2), -std::log(3.0F));
}

TEST(LogSoftmax, DerivativesAreTheDifferences) {
  using X = Tensor<double>;
  for (const Shape& shape : {Shape{5}, Shape{3, 7}, Shape{2, 2, 3}, Shape{4, 1}}) {
    EXPECT_TRUE(testing::op_gradcheck(
        "log_softmax", testing::random<double>(shape, 1), [](const X& x) { return log_softmax(x); },
        [](const X& dy, const X&, const X& y) { return log_softmax_backward(dy, y); }));
  }
}

TEST(LogSoftmax, OfNothingIsNothing) {
  EXPECT_EQ(log_softmax(Tensor<float>({4, 0})).shape(), (Shape{4, 0}));
  EXPECT_EQ(log_softmax(Tensor<float>({0, 4})).shape(), (Shape{0, 4}));
  EXPECT_EQ(log_softmax_backward(Tensor<float>({4, 0}), Tensor<float>({4, 0})).shape(), (Shape{4, 0}));
}

TEST(LogSoftmax, RefusesAScalarAndOtherShapes) {
  EXPECT_THROW(log_softmax(Tensor<float>({}, {1.0F})), ShapeError);
  EXPECT_THROW(log_softmax_backward(Tensor<float>::zeros({2, 3}), Tensor<float>::zeros({3, 2})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::log_softmax_test
