// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/linear.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::linear_test {
namespace {

using testing::difference;
using testing::random;

struct LinearSizes {
  Index rows, inputs, outputs;
};
const LinearSizes kLinearSizes[] = {{1, 1, 1}, {1, 7, 3}, {4, 8, 5}, {33, 65, 17}, {200, 300, 10}, {7, 1100, 90}};

TEST(Linear, MatchesLoops) {
  for (const auto [rows, inputs, outputs] : kLinearSizes) {
    const auto x = random<double>({rows, inputs}, 1);
    const auto weight = random<double>({outputs, inputs}, 2);
    const auto bias = random<double>({outputs}, 3);
    Tensor<double> expected({rows, outputs});
    Tensor<double> without_bias({rows, outputs});
    for (Index n = 0; n < rows; ++n) {
      for (Index o = 0; o < outputs; ++o) {
        double sum = 0.0;
        for (Index i = 0; i < inputs; ++i) sum += x(n, i) * weight(o, i);
        without_bias.mutable_matrix()(n, o) = sum;
        expected.mutable_matrix()(n, o) = sum + bias(o);
      }
    }
    testing::poison<double>({rows, outputs});
    EXPECT_LT(difference(linear(x, weight, bias), expected), 1e-13);
    testing::poison<double>({rows, outputs});
    EXPECT_LT(difference(linear(x, weight), without_bias), 1e-13);
  }
}

TEST(Linear, BackwardMatchesLoops) {
  for (const auto [rows, inputs, outputs] : kLinearSizes) {
    const auto x = random<double>({rows, inputs}, 1);
    const auto weight = random<double>({outputs, inputs}, 2);
    const auto dy = random<double>({rows, outputs}, 3);
    Tensor<double> dx = Tensor<double>::zeros({rows, inputs});
    Tensor<double> dw = Tensor<double>::zeros({outputs, inputs});
    Tensor<double> db = Tensor<double>::zeros({outputs});
    for (Index n = 0; n < rows; ++n) {
      for (Index o = 0; o < outputs; ++o) {
        db.mutable_data()[o] += dy(n, o);
        for (Index i = 0; i < inputs; ++i) {
          dx.mutable_matrix()(n, i) += dy(n, o) * weight(o, i);
          dw.mutable_matrix()(o, i) += dy(n, o) * x(n, i);
        }
      }
    }
    testing::poison<double>({rows, inputs});
    EXPECT_LT(difference(linear_backward_input(dy, weight), dx), 1e-13);
    testing::poison<double>({outputs, inputs});
    EXPECT_LT(difference(linear_backward_weight(dy, x), dw), 1e-13);
    testing::poison<double>({outputs});
    EXPECT_LT(difference(linear_backward_bias(dy), db), 1e-13);
  }
}

TEST(Linear, LeadingAxesAreTheBatch) {
  const auto x = random<float>({2, 3, 4, 5}, 1);
  const auto weight = random<float>({6, 5}, 2);
  const Tensor<float> y = linear(x, weight);
  EXPECT_EQ(y.shape(), (Shape{2, 3, 4, 6}));
  EXPECT_TRUE(equal(y.reshape({24, 6}), linear(x.reshape({24, 5}), weight)));
}

TEST(Linear, RefusesShapesThatDoNotFit) {
  const auto weight = random<float>({6, 5}, 2);
  EXPECT_THROW(linear(random<float>({2, 4}, 1), weight), ShapeError);
  EXPECT_THROW(linear(random<float>({2, 5}, 1), weight, random<float>({5}, 1)), ShapeError);
  EXPECT_THROW(linear_backward_input(random<float>({2, 5}, 1), weight), ShapeError);
  // A weight that would do as the matrix of all leading axes by the last.
  EXPECT_THROW(linear(random<float>({2, 5}, 1), random<float>({2, 3, 5}, 2)), ShapeError);
  EXPECT_THROW(linear_backward_input(random<float>({2, 6}, 1), random<float>({2, 3, 5}, 2)), ShapeError);
  EXPECT_THROW(linear(random<float>({2, 5}, 1), random<float>({5}, 2)), ShapeError);
  EXPECT_THROW(linear_backward_weight(random<float>({3, 6}, 1), random<float>({2, 5}, 1)), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::linear_test
