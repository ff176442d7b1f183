// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/pow.hpp>
#include <eigengrad/ops/reduce.hpp>

#include "support/tensors.hpp"

// The derivatives of operations on tensors serve any array that has a shape and the operations, found by its namespace.

namespace elsewhere {

using eigengrad::Index;
using eigengrad::Shape;
using eigengrad::Tensor;
namespace ops = eigengrad::ops;

/// What such an array must have, and nothing else.
struct Array {
  Tensor<double> tensor;
  const Shape& shape() const { return tensor.shape(); }
};

template <class X>
const auto& inner(const X& x) {
  if constexpr (std::is_same_v<X, Array>)
    return x.tensor;
  else
    return x;
}
template <class... X>
concept Arrays = (std::is_same_v<X, Array> || ...);

template <class A, class B>
requires Arrays<A, B> Array mul(const A& a, const B& b) { return {ops::mul(inner(a), inner(b))}; }
template <class A, class B>
requires Arrays<A, B> Array div(const A& a, const B& b) { return {ops::div(inner(a), inner(b))}; }
template <class A, class B>
requires Arrays<A, B> Array sub(const A& a, const B& b) { return {ops::sub(inner(a), inner(b))}; }
template <class A, class B>
requires Arrays<A, B> Array pow(const A& a, const B& b) { return {ops::pow(inner(a), inner(b))}; }
template <class A, class B>
requires Arrays<A, B> Array where(const Tensor<bool>& condition, const A& a, const B& b) {
  return {ops::where(condition, inner(a), inner(b))};
}
template <class A, class B>
requires Arrays<A, B> Tensor<bool> greater(const A& a, const B& b) { return ops::greater(inner(a), inner(b)); }
template <class A, class B>
requires Arrays<A, B> Tensor<bool> greater_equal(const A& a, const B& b) {
  return ops::greater_equal(inner(a), inner(b));
}
template <class A, class B>
requires Arrays<A, B> Tensor<bool> less(const A& a, const B& b) { return ops::less(inner(a), inner(b)); }
template <class A, class B>
requires Arrays<A, B> Tensor<bool> less_equal(const A& a, const B& b) { return ops::less_equal(inner(a), inner(b)); }
template <class A, class B>
requires Arrays<A, B> Tensor<bool> equal_to(const A& a, const B& b) { return ops::equal_to(inner(a), inner(b)); }
Array neg(const Array& x) { return {ops::neg(x.tensor)}; }
Array exp(const Array& x) { return {ops::exp(x.tensor)}; }
Array log(const Array& x) { return {ops::log(x.tensor)}; }
Array sum_to(const Array& x, const Shape& shape) { return {ops::sum_to(x.tensor, shape)}; }
Array broadcast_to(const Array& x, const Shape& shape) { return {ops::broadcast_to(x.tensor, shape)}; }
Array reshape(const Array& x, const Shape& shape) { return {x.tensor.reshape(shape)}; }
Array sum(const Array& x, const ops::Axes& axes, bool keepdims) { return {ops::sum(x.tensor, axes, keepdims)}; }
Array mean(const Array& x, const ops::Axes& axes, bool keepdims) { return {ops::mean(x.tensor, axes, keepdims)}; }

}  // namespace elsewhere

