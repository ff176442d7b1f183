// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/ops/softmax.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::softmax_test {
namespace {

TEST(Softmax, MatchesItsDefinition) {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 10}, Shape{700, 33}, Shape{2, 3, 4}, Shape{5}}) {
    const auto x = testing::random<double>(shape, 1);
    Tensor<double> expected(shape);
    for (Index row = 0; row < shape.rows(); ++row) {
      double sum = 0.0;
      for (Index c = 0; c < shape.cols(); ++c) sum += std::exp(x.matrix()(row, c));
      for (Index c = 0; c < shape.cols(); ++c) {
        expected.mutable_matrix()(row, c) = std::exp(x.matrix()(row, c)) / sum;
      }
    }
    testing::poison<double>(shape);
    EXPECT_LT(testing::difference(softmax(x), expected), 1e-14) << shape;
  }
}

TEST(Softmax, IsStableForLargeInputs) {
  const Tensor<float> x({2, 3}, {1e4F, -1e4F, 0, -1e4F, -1e4F, -1e4F});
  const Tensor<float> y = softmax(x);
  EXPECT_EQ(y(0, 0), 1.0F);
  EXPECT_NEAR(y(0, 1), 0.0F, 1e-37);  // a vectorised exponential ends at the smallest normal number
  EXPECT_FLOAT_EQ(y(1, 2), 1.0F / 3.0F);
}

// dx = (Diag(y) - y y^T) dy, the Jacobian written out.
TEST(Softmax, BackwardIsTheJacobian) {
  const auto y = softmax(testing::random<double>({6, 9}, 1));
  const auto dy = testing::random<double>({6, 9}, 2);
  Tensor<double> expected = Tensor<double>::zeros({6, 9});
  for (Index row = 0; row < 6; ++row) {
    for (Index i = 0; i < 9; ++i) {
      for (Index j = 0; j < 9; ++j) {
        const double jacobian = (i == j ? y(row, i) : 0.0) - y(row, i) * y(row, j);
        expected.mutable_matrix()(row, i) += jacobian * dy(row, j);
      }
    }
  }
  EXPECT_LT(testing::difference(softmax_backward(dy, y), expected), 1e-14);
}

TEST(Softmax, OfNothingIsNothing) {
  EXPECT_EQ(softmax(Tensor<float>({4, 0})).shape(), (Shape{4, 0}));
  EXPECT_EQ(softmax(Tensor<float>({0, 4})).shape(), (Shape{0, 4}));
}

TEST(Softmax, RefusesAScalarAndOtherShapes) {
  EXPECT_THROW(softmax(Tensor<float>({}, {1.0F})), ShapeError);
  EXPECT_THROW(softmax_backward(Tensor<float>::zeros({2, 3}), Tensor<float>::zeros({3, 2})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::softmax_test
