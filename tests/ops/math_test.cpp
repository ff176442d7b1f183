// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/math.hpp>

#include "support/elementwise.hpp"
#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::math_test {
namespace {

template <class T>
void expect_definitions(double tolerance) {
  using X = Tensor<T>;
  testing::expect_elementwise<T>(
      tolerance, [](X x) { return exp(std::move(x)); },
      [](const X& dy, const X& x) { return exp_backward(dy, exp(x)); }, [](double x) { return std::exp(x); },
      [](double x) { return std::exp(x); });
  testing::expect_elementwise<T>(
      tolerance, [](X x) { return abs(std::move(x)); }, [](const X& dy, const X& x) { return abs_backward(dy, x); },
      [](double x) { return std::abs(x); }, [](double x) { return x > 0 ? 1.0 : -1.0; });
  testing::expect_elementwise<T>(
      tolerance, [](X x) { return square(std::move(x)); },
      [](const X& dy, const X& x) { return square_backward(dy, x); }, [](double x) { return x * x; },
      [](double x) { return 2.0 * x; });
  testing::expect_elementwise<T>(
      tolerance, [](X x) { return clamp(std::move(x), -1.5, 2); },
      [](const X& dy, const X& x) { return clamp_backward(dy, x, -1.5, 2); },
      [](double x) { return std::clamp(x, -1.5, 2.0); }, [](double x) { return x > -1.5 && x < 2.0 ? 1.0 : 0.0; });
  // Of positive numbers, by exp of those that the test gives.
  testing::expect_elementwise<T>(
      tolerance, [](X x) { return log(add(abs(std::move(x)), 0.25)); },
      [](const X& dy, const X& x) { return abs_backward(log_backward(dy, add(abs(x), 0.25)), x); },
      [](double x) { return std::log(std::abs(x) + 0.25); },
      [](double x) { return (x > 0 ? 1.0 : -1.0) / (std::abs(x) + 0.25); });
  testing::expect_elementwise<T>(
      tolerance, [](X x) { return sqrt(add(abs(std::move(x)), 0.25)); },
      [](const X& dy, const X& x) { return abs_backward(sqrt_backward(dy, sqrt(add(abs(x), 0.25))), x); },
      [](double x) { return std::sqrt(std::abs(x) + 0.25); },
      [](double x) { return (x > 0 ? 0.5 : -0.5) / std::sqrt(std::abs(x) + 0.25); });
}

TEST(Math, FollowsTheDefinitions) {
  expect_definitions<double>(1e-14);
  expect_definitions<float>(1e-6);
}

/// Each value in every lane of a vector and in what is left over.
template <class T, class F>
void expect_values(const F& f, std::initializer_list<std::pair<T, T>> values) {
  for (const auto& [x, expected] : values) {
    const Tensor<T> y = f(Tensor<T>::full({37}, x));
    for (const T got : y.span()) {
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(got)) << "at " << x << ": " << got;
      else
        EXPECT_EQ(got, expected) << "at " << x;
    }
  }
}

template <class T>
void expect_limits() {
  constexpr T inf = std::numeric_limits<T>::infinity();
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  expect_values<T>([](const Tensor<T>& x) { return exp(x); },
                   {{0, 1}, {-inf, 0}, {inf, inf}, {nan, nan}, {T(-2000), 0}, {T(2000), inf}});
  expect_values<T>([](const Tensor<T>& x) { return log(x); }, {{1, 0}, {0, -inf}, {inf, inf}, {nan, nan}, {-1, nan}});
  expect_values<T>([](const Tensor<T>& x) { return sqrt(x); }, {{9, 3}, {0, 0}, {inf, inf}, {nan, nan}, {-1, nan}});
  expect_values<T>([](const Tensor<T>& x) { return abs(x); }, {{-2, 2}, {-inf, inf}, {nan, nan}});
  expect_values<T>([](const Tensor<T>& x) { return square(x); }, {{-3, 9}, {-inf, inf}, {nan, nan}});
  expect_values<T>([](const Tensor<T>& x) { return clamp(x, -1, 2); },
                   {{-inf, -1}, {inf, 2}, {nan, nan}, {-1, -1}, {2, 2}, {T(0.5), T(0.5)}});
}

TEST(Math, LetsNaNAndTheInfinitiesThrough) {
  expect_limits<float>();
  expect_limits<double>();
}

TEST(Math, DerivativesAtTheKinks) {
  using X = Tensor<double>;
  const X dy({5}, {1, 2, 3, 4, 5});
  EXPECT_TRUE(equal(abs_backward(dy, X({5}, {-1, 0, 2, -0.0, testing::kNaN})), X({5}, {-1, 0, 3, 0, 0})));
  EXPECT_TRUE(equal(clamp_backward(dy, X({5}, {-1, 1, 0, 1.5, testing::kNaN}), -1, 1), X({5}, {1, 2, 3, 0, 0})));
  EXPECT_EQ(sqrt_backward(dy, X::zeros({5})).data()[0], testing::kInfinity);
}

TEST(Math, DerivativesAreTheDifferences) {
  using X = Tensor<double>;
  Rng rng(5);
  const X x = detail::distinct_numbers({4, 7}, rng);
  const X positive = add(abs(x), 0.5);
  const auto check = [](const char* name, const X& at, const auto& forward, const auto& backward) {
    EXPECT_TRUE(testing::op_gradcheck(name, at, forward, backward));
  };
  check(
      "exp", x, [](const X& v) { return exp(v); },
      [](const X& dy, const X&, const X& y) { return exp_backward(dy, y); });
  check(
      "log", positive, [](const X& v) { return log(v); },
      [](const X& dy, const X& v, const X&) { return log_backward(dy, v); });
  check(
      "sqrt", positive, [](const X& v) { return sqrt(v); },
      [](const X& dy, const X&, const X& y) { return sqrt_backward(dy, y); });
  check(
      "abs", x, [](const X& v) { return abs(v); },
      [](const X& dy, const X& v, const X&) { return abs_backward(dy, v); });
  check(
      "square", x, [](const X& v) { return square(v); },
      [](const X& dy, const X& v, const X&) { return square_backward(dy, v); });
  check(
      "clamp", x, [](const X& v) { return clamp(v, -0.9, 1.03); },
      [](const X& dy, const X& v, const X&) { return clamp_backward(dy, v, -0.9, 1.03); });
}

TEST(Math, ClampRefusesBoundsInTheWrongOrder) {
  const auto x = Tensor<float>::zeros({2});
  EXPECT_EQ(testing::message_of([&] { clamp(x, 2, 1); }), "clamp: high is 1, expected 2 or more");
  EXPECT_THROW(clamp(x, std::nanf(""), 1), ValueError);
  EXPECT_THROW(clamp(x, 0, std::nanf("")), ValueError);
  EXPECT_TRUE(equal(clamp(Tensor<Index>({3}, {1, 5, 9}), 2, 6), Tensor<Index>({3}, {2, 5, 6})));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::math_test
