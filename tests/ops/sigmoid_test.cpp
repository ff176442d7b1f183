// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/sigmoid.hpp>

#include "support/elementwise.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::sigmoid_test {
namespace {

template <class T>
void expect_definition(double tolerance) {
  const auto value = [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
  testing::expect_elementwise<T>(
      tolerance, [](Tensor<T> x) { return sigmoid(std::move(x)); },
      [](Tensor<T> dy, const Tensor<T>& x) { return sigmoid_backward(std::move(dy), sigmoid(x)); }, value,
      [&](double x) { return std::exp(-x) * value(x) * value(x); });
}

TEST(Sigmoid, MatchesItsDefinition) {
  expect_definition<double>(1e-14);
  expect_definition<float>(1e-6);
}

template <class T>
void expect_limits() {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const Tensor<T> x({8}, {-kInfinity, -1000, 1000, kInfinity, 0, std::numeric_limits<T>::quiet_NaN(), 1e30F, -1e30F});
  const Tensor<T> y = sigmoid(x);
  for (const Index i : {0, 1, 7}) EXPECT_NEAR(y(i), T(0), 1e-37) << i;
  for (const Index i : {2, 3, 6}) EXPECT_EQ(y(i), T(1)) << i;
  EXPECT_EQ(y(4), T(0.5));
  EXPECT_TRUE(std::isnan(y(5)));
  const Tensor<T> dx = sigmoid_backward(Tensor<T>::ones({8}), y);
  for (const Index i : {0, 1, 2, 3, 6, 7}) EXPECT_NEAR(dx(i), T(0), 1e-37) << i;
}

TEST(Sigmoid, HasItsLimitsFarOut) {
  expect_limits<float>();
  expect_limits<double>();
}

// 1 / (1 + exp(-x)) is exp(x) to 5e-5 at -10: the small values are not lost in a difference.
TEST(Sigmoid, SmallValuesKeepTheirDigits) {
  for (const float at : {-10.0F, -20.0F, -50.0F, -80.0F}) {
    const Tensor<float> y = sigmoid(Tensor<float>::full({32}, at));
    EXPECT_NEAR(static_cast<double>(y(0)) * (1.0 + std::exp(-static_cast<double>(at))), 1.0, 1e-6) << at;
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::sigmoid_test
