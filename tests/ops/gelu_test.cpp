// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>

#include <eigengrad/ops/gelu.hpp>

#include "support/elementwise.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::gelu_test {
namespace {

constexpr double kPi = std::numbers::pi;

double exact(double x) { return 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0))); }
double exact_slope(double x) {
  return 0.5 * (1.0 + std::erf(x / std::sqrt(2.0))) + x * std::exp(-0.5 * x * x) / std::sqrt(2.0 * kPi);
}

double by_tanh(double x) { return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / kPi) * (x + 0.044715 * x * x * x))); }
double by_tanh_slope(double x) {
  const double t = std::tanh(std::sqrt(2.0 / kPi) * (x + 0.044715 * x * x * x));
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * std::sqrt(2.0 / kPi) * (1.0 + 3.0 * 0.044715 * x * x);
}

template <class T>
void expect_definition(double tolerance) {
  testing::expect_elementwise<T>(
      tolerance, [](Tensor<T> x) { return gelu(std::move(x)); },
      [](Tensor<T> dy, const Tensor<T>& x) { return gelu_backward(std::move(dy), x); }, exact, exact_slope);
  testing::expect_elementwise<T>(
      tolerance, [](Tensor<T> x) { return gelu(std::move(x), Approximate::tanh); },
      [](Tensor<T> dy, const Tensor<T>& x) { return gelu_backward(std::move(dy), x, Approximate::tanh); }, by_tanh,
      by_tanh_slope);
}

TEST(Gelu, MatchesItsDefinition) {
  expect_definition<double>(1e-14);
  expect_definition<float>(3e-6);
}

template <class T>
void expect_limits(Approximate approximate) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  // Twice, so that both the vector part and the rest of a loop see them.
  const Tensor<T> x({18}, {-kInfinity, -1e30F, -1000, -50, 0, 50, 1000, 1e30F, kInfinity,  //
                           -kInfinity, -1e30F, -1000, -50, 0, 50, 1000, 1e30F, kInfinity});
  const Tensor<T> y = gelu(x, approximate);
  const Tensor<T> dx = gelu_backward(Tensor<T>::ones({18}), x, approximate);
  for (Index i = 0; i < 18; ++i) {
    EXPECT_TRUE(x(i) > T(0) ? y(i) == x(i) : std::abs(y(i)) < T(1e-34)) << i << ": " << y(i);
    EXPECT_NEAR(dx(i), x(i) > T(0) ? T(1) : (x(i) < T(0) ? T(0) : T(0.5)), 1e-34) << i;
  }
  const auto nan = Tensor<T>::full({17}, std::numeric_limits<T>::quiet_NaN());
  for (Index i = 0; i < 17; ++i) {
    EXPECT_TRUE(std::isnan(gelu(nan, approximate)(i)));
    EXPECT_TRUE(std::isnan(gelu_backward(Tensor<T>::ones({17}), nan, approximate)(i)));
  }
}

TEST(Gelu, HasItsLimitsFarOut) {
  for (const Approximate approximate : {Approximate::none, Approximate::tanh}) {
    expect_limits<float>(approximate);
    expect_limits<double>(approximate);
  }
}

TEST(Gelu, TheNegativeTailDoesNotCancel) {
  const Tensor<double> y = gelu(Tensor<double>({2}, {-8.0, -8.5}));
  EXPECT_NEAR(y(0) / -4.9768e-15, 1.0, 1e-4);  // x P(x) from the asymptotic series of P
  EXPECT_NEAR(y(1) / -8.0576e-17, 1.0, 1e-3);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::gelu_test
