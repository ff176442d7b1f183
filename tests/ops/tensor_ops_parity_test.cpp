// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/pow.hpp>
#include <eigengrad/ops/reduce.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

// Operations on tensors against PyTorch; the cases are those of tests/golden/tensor_ops.py.

namespace eigengrad::EIGENGRAD_ISA::ops::tensor_ops_parity_test {
namespace {

using testing::Golden;

template <class T>
constexpr double kTolerance = std::is_same_v<T, double> ? 1e-10 : 1e-5;

template <class T>
void expect_part(const Golden& golden, const Tensor<T>& got, const std::string& part) {
  EXPECT_LT(testing::difference(got, golden[part].template cast<T>()), kTolerance<T>) << part;
}

/// y of op(a, b), and first(dy, a, b, y), second(dy, a, b, y).
template <class T, class Op, class First, class Second>
void expect_binary(const Golden& golden, const std::string& name, const Op& op, const First& first,
                   const Second& second) {
  const auto tensor = [&](const std::string& part) { return golden[name + "." + part].template cast<T>(); };
  const Tensor<T> a = tensor("x0"), b = tensor("x1"), dy = tensor("dy");
  const Tensor<T> y = op(a, b);
  expect_part(golden, y, name + ".y");
  expect_part(golden, first(dy, a, b, y), name + ".dx0");
  expect_part(golden, second(dy, a, b, y), name + ".dx1");
}

/// y of op(x), and backward(dy, x, y).
template <class T, class Op, class Backward>
void expect_unary(const Golden& golden, const std::string& name, const Op& op, const Backward& backward) {
  const auto tensor = [&](const std::string& part) { return golden[name + "." + part].template cast<T>(); };
  const Tensor<T> x = tensor("x0"), dy = tensor("dy");
  const Tensor<T> y = op(x);
  expect_part(golden, y, name + ".y");
  expect_part(golden, backward(dy, x, y), name + ".dx0");
}

template <class T>
void expect_binary_operations() {
  using X = Tensor<T>;
  const Golden golden("tensor_elementwise");
  std::vector<std::string> cases;
  for (int i = 0; i < 7; ++i) cases.push_back("." + std::to_string(i));
  const auto all = [&](const std::string& name, const auto& op, const auto& first, const auto& second) {
    for (const std::string& number : cases) expect_binary<T>(golden, name + number, op, first, second);
  };
  all(
      "add", [](const X& a, const X& b) { return a + b; },
      [](const X& dy, const X& a, const X&, const X&) { return add_backward_first(dy, a.shape()); },
      [](const X& dy, const X&, const X& b, const X&) { return add_backward_second(dy, b.shape()); });
  all(
      "sub", [](const X& a, const X& b) { return a - b; },
      [](const X& dy, const X& a, const X&, const X&) { return sub_backward_first(dy, a.shape()); },
      [](const X& dy, const X&, const X& b, const X&) { return sub_backward_second(dy, b.shape()); });
  all(
      "mul", [](const X& a, const X& b) { return a * b; },
      [](const X& dy, const X& a, const X& b, const X&) { return mul_backward_first(dy, b, a.shape()); },
      [](const X& dy, const X& a, const X& b, const X&) { return mul_backward_second(dy, a, b.shape()); });
  all(
      "div", [](const X& a, const X& b) { return a / b; },
      [](const X& dy, const X& a, const X& b, const X&) { return div_backward_first(dy, b, a.shape()); },
      [](const X& dy, const X&, const X& b, const X& y) { return div_backward_second(dy, b, y); });
  const auto power = [&](const std::string& name) {
    expect_binary<T>(
        golden, name, [](const X& a, const X& b) { return pow(a, b); },
        [](const X& dy, const X& a, const X& b, const X&) { return pow_backward_first(dy, a, b); },
        [](const X& dy, const X& a, const X& b, const X& y) { return pow_backward_second(dy, a, b, y); });
  };
  for (const std::string& number : cases) power("pow" + number);

  cases.push_back(".ties");
  all(
      "maximum", [](const X& a, const X& b) { return maximum(a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return maximum_backward_first(dy, a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return maximum_backward_second(dy, a, b); });
  all(
      "minimum", [](const X& a, const X& b) { return minimum(a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return minimum_backward_first(dy, a, b); },
      [](const X& dy, const X& a, const X& b, const X&) { return minimum_backward_second(dy, a, b); });

  const Tensor<bool> condition = greater(golden["where.condition"], 0.5);
  expect_binary<T>(
      golden, "where", [&](const X& a, const X& b) { return where(condition, a, b); },
      [&](const X& dy, const X& a, const X&, const X&) { return where_backward_first(dy, condition, a.shape()); },
      [&](const X& dy, const X&, const X& b, const X&) { return where_backward_second(dy, condition, b.shape()); });
}

TEST(TensorOpsParity, OperationsOnTwoTensors) {
  expect_binary_operations<double>();
  expect_binary_operations<float>();
}

// Negative bases have no gradient by the exponent: PyTorch's is NaN there, in the last element.
TEST(TensorOpsParity, PowersOfZeroAndBelow) {
  const Golden golden("tensor_elementwise");
  const auto& a = golden["pow.zeros.x0"];
  const auto& b = golden["pow.zeros.x1"];
  const auto& dy = golden["pow.zeros.dy"];
  const Tensor<double> y = pow(a, b);
  expect_part(golden, y, "pow.zeros.y");
  expect_part(golden, pow_backward_first(dy, a, b), "pow.zeros.dx0");
  const Tensor<double> db = pow_backward_second(dy, a, b, y);
  const auto& expected = golden["pow.zeros.dx1"];
  for (Index i = 0; i < 3; ++i) EXPECT_EQ(db(i), expected(i));
  EXPECT_TRUE(std::isnan(db(3)) && std::isnan(expected(3)));
}

template <class T>
void expect_unary_operations() {
  using X = Tensor<T>;
  const Golden golden("tensor_elementwise");
  const auto expect = [&](const std::string& name, const auto& op, const auto& backward) {
    expect_unary<T>(golden, name, op, backward);
  };
  expect(
      "neg", [](const X& x) { return -x; }, [](const X& dy, const X&, const X&) { return neg_backward(dy); });
  expect(
      "exp", [](const X& x) { return exp(x); }, [](const X& dy, const X&, const X& y) { return exp_backward(dy, y); });
  expect(
      "log", [](const X& x) { return log(x); }, [](const X& dy, const X& x, const X&) { return log_backward(dy, x); });
  expect(
      "sqrt", [](const X& x) { return sqrt(x); },
      [](const X& dy, const X&, const X& y) { return sqrt_backward(dy, y); });
  for (const char* name : {"abs", "abs.kink"}) {
    expect(
        name, [](const X& x) { return abs(x); }, [](const X& dy, const X& x, const X&) { return abs_backward(dy, x); });
  }
  expect(
      "square", [](const X& x) { return square(x); },
      [](const X& dy, const X& x, const X&) { return square_backward(dy, x); });
  for (const char* name : {"clamp", "clamp.edges"}) {
    expect(
        name, [](const X& x) { return clamp(x, 0.5, 0.9); },
        [](const X& dy, const X& x, const X&) { return clamp_backward(dy, x, 0.5, 0.9); });
  }
  expect(
      "maximum_number", [](const X& x) { return maximum(x, 0.7); },
      [](const X& dy, const X& x, const X&) { return maximum_backward_first(dy, x, 0.7); });
  for (const auto& [name, exponent] : std::vector<std::pair<const char*, double>>{
           {"pow_-1", -1.0}, {"pow_0", 0.0}, {"pow_0.5", 0.5}, {"pow_2", 2.0}, {"pow_3", 3.0}, {"pow_2.5", 2.5}}) {
    const double number = exponent;
    expect(
        name, [&](const X& x) { return pow(x, number); },
        [&](const X& dy, const X& x, const X&) { return pow_backward_first(dy, x, number); });
  }
  expect(
      "2_pow", [](const X& x) { return pow(2, x); },
      [](const X& dy, const X& x, const X& y) { return pow_backward_second(dy, 2, x, y); });
  expect(
      "2_sub", [](const X& x) { return 2 - x; },
      [](const X& dy, const X& x, const X&) { return sub_backward_second(dy, x.shape()); });
  expect(
      "2_div", [](const X& x) { return 2 / x; },
      [](const X& dy, const X& x, const X& y) { return div_backward_second(dy, x, y); });
}

TEST(TensorOpsParity, OperationsOnOneTensor) {
  expect_unary_operations<double>();
  expect_unary_operations<float>();
}

template <class T>
void expect_reductions() {
  using X = Tensor<T>;
  const Golden golden("tensor_reduce");
  const std::vector<std::pair<std::string, Axes>> axes = {{"all", {}}, {"0", 0}, {"1", 1}, {"-1", -1}, {"0_2", {0, 2}}};
  const auto one = [&](const std::string& name, const Axes& along, bool keepdims, const auto& op,
                       const auto& backward) {
    expect_unary<T>(
        golden, name, [&](const X& x) { return op(x, along, keepdims); },
        [&](const X& dy, const X& x, const X& y) { return backward(dy, x, y, along); });
  };
  const auto all = [&](const std::string& name, const auto& op, const auto& backward) {
    for (const auto& [text, along] : axes) one(name + "." + text, along, text == "1", op, backward);
    if (name == "sum" || name == "norm") one(name + ".of_none", 1, false, op, backward);
    if (name.rfind("var", 0) == 0) return;
    for (const char* other : {".none", ".one"}) one(name + other, 1, false, op, backward);
  };
  all(
      "sum", [](const X& x, const Axes& a, bool k) { return sum(x, a, k); },
      [](const X& dy, const X& x, const X&, const Axes& a) { return sum_backward(dy, x.shape(), a); });
  all(
      "mean", [](const X& x, const Axes& a, bool k) { return mean(x, a, k); },
      [](const X& dy, const X& x, const X&, const Axes& a) { return mean_backward(dy, x.shape(), a); });
  all(
      "var", [](const X& x, const Axes& a, bool k) { return var(x, a, k); },
      [](const X& dy, const X& x, const X&, const Axes& a) { return var_backward(dy, x, a); });
  all(
      "var_0", [](const X& x, const Axes& a, bool k) { return var(x, a, k, 0); },
      [](const X& dy, const X& x, const X&, const Axes& a) { return var_backward(dy, x, a, 0); });
  all(
      "max", [](const X& x, const Axes& a, bool k) { return max(x, a, k); },
      [](const X& dy, const X& x, const X& y, const Axes& a) { return max_backward(dy, x, y, a); });
  all(
      "min", [](const X& x, const Axes& a, bool k) { return min(x, a, k); },
      [](const X& dy, const X& x, const X& y, const Axes& a) { return min_backward(dy, x, y, a); });
  all(
      "logsumexp", [](const X& x, const Axes& a, bool k) { return logsumexp(x, a, k); },
      [](const X& dy, const X& x, const X& y, const Axes& a) { return logsumexp_backward(dy, x, y, a); });
  all(
      "norm", [](const X& x, const Axes& a, bool k) { return norm(x, a, k); },
      [](const X& dy, const X& x, const X& y, const Axes& a) { return norm_backward(dy, x, y, a); });
  one(
      "norm.zeros", 1, false, [](const X& x, const Axes& a, bool k) { return norm(x, a, k); },
      [](const X& dy, const X& x, const X& y, const Axes& a) { return norm_backward(dy, x, y, a); });
  expect_unary<T>(
      golden, "log_softmax", [](const X& x) { return log_softmax(x); },
      [](const X& dy, const X&, const X& y) { return log_softmax_backward(dy, y); });
  const X x = golden["argmax.x"].template cast<T>();
  for (int axis = 0; axis < 3; ++axis) {
    EXPECT_TRUE(equal(argmax(x, axis), golden["argmax." + std::to_string(axis)].template cast<Index>())) << axis;
  }
}

TEST(TensorOpsParity, Reductions) {
  expect_reductions<double>();
  expect_reductions<float>();
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::tensor_ops_parity_test
