// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/silu.hpp>

#include "support/elementwise.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::silu_test {
namespace {

template <class T>
void expect_definition(double tolerance) {
  testing::expect_elementwise<T>(
      tolerance, [](Tensor<T> x) { return silu(std::move(x)); },
      [](Tensor<T> dy, const Tensor<T>& x) { return silu_backward(std::move(dy), x); },
      [](double x) { return x / (1.0 + std::exp(-x)); },
      [](double x) {
        const double e = std::exp(-x);
        return (1.0 + e + x * e) / ((1.0 + e) * (1.0 + e));
      });
}

TEST(Silu, MatchesItsDefinition) {
  expect_definition<double>(1e-14);
  expect_definition<float>(1e-6);
}

template <class T>
void expect_limits() {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  // Twice, so that both the vector part and the rest of a loop see them.
  const Tensor<T> x({18}, {-kInfinity, -1e30F, -1000, -150, 0, 150, 1000, 1e30F, kInfinity,  //
                           -kInfinity, -1e30F, -1000, -150, 0, 150, 1000, 1e30F, kInfinity});
  const Tensor<T> y = silu(x);
  const Tensor<T> dx = silu_backward(Tensor<T>::ones({18}), x);
  for (Index i = 0; i < 18; ++i) {
    EXPECT_TRUE(x(i) > T(0) ? y(i) == x(i) : std::abs(y(i)) < T(1e-34)) << i << ": " << y(i);
    EXPECT_NEAR(dx(i), x(i) > T(0) ? T(1) : (x(i) < T(0) ? T(0) : T(0.5)), 1e-34) << i;
  }
  const auto nan = Tensor<T>::full({17}, std::numeric_limits<T>::quiet_NaN());
  for (Index i = 0; i < 17; ++i) {
    EXPECT_TRUE(std::isnan(silu(nan)(i)));
    EXPECT_TRUE(std::isnan(silu_backward(Tensor<T>::ones({17}), nan)(i)));
  }
}

TEST(Silu, HasItsLimitsFarOut) {
  expect_limits<float>();
  expect_limits<double>();
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::silu_test
