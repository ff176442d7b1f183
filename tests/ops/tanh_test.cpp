// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/tanh.hpp>

#include "support/elementwise.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::tanh_test {
namespace {

template <class T>
void expect_definition(double tolerance) {
  testing::expect_elementwise<T>(
      tolerance, [](Tensor<T> x) { return ops::tanh(std::move(x)); },
      [](Tensor<T> dy, const Tensor<T>& x) { return tanh_backward(std::move(dy), ops::tanh(x)); },
      [](double x) { return std::tanh(x); }, [](double x) { return 1.0 / (std::cosh(x) * std::cosh(x)); });
}

TEST(Tanh, MatchesItsDefinition) {
  expect_definition<double>(1e-14);
  expect_definition<float>(1e-6);
}

template <class T>
void expect_limits() {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const Tensor<T> x({6}, {-kInfinity, -1000, 1000, kInfinity, 0, std::numeric_limits<T>::quiet_NaN()});
  const Tensor<T> y = ops::tanh(x);
  for (const Index i : {0, 1}) EXPECT_EQ(y(i), T(-1)) << i;
  for (const Index i : {2, 3}) EXPECT_EQ(y(i), T(1)) << i;
  EXPECT_EQ(y(4), T(0));
  EXPECT_TRUE(std::isnan(y(5)));
  const Tensor<T> dx = tanh_backward(Tensor<T>::ones({6}), y);
  for (const Index i : {0, 1, 2, 3}) EXPECT_EQ(dx(i), T(0)) << i;
}

TEST(Tanh, HasItsLimitsFarOut) {
  expect_limits<float>();
  expect_limits<double>();
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::tanh_test
