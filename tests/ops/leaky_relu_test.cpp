// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/leaky_relu.hpp>

#include "support/elementwise.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::leaky_relu_test {
namespace {

template <class T>
void expect_definition(double slope, double tolerance) {
  testing::expect_elementwise<T>(
      tolerance, [&](Tensor<T> x) { return leaky_relu(std::move(x), slope); },
      [&](Tensor<T> dy, const Tensor<T>& x) { return leaky_relu_backward(std::move(dy), x, slope); },
      [&](double x) { return x > 0.0 ? x : slope * x; }, [&](double x) { return x > 0.0 ? 1.0 : slope; });
}

TEST(LeakyRelu, MatchesItsDefinition) {
  for (const double slope : {0.01, 0.0, 2.0, -0.5}) {
    expect_definition<double>(slope, 1e-15);
    expect_definition<float>(slope, 1e-7);
  }
}

TEST(LeakyRelu, BackwardFromTheOutputIsTheSame) {
  const Tensor<float> x({5}, {-2, -0.5F, 0, 0.5F, 2});
  const Tensor<float> dy({5}, {1, 2, 3, 4, 5});
  for (const double slope : {0.25, 0.0}) {
    EXPECT_TRUE(equal(leaky_relu_backward(dy, leaky_relu(x, slope), slope), leaky_relu_backward(dy, x, slope)));
  }
  EXPECT_TRUE(equal(leaky_relu_backward(dy, x, 0.25), Tensor<float>({5}, {0.25F, 0.5F, 0.75F, 4, 5})));
}

TEST(LeakyRelu, LetsNaNAndInfinitiesPass) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const Tensor<float> y = leaky_relu(Tensor<float>({3}, {std::nanf(""), kInfinity, -kInfinity}), 0.01);
  EXPECT_TRUE(std::isnan(y(0)));
  EXPECT_EQ(y(1), kInfinity);
  EXPECT_EQ(y(2), -kInfinity);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::leaky_relu_test
