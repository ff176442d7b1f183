// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/functions.hpp>

#include "support/autodiff_check.hpp"

// First and second derivatives of every function on Variables, over shapes that broadcast, of one element and of none.

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using testing::expect_derivatives;
using testing::Tensors;
using testing::Variables;

/// Numbers of magnitude 0.5 to 1.5 and either sign, none near a kink or a tie.
Tensor<double> away_from_0(const Shape& shape, std::uint64_t seed) {
  Rng rng(seed);
  return Tensor<double>::generate(shape, [&] { return (rng.uniform() < 0.5 ? -1.0 : 1.0) * rng.uniform(0.5, 1.5); });
}
Tensor<double> positive(const Shape& shape, std::uint64_t seed) {
  Rng rng(seed);
  return Tensor<double>::rand(shape, rng, 0.5, 2.0);
}

const std::pair<Shape, Shape> kPairs[] = {{{2, 3}, {2, 3}}, {{2, 3}, {3}},       {{2, 1}, {1, 3}},
                                          {{}, {2, 2}},     {{2, 1, 3}, {4, 1}}, {{0, 3}, {1, 3}}};
const Shape kShapes[] = {{}, {1}, {4}, {2, 3}, {0, 2}, {2, 1, 3}};

TEST(Functions, ArithmeticBroadcasts) {
  for (const auto& [a, b] : kPairs) {
    const Tensors at{away_from_0(a, 1), away_from_0(b, 2)};
    const std::string shapes = to_string(a) + " " + to_string(b);
    expect_derivatives(
        "add " + shapes, [](const Variables& x) { return x[0] + x[1]; }, at);
    expect_derivatives(
        "sub " + shapes, [](const Variables& x) { return x[0] - x[1]; }, at);
    expect_derivatives(
        "mul " + shapes, [](const Variables& x) { return x[0] * x[1]; }, at);
    expect_derivatives(
        "div " + shapes, [](const Variables& x) { return x[0] / x[1]; }, at);
    expect_derivatives(
        "maximum " + shapes, [](const Variables& x) { return maximum(x[0], x[1]); }, at);
    expect_derivatives(
        "minimum " + shapes, [](const Variables& x) { return minimum(x[0], x[1]); }, at);
    const Tensor<bool> mask = ops::greater(ops::add(at[0], at[1]), 0);
    expect_derivatives(
        "where " + shapes, [&](const Variables& x) { return where(mask, x[0] * x[0], x[1] * x[1]); }, at);
    expect_derivatives("pow " + shapes, [](const Variables& x) { return pow(x[0], x[1]); },
                       {positive(a, 3), away_from_0(b, 4)});
  }
}

TEST(Functions, NumbersAreConstants) {
  const Tensors at{away_from_0({2, 3}, 1)};
  expect_derivatives(
      "number", [](const Variables& x) { return 2.0 * x[0] - 1.0 / x[0] + (3.0 - x[0]) / 2.0; }, at);
  expect_derivatives(
      "tensor", [](const Variables& x) { return Tensor<double>::full({3}, 2.0) * x[0] * x[0]; }, at);
  expect_derivatives(
      "maximum", [](const Variables& x) { return maximum(x[0], 0.1) * minimum(x[0], 0.2); }, at);
}

TEST(Functions, OfSingleElements) {
  using F = Variable<double> (*)(const Variable<double>&);
  const std::pair<const char*, F> functions[] = {
      {"exp", &exp<double>},   {"abs", &abs<double>},   {"square", &square<double>},
      {"neg", &neg<double>},   {"relu", &relu<double>}, {"sigmoid", &sigmoid<double>},
      {"tanh", &tanh<double>}, {"silu", &silu<double>}, {"gelu", &gelu<double>}};
  for (const Shape& shape : kShapes) {
    const Tensors at{away_from_0(shape, 1)};
    for (const auto& [name, f] : functions) {
      expect_derivatives(
          name + to_string(shape), [f = f](const Variables& x) { return f(x[0]); }, at);
    }
    expect_derivatives(
        "clamp", [](const Variables& x) { return clamp(x[0], -0.8, 0.9) * x[0]; }, at);
    expect_derivatives("log", [](const Variables& x) { return log(x[0]); }, {positive(shape, 2)});
    expect_derivatives("sqrt", [](const Variables& x) { return sqrt(x[0]); }, {positive(shape, 2)});
    expect_derivatives(
        "pow 3", [](const Variables& x) { return pow(x[0], 3); }, at);
    expect_derivatives("pow 2.5", [](const Variables& x) { return pow(x[0], 2.5); }, {positive(shape, 2)});
    expect_derivatives(
        "2 pow", [](const Variables& x) { return pow(2.0, x[0]); }, at);
  }
}

