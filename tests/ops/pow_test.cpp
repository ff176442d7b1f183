// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/pow.hpp>

#include "support/broadcast.hpp"
#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::pow_test {
namespace {

using X = Tensor<double>;

TEST(Pow, EachElementWithBroadcasting) {
  const auto expect = []<class T>(T) {
    testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return pow(add(abs(a), 0.1), b); },
                                  [](T a, T b) { return std::pow(std::abs(a) + T(0.1), b); });
  };
  expect(float());
  expect(double());
}

TEST(Pow, TakesNumbersOnEitherSide) {
  const auto x = add(abs(testing::random<double>({101}, 1)), 0.1);
  for (const double exponent : {-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 1.7}) {
    const X y = pow(x, exponent);
    for (Index i = 0; i < x.numel(); ++i) {
      EXPECT_NEAR(y(i) / std::pow(x(i), exponent), 1.0, 1e-15) << x(i) << " ^ " << exponent;
    }
  }
  const X y = pow(2, x);
  for (Index i = 0; i < x.numel(); ++i) EXPECT_NEAR(y(i) / std::pow(2.0, x(i)), 1.0, 1e-15) << x(i);  // clang: exp2
  EXPECT_TRUE(equal(pow(Tensor<float>({2}, {-2, 3}), 2), Tensor<float>({2}, {4, 9})));
  EXPECT_TRUE(equal(pow(Tensor<float>({2}, {-2, 3}), 5), Tensor<float>({2}, {-32, 243})));
  EXPECT_TRUE(std::isnan(pow(X({}, {-2}), 0.3).item()));
}

TEST(Pow, DerivativesAreTheDifferences) {
  for (const auto& [a, b, shape] : testing::broadcast_cases()) {
    const X base = add(abs(testing::random<double>(a, 1)), 0.4);
    const X exponent = testing::random<double>(b, 2);
    EXPECT_TRUE(testing::op_gradcheck(
        "pow", std::array{base, exponent}, [](const auto& x) { return pow(x[0], x[1]); },
        [](const auto& dy, const auto& x, const auto& y) {
          return std::array{pow_backward_first(dy, x[0], x[1]), pow_backward_second(dy, x[0], x[1], y)};
        }))
        << a << " " << b;
  }
  const X x = add(abs(testing::random<double>({3, 4}, 1)), 0.4);
  for (const double number : {-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 1.7}) {
    EXPECT_TRUE(testing::op_gradcheck(
        "pow", x, [&](const X& v) { return pow(v, number); },
        [&](const X& dy, const X& v, const X&) { return pow_backward_first(dy, v, number); }));
    if (number <= 0.0) continue;
    EXPECT_TRUE(testing::op_gradcheck(
        "pow", x, [&](const X& v) { return pow(number, v); },
        [&](const X& dy, const X& v, const X& y) { return pow_backward_second(dy, number, v, y); }));
  }
  EXPECT_TRUE(testing::op_gradcheck(
      "pow", neg(x), [](const X& v) { return pow(v, 3); },
      [](const X& dy, const X& v, const X&) { return pow_backward_first(dy, v, 3); }));
}

// As PyTorch: no NaN from 0 times infinity.
TEST(Pow, DerivativesAtZero) {
  const X dy({4}, {1, 2, 3, 4});
  const X a({4}, {0, 0, 0, 2});
  const X b({4}, {0, 1, 2, 0});
  const X y = pow(a, b);
  EXPECT_TRUE(equal(y, X({4}, {1, 0, 0, 1})));
  EXPECT_TRUE(equal(pow_backward_first(dy, a, b), X({4}, {0, 2, 0, 0})));
  EXPECT_LT(testing::difference(pow_backward_second(dy, a, b, y), X({4}, {0, 0, 0, 4 * std::log(2.0)})), 1e-15);
  EXPECT_TRUE(equal(pow_backward_first(dy, a, 0), X::zeros({4})));
  EXPECT_TRUE(equal(pow_backward_second(dy, 0, b, pow(0, b)), X::zeros({4})));
  EXPECT_EQ(pow_backward_first(dy, a, 0.5)(0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(pow_backward_second(dy, 0, X::full({4}, -1), pow(0, X::full({4}, -1)))(0),
            -std::numeric_limits<double>::infinity());
}

TEST(Pow, RefusesShapesThatDoNotBroadcast) {
  EXPECT_EQ(testing::message_of([] {
              pow(X::zeros({2, 3}), X::zeros({2}));
            }),
            "pow: shapes (2, 3) and (2,) do not broadcast");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::pow_test