namespace eigengrad::EIGENGRAD_ISA::ops::derivatives_test {
namespace {

/// f gives the same of tensors and of arrays from elsewhere.
template <class F, class... Tensors>
void expect_same(const F& f, const Tensors&... tensors) {
  const elsewhere::Array other = f(elsewhere::Array{tensors}...);
  EXPECT_LT(testing::difference(other.tensor, f(tensors...)), 1e-15);
}

TEST(Derivatives, ServeOtherArraysThanTensors) {
  const Shape row{3};
  const Shape whole{4, 3};
  const auto a = add(abs(testing::random<double>(whole, 1)), 0.1);
  const auto b = add(abs(testing::random<double>(row, 2)), 0.1);
  const auto y = add(abs(testing::random<double>(whole, 3)), 0.1);
  const auto dy = testing::random<double>(whole, 4);
  const auto y1 = mean(y, 1);
  const auto dy1 = mean(dy, 1);
  const Tensor<bool> mask = greater(dy, 0);

  expect_same([&](const auto& d) { return broadcast_to_backward(d, row); }, dy);
  expect_same([&](const auto& d) { return sum_to_backward(d, whole); }, b);
  expect_same([&](const auto& d) { return neg_backward(d); }, dy);
  expect_same([&](const auto& d) { return add_backward_first(d, whole); }, dy);
  expect_same([&](const auto& d) { return add_backward_second(d, row); }, dy);
  expect_same([&](const auto& d) { return sub_backward_first(d, whole); }, dy);
  expect_same([&](const auto& d) { return sub_backward_second(d, row); }, dy);
  expect_same([&](const auto& d, const auto& v) { return mul_backward_first(d, v, whole); }, dy, b);
  expect_same([&](const auto& d, const auto& v) { return mul_backward_second(d, v, row); }, dy, a);
  expect_same([&](const auto& d) { return mul_backward_first(d, 2, whole); }, dy);
  expect_same([&](const auto& d, const auto& v) { return div_backward_first(d, v, whole); }, dy, b);
  expect_same([&](const auto& d, const auto& v, const auto& z) { return div_backward_second(d, v, z); }, dy, b, y);
  expect_same([&](const auto& d, const auto& u, const auto& v) { return maximum_backward_first(d, u, v); }, dy, a, b);
  expect_same([&](const auto& d, const auto& u, const auto& v) { return maximum_backward_second(d, u, v); }, dy, a, b);
  expect_same([&](const auto& d, const auto& u) { return maximum_backward_first(d, u, 0.5); }, dy, a);
  expect_same([&](const auto& d, const auto& u, const auto& v) { return minimum_backward_first(d, u, v); }, dy, a, b);
  expect_same([&](const auto& d, const auto& u, const auto& v) { return minimum_backward_second(d, u, v); }, dy, a, b);
  expect_same([&](const auto& d) { return where_backward_first(d, mask, row); }, dy);
  expect_same([&](const auto& d) { return where_backward_second(d, mask, row); }, dy);

  expect_same([&](const auto& d, const auto& z) { return exp_backward(d, z); }, dy, y);
  expect_same([&](const auto& d, const auto& x) { return log_backward(d, x); }, dy, a);
  expect_same([&](const auto& d, const auto& z) { return sqrt_backward(d, z); }, dy, y);
  expect_same([&](const auto& d, const auto& x) { return abs_backward(d, x); }, dy, dy);
  expect_same([&](const auto& d, const auto& x) { return square_backward(d, x); }, dy, a);
  expect_same([&](const auto& d, const auto& x) { return clamp_backward(d, x, 0.2, 1); }, dy, a);
  expect_same([&](const auto& d, const auto& u, const auto& v) { return pow_backward_first(d, u, v); }, dy, a, b);
  expect_same([&](const auto& d, const auto& u) { return pow_backward_first(d, u, 2.5); }, dy, a);
  expect_same([&](const auto& d, const auto& u) { return pow_backward_first(d, u, 0); }, dy, a);
  expect_same(
      [&](const auto& d, const auto& u, const auto& v, const auto& z) { return pow_backward_second(d, u, v, z); }, dy,
      a, b, y);
  expect_same([&](const auto& d, const auto& v, const auto& z) { return pow_backward_second(d, 2, v, z); }, dy, a, y);

  expect_same([&](const auto& d) { return sum_backward(d, whole, 1); }, dy1);
  expect_same([&](const auto& d) { return mean_backward(d, whole, 1); }, dy1);
  expect_same([&](const auto& d, const auto& x) { return var_backward(d, x, 1, 0.5); }, dy1, a);
  expect_same([&](const auto& d, const auto& x, const auto& z) { return max_backward(d, x, z, 1); }, dy1, a, max(a, 1));
  expect_same([&](const auto& d, const auto& x, const auto& z) { return min_backward(d, x, z, 1); }, dy1, a, min(a, 1));
  expect_same([&](const auto& d, const auto& x, const auto& z) { return logsumexp_backward(d, x, z, 1); }, dy1, a, y1);
  expect_same([&](const auto& d, const auto& x, const auto& z) { return norm_backward(d, x, z, 1); }, dy1, a, y1);
  expect_same([&](const auto& d, const auto& z) { return log_softmax_backward(d, z); }, dy, neg(y));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::derivatives_test