TEST(Functions, Reductions) {
  struct Case {
    Shape shape;
    ops::Axes axes;
  };
  const Case cases[] = {{{2, 3}, {}},   {{2, 3}, 0}, {{2, 3}, -1}, {{2, 3, 4}, {0, 2}},
                        {{2, 1, 3}, 1}, {{1}, 0},    {{}, {}}};
  for (const Case& c : cases) {
    const Shape& shape = c.shape;
    const ops::Axes& axes = c.axes;
    const Tensors at{away_from_0(shape, 1)};
    for (const bool keepdims : {false, true}) {
      const auto check = [&](const char* name, const auto& f) {
        expect_derivatives(
            name + to_string(shape), [&](const Variables& x) { return f(x[0]); }, at);
      };
      check("sum", [&, a = axes](const auto& x) { return sum(x, a, keepdims); });
      check("mean", [&, a = axes](const auto& x) { return mean(x, a, keepdims); });
      check("var", [&, a = axes](const auto& x) { return var(x, a, keepdims, 0.0); });
      check("max", [&, a = axes](const auto& x) { return max(x, a, keepdims); });
      check("min", [&, a = axes](const auto& x) { return min(x, a, keepdims); });
      check("logsumexp", [&, a = axes](const auto& x) { return logsumexp(x, a, keepdims); });
      check("norm", [&, a = axes](const auto& x) { return norm(x, a, keepdims); });
    }
  }
  expect_derivatives("sum of none", [](const Variables& x) { return sum(x[0], 0); }, {Tensor<double>({0, 2})});
}

TEST(Functions, ShapesAndPlaces) {
  const Tensors at{away_from_0({2, 3, 4}, 1)};
  const auto check = [&](const char* name, const auto& f) {
    expect_derivatives(
        name, [&](const Variables& x) { return f(x[0] * x[0]); }, at);
  };
  check("reshape", [](const auto& x) { return reshape(x, {6, 4}); });
  check("permute", [](const auto& x) { return permute(x, {2, 0, 1}); });
  check("transpose", [](const auto& x) { return transpose(x, 0, -1); });
  check("unsqueeze", [](const auto& x) { return squeeze(unsqueeze(x, 1)); });
  check("slice", [](const auto& x) { return slice(x, 2, 1, -1); });
  check("slice in steps", [](const auto& x) { return slice(x, 1, 0, 3, 2); });
  check("pad", [](const auto& x) { return pad(x, {{1, 0}, {0, 2}, {0, 0}}, 5.0); });
  check("broadcast_to", [](const auto& x) { return broadcast_to(x, {2, 2, 3, 4}); });
  check("sum_to", [](const auto& x) { return sum_to(x, {3, 1}); });
  const Tensor<Index> indices({3}, {2, 0, 2});
  check("take", [&](const auto& x) { return take(x, indices, 1); });
  const Tensor<Index> index({2, 3, 2}, {0, 1, 3, 3, 2, 0, 1, 1, 0, 2, 3, 0});
  check("gather", [&](const auto& x) { return gather(x, 2, index); });
  check("concat", [](const auto& x) { return concat({x, slice(x, 1, 0, 1), x}, 1); });
  check("stack", [](const auto& x) { return stack({x, x * x}, 1); });
  const std::vector<Variable<double>> constants(2, Variable<double>(Tensor<double>::ones({2})));
  EXPECT_FALSE(concat(constants).requires_grad());
}

