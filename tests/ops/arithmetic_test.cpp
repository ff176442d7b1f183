// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/arithmetic.hpp>

#include "support/broadcast.hpp"
#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::arithmetic_test {
namespace {

using testing::kNaN;

TEST(Arithmetic, EachElementWithBroadcasting) {
  const auto expect = []<class T>(T) {
    testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return add(a, b); },
                                  [](T a, T b) { return a + b; });
    testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return sub(a, b); },
                                  [](T a, T b) { return a - b; });
    testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return mul(a, b); },
                                  [](T a, T b) { return a * b; });
    testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return maximum(a, b); },
                                  [](T a, T b) { return std::max(a, b); });
    testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return minimum(a, b); },
                                  [](T a, T b) { return std::min(a, b); });
    if constexpr (std::is_floating_point_v<T>) {
      testing::expect_broadcasts<T>([](const auto& a, const auto& b) { return div(a, b); },
                                    [](T a, T b) { return a / b; });
    }
  };
  expect(float());
  expect(double());
  expect(Index());
}

TEST(Arithmetic, TakesNumbersOnEitherSide) {
  const Tensor<float> x({3}, {1, 2, 4});
  const auto expect = [](const Tensor<float>& got, std::initializer_list<float> expected) {
    EXPECT_TRUE(equal(got, Tensor<float>({3}, expected)));
  };
  expect(neg(x), {-1, -2, -4});
  expect(-x, {-1, -2, -4});
  expect(x + 2, {3, 4, 6});
  expect(2 + x, {3, 4, 6});
  expect(x - 0.5, {0.5F, 1.5F, 3.5F});
  expect(0.5 - x, {-0.5F, -1.5F, -3.5F});
  expect(x * 2, {2, 4, 8});
  expect(2 * x, {2, 4, 8});
  expect(x / 2, {0.5F, 1, 2});
  expect(2 / x, {2, 1, 0.5F});
  expect(maximum(x, 2), {2, 2, 4});
  expect(maximum(2, x), {2, 2, 4});
  expect(minimum(x, 2), {1, 2, 2});
  expect(minimum(2, x), {1, 2, 2});
  expect((x + x) * x - x / x, {1, 7, 31});
  expect(0.1 * x, {0.1F, 0.1F * 2, 0.1F * 4});
}

TEST(Arithmetic, NaNIsTheMaximumAndTheMinimum) {
  const Tensor<double> a({4}, {1, kNaN, 1, kNaN});
  const Tensor<double> b({4}, {2, 2, kNaN, kNaN});
  const Tensor<bool> nans({4}, {false, true, true, true});
  EXPECT_TRUE(equal(isnan(maximum(a, b)), nans));
  EXPECT_TRUE(equal(isnan(minimum(a, b)), nans));
  EXPECT_TRUE(equal(isnan(maximum(a, 2)), isnan(a)));
  EXPECT_TRUE(equal(isnan(minimum(a, kNaN)), Tensor<bool>::full({4}, true)));
}

TEST(Arithmetic, WritesOverATemporary) {
  auto x = testing::random<float>({1000}, 1);
  const auto row = testing::random<float>({1}, 2);
  const float* memory = x.data();
  x = add(std::move(x), row);
  x = 2 * std::move(x);
  x = div(1, std::move(x));
  EXPECT_EQ(x.data(), memory);
  const auto y = add(Tensor<float>::ones({1}), x);  // the second one's shape: no memory to use
  EXPECT_EQ(y.shape(), (Shape{1000}));
}

TEST(Arithmetic, RefusesShapesThatDoNotBroadcast) {
  const auto a = Tensor<float>::zeros({2, 3});
  const auto b = Tensor<float>::zeros({4, 3});
  EXPECT_EQ(testing::message_of([&] { add(a, b); }), "add: shapes (2, 3) and (4, 3) do not broadcast");
  EXPECT_EQ(testing::message_of([&] { a - b; }), "sub: shapes (2, 3) and (4, 3) do not broadcast");
  EXPECT_THROW(mul(a, b), ShapeError);
  EXPECT_THROW(div(a, b), ShapeError);
  EXPECT_THROW(maximum(a, b), ShapeError);
  EXPECT_THROW(minimum(a, b), ShapeError);
}

/// Checks both derivatives on all shapes; the elements of a and b are far from each other and from 0.
template <class Op, class First, class Second>
void expect_derivatives(const char* name, const Op& op, const First& first, const Second& second) {
  for (const auto& [a, b, shape] : testing::broadcast_cases()) {
    Rng rng(3);
    const Tensor<double> x = detail::distinct_numbers(a, rng);
    const Tensor<double> y = 1.7 * detail::distinct_numbers(b, rng) + 0.05;
    EXPECT_TRUE(testing::op_gradcheck(
        name, std::array{x, y}, [&](const auto& in) { return op(in[0], in[1]); },
        [&](const auto& dy, const auto& in, const auto& out) {
          return std::array{first(dy, in[0], in[1], out), second(dy, in[0], in[1], out)};
        }))
        << a << " " << b;
  }
}

using X = Tensor<double>;

TEST(Arithmetic, DerivativesAreTheDifferences) {
  expect_derivatives(
      "add", [](const X& a, const X& b) { return add(a, b); },
      [](const X& dy, const X& a, const X&, const X&) { return add_backward_first(dy, a.shape()); },
      [](const X& dy, const X&, const X& b, const X&) { return add_backward_second(dy, b.shape()); });
  expect_derivatives(
      "sub", [](const X& a, const X& b) { return sub(a, b); },
      [](const X& dy, const X& a, const X&, const X&) { return sub_backward_first(dy, a.shape()); },
      [](const X& dy, const X&, const X& b, const X&) { return sub_backward_second(dy, b.shape()); });
  expect_derivatives(
      "mul", [](const X& a, const X& b) { return mul(a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return mul_backward_first(dy, b, a.shape()); },
      [](const X& dy, const X& a, const X& b, const X&) { return mul_backward_second(dy, a, b.shape()); });
  expect_derivatives(
      "maximum", [](const X& a, const X& b) { return maximum(a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return maximum_backward_first(dy, a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return maximum_backward_second(dy, a, b); });
  expect_derivatives(
      "minimum", [](const X& a, const X& b) { return minimum(a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return minimum_backward_first(dy, a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return minimum_backward_second(dy, a, b); });
}

TEST(Arithmetic, TheDerivativesOfAQuotientAreTheDifferences) {
  expect_derivatives(
      "div", [](const X& a, const X& b) { return div(a, b + 5); },
      [](const X& dy, const X& a, const X& b, const X&) { return div_backward_first(dy, b + 5, a.shape()); },
      [](const X& dy, const X&, const X& b, const X& y) { return div_backward_second(dy, b + 5, y); });
}

TEST(Arithmetic, DerivativesWithNumbersAreTheDifferences) {
  Rng rng(4);
  const X x = detail::distinct_numbers({3, 5}, rng) + 0.03;
  const auto check = [&](const auto& forward, const auto& backward) {
    EXPECT_TRUE(testing::op_gradcheck("number", x, forward, backward));
  };
  check([](const X& v) { return neg(v); }, [](const X& dy, const X&, const X&) { return neg_backward(dy); });
  check([](const X& v) { return 3 - v; },
        [](const X& dy, const X& v, const X&) { return sub_backward_second(dy, v.shape()); });
  check([](const X& v) { return 3 * v; },
        [](const X& dy, const X& v, const X&) { return mul_backward_second(dy, 3, v.shape()); });
  check([](const X& v) { return v / 3; },
        [](const X& dy, const X& v, const X&) { return div_backward_first(dy, 3, v.shape()); });
  check([](const X& v) { return 3 / (v + 4); },
        [](const X& dy, const X& v, const X& y) { return div_backward_second(dy, v + 4, y); });
  check([](const X& v) { return maximum(v, 0.5); },
        [](const X& dy, const X& v, const X&) { return maximum_backward_first(dy, v, 0.5); });
  check([](const X& v) { return minimum(0.5, v); },
        [](const X& dy, const X& v, const X&) { return minimum_backward_second(dy, 0.5, v); });
}

TEST(Arithmetic, EqualOperandsOfAMaximumShareTheGradient) {
  const X a({3}, {1, 2, 3});
  const X dy({3}, {10, 20, 30});
  const X one({1}, {2});
  EXPECT_TRUE(equal(maximum_backward_first(dy, a, one), X({3}, {0, 10, 30})));
  EXPECT_TRUE(equal(maximum_backward_second(dy, a, one), X({1}, {20})));
  EXPECT_TRUE(equal(minimum_backward_first(dy, a, one), X({3}, {10, 10, 0})));
  EXPECT_TRUE(equal(minimum_backward_second(dy, a, one), X({1}, {40})));
}

// The check itself must be able to fail.
TEST(Arithmetic, AWrongDerivativeIsFound) {
  const auto forward = [](const X& v) { return v * v; };
  EXPECT_FALSE(testing::op_gradcheck("square", testing::random<double>({3}, 1), forward,
                                     [](const X& dy, const X& v, const X&) { return dy * v; }));
  EXPECT_FALSE(testing::op_gradcheck("square", testing::random<double>({3}, 1), forward,
                                     [](const X& dy, const X& v, const X&) { return sum_to(2 * dy * v, {1}); }));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::arithmetic_test