TEST(Functions, MatrixProducts) {
  const std::pair<Shape, Shape> pairs[] = {
      {{2, 3}, {3, 4}},         {{3}, {3, 2}}, {{2, 3}, {3}}, {{3}, {3}}, {{1, 1}, {1, 1}}, {{4, 2, 3}, {3, 2}},
      {{2, 1, 2, 3}, {3, 3, 2}}};
  for (const auto& [a, b] : pairs) {
    expect_derivatives("matmul " + to_string(a) + to_string(b), [](const Variables& x) { return matmul(x[0], x[1]); },
                       {away_from_0(a, 1), away_from_0(b, 2)});
  }
  expect_derivatives("transposed",
                     [](const Variables& x) { return matmul(x[0], x[1], {.transpose_a = true, .transpose_b = true}); },
                     {away_from_0({3, 2}, 1), away_from_0({4, 3}, 2)});
}

TEST(Functions, OfLayers) {
  const Tensors at{away_from_0({4, 3}, 1)};
  expect_derivatives(
      "softmax", [](const Variables& x) { return softmax(x[0]); }, at);
  expect_derivatives(
      "log_softmax", [](const Variables& x) { return log_softmax(x[0]); }, at);
  const Tensor<Index> labels({4}, {0, 2, 1, 1});
  expect_derivatives(
      "cross-entropy", [&](const Variables& x) { return softmax_cross_entropy(x[0], labels); }, at);
  expect_derivatives("linear", [](const Variables& x) { return linear(x[0], x[1], x[2]); },
                     {away_from_0({2, 2, 3}, 1), away_from_0({5, 3}, 2), away_from_0({5}, 3)});
  expect_derivatives("mse_loss", [](const Variables& x) { return mse_loss(x[0], x[1]); },
                     {away_from_0({2, 3}, 1), away_from_0({2, 3}, 2)});
}

// What is left out in a call means the same for Variables as for tensors.
TEST(Functions, DefaultsAreThoseOfTensors) {
  const Tensor<double> a = away_from_0({2, 3}, 1), b = away_from_0({2, 3}, 2);
  const Variable<double> x(a), y(b);
  EXPECT_TRUE(equal(sum(x).value(), ops::sum(a)));
  EXPECT_TRUE(equal(mean(x).value(), ops::mean(a)));
  EXPECT_TRUE(equal(max(x).value(), ops::max(a)));
  EXPECT_TRUE(equal(min(x).value(), ops::min(a)));
  EXPECT_TRUE(equal(logsumexp(x).value(), ops::logsumexp(a)));
  EXPECT_TRUE(equal(norm(x).value(), ops::norm(a)));
  EXPECT_TRUE(equal(var(x).value(), ops::var(a)));
  EXPECT_TRUE(equal(sum(x, 1).value(), ops::sum(a, 1)));
  EXPECT_TRUE(equal(mean(x, 0).value(), ops::mean(a, 0)));
  EXPECT_TRUE(equal(var(x, 1, true).value(), ops::var(a, 1, true)));
  EXPECT_TRUE(equal(argmax(x, 1), ops::argmax(a, 1)));
  EXPECT_TRUE(equal(pad(x, {{0, 1}, {1, 2}}).value(), ops::pad(a, {{0, 1}, {1, 2}})));
  EXPECT_TRUE(equal(slice(x, 1, 0, 3).value(), a));
  EXPECT_TRUE(equal(unslice(x, {4, 3}, 0, 1, 3).value(), ops::unslice(a, {4, 3}, 0, 1, 3)));
  const Tensor<Index> indices({3}, {1, 0, 1});
  EXPECT_TRUE(equal(take(x, indices).value(), ops::take(a, indices)));
  EXPECT_TRUE(equal(scatter_add(take(x, indices), indices, {2, 3}).value(),
                    ops::scatter_add(ops::take(a, indices), indices, {2, 3})));
  const std::vector<Variable<double>> both{x, y};
  const Tensor<double> joined = ops::concat({a, b}), stacked = ops::stack({a, b});
  EXPECT_EQ(joined.shape(), (Shape{4, 3}));
  EXPECT_EQ(stacked.shape(), (Shape{2, 2, 3}));
  EXPECT_TRUE(equal(concat({x, y}).value(), joined));
  EXPECT_TRUE(equal(concat(both).value(), joined));
  EXPECT_TRUE(equal(concat(std::span<const Variable<double>>(both)).value(), joined));
  EXPECT_TRUE(equal(stack({x, y}).value(), stacked));
  EXPECT_TRUE(equal(stack(both).value(), stacked));
  EXPECT_TRUE(equal(stack(std::span<const Variable<double>>(both)).value(), stacked));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
