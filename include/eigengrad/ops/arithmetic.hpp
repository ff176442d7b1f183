// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <functional>
#include <utility>

#include <eigengrad/ops/broadcast.hpp>
#include <eigengrad/ops/compare.hpp>
#include <eigengrad/ops/map.hpp>
#include <eigengrad/ops/where.hpp>

// Arithmetic, element by element, with broadcasting, and its derivatives.
//   Tensor<T> y = add(mul(x, gain), bias);       // shapes (8, 5, 3), (5, 1), (3,)
//   Tensor<T> z = 2 * (x - mu) / sigma;          // the same by operators; numbers are converted to T
//
// A derivative is a template over the array type X: a Tensor, or whatever else has a shape() and these operations,
// found by its arguments, so that the derivative can be differentiated again. An operand that the operation takes as a
// number may be a number there too.

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// The larger or the smaller, as an array expression.
template <class Choice>
struct Choose {
  template <class A, class B>
  auto operator()(const A& a, const B& b) const {
    return a.binaryExpr(b, Choice());
  }
};

}  // namespace detail

/// y = -x
/// Shapes   x, y any, the same
template <class T>
Tensor<T> neg(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return -v; });
}

/// y = a + b
/// Shapes   a, b any that broadcast, or a number for one of them; y as they broadcast
/// Memory   none if a is the only holder of its elements and has the shape of y, else one tensor; so below
/// Errors   ShapeError if the shapes do not broadcast; so below
template <class T>
Tensor<T> add(Tensor<T> a, const Tensor<T>& b) {
  return detail::broadcast<T>("add", std::move(a), b, std::plus<>());
}
template <class T, NumberFor<T> N>
Tensor<T> add(Tensor<T> a, N b) {
  return detail::with_number<T>(std::move(a), static_cast<T>(b), std::plus<>());
}
template <class T, NumberFor<T> N>
Tensor<T> add(N a, Tensor<T> b) {
  return add(std::move(b), a);
}

/// y = a - b
template <class T>
Tensor<T> sub(Tensor<T> a, const Tensor<T>& b) {
  return detail::broadcast<T>("sub", std::move(a), b, std::minus<>());
}
template <class T, NumberFor<T> N>
Tensor<T> sub(Tensor<T> a, N b) {
  return detail::with_number<T>(std::move(a), static_cast<T>(b), std::minus<>());
}
template <class T, NumberFor<T> N>
Tensor<T> sub(N a, Tensor<T> b) {
  return detail::with_number<T>(std::move(b), static_cast<T>(a), detail::Flipped<std::minus<>>());
}

/// y = a b, element by element
template <class T>
Tensor<T> mul(Tensor<T> a, const Tensor<T>& b) {
  return detail::broadcast<T>("mul", std::move(a), b, std::multiplies<>());
}
template <class T, NumberFor<T> N>
Tensor<T> mul(Tensor<T> a, N b) {
  return detail::with_number<T>(std::move(a), static_cast<T>(b), std::multiplies<>());
}
template <class T, NumberFor<T> N>
Tensor<T> mul(N a, Tensor<T> b) {
  return mul(std::move(b), a);
}

/// y = a / b
template <std::floating_point T>
Tensor<T> div(Tensor<T> a, const Tensor<T>& b) {
  return detail::broadcast<T>("div", std::move(a), b, std::divides<>());
}
template <std::floating_point T, NumberFor<T> N>
Tensor<T> div(Tensor<T> a, N b) {
  return detail::with_number<T>(std::move(a), static_cast<T>(b), std::divides<>());
}
template <std::floating_point T, NumberFor<T> N>
Tensor<T> div(N a, Tensor<T> b) {
  return detail::with_number<T>(std::move(b), static_cast<T>(a), detail::Flipped<std::divides<>>());
}

/// y = the larger of a and b; NaN if one of them is
/// Memory   one tensor
template <class T>
Tensor<T> maximum(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::broadcast<T>("maximum", a, b, detail::Choose<detail::Larger>());
}
template <class T, NumberFor<T> N>
Tensor<T> maximum(const Tensor<T>& a, N b) {
  return detail::with_number<T>(a, static_cast<T>(b), detail::Choose<detail::Larger>());
}
template <class T, NumberFor<T> N>
Tensor<T> maximum(N a, const Tensor<T>& b) {
  return maximum(b, a);
}

/// y = the smaller of a and b; NaN if one of them is
/// Memory   one tensor
template <class T>
Tensor<T> minimum(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::broadcast<T>("minimum", a, b, detail::Choose<detail::Smaller>());
}
template <class T, NumberFor<T> N>
Tensor<T> minimum(const Tensor<T>& a, N b) {
  return detail::with_number<T>(a, static_cast<T>(b), detail::Choose<detail::Smaller>());
}
template <class T, NumberFor<T> N>
Tensor<T> minimum(N a, const Tensor<T>& b) {
  return minimum(b, a);
}

// ---------------------------------------------------------------------------------------------------------
// Derivatives. dy has the shape of y; a and b are the operands or, if they are of type Shape, the operands' shapes.

/// dx = -dy
template <class X>
X neg_backward(const X& dy) {
  return neg(dy);
}

/// da = dy, summed over the copies of each element of a
template <class X>
X add_backward_first(const X& dy, const Shape& a) {
  return sum_to(dy, a);
}
/// db = dy, summed over the copies of each element of b
template <class X>
X add_backward_second(const X& dy, const Shape& b) {
  return sum_to(dy, b);
}

/// da = dy, summed over the copies of each element of a
template <class X>
X sub_backward_first(const X& dy, const Shape& a) {
  return sum_to(dy, a);
}
/// db = -dy, summed over the copies of each element of b
template <class X>
X sub_backward_second(const X& dy, const Shape& b) {
  return neg(sum_to(dy, b));
}

/// da = dy b, summed over the copies of each element of a
template <class X, class B>
X mul_backward_first(const X& dy, const B& b, const Shape& a) {
  return sum_to(mul(dy, b), a);
}
/// db = dy a, summed over the copies of each element of b
template <class X, class A>
X mul_backward_second(const X& dy, const A& a, const Shape& b) {
  return sum_to(mul(dy, a), b);
}

/// da = dy / b, summed over the copies of each element of a
template <class X, class B>
X div_backward_first(const X& dy, const B& b, const Shape& a) {
  return sum_to(div(dy, b), a);
}
/// db = -dy y / b with y = a / b, summed over the copies of each element of b
template <class X>
X div_backward_second(const X& dy, const X& b, const X& y) {
  return neg(sum_to(div(mul(dy, y), b), b.shape()));
}

/// da = dy where a > b, dy / 2 where a = b, else 0, summed over the copies of each element of a
template <class X, class B>
X maximum_backward_first(const X& dy, const X& a, const B& b) {
  return sum_to(where(less(a, b), 0, where(equal_to(a, b), mul(dy, 0.5), dy)), a.shape());
}
/// db = dy where b > a, dy / 2 where b = a, else 0, summed over the copies of each element of b
template <class X, class A>
X maximum_backward_second(const X& dy, const A& a, const X& b) {
  return maximum_backward_first(dy, b, a);
}

/// da = dy where a < b, dy / 2 where a = b, else 0, summed over the copies of each element of a
template <class X, class B>
X minimum_backward_first(const X& dy, const X& a, const B& b) {
  return sum_to(where(greater(a, b), 0, where(equal_to(a, b), mul(dy, 0.5), dy)), a.shape());
}
/// db = dy where b < a, dy / 2 where b = a, else 0, summed over the copies of each element of b
template <class X, class A>
X minimum_backward_second(const X& dy, const A& a, const X& b) {
  return minimum_backward_first(dy, b, a);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops

namespace eigengrad::EIGENGRAD_ISA {

template <class T>
Tensor<T> operator-(Tensor<T> x) {
  return ops::neg(std::move(x));
}

template <class T>
Tensor<T> operator+(Tensor<T> a, const Tensor<T>& b) {
  return ops::add(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator+(Tensor<T> a, N b) {
  return ops::add(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator+(N a, Tensor<T> b) {
  return ops::add(a, std::move(b));
}

template <class T>
Tensor<T> operator-(Tensor<T> a, const Tensor<T>& b) {
  return ops::sub(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator-(Tensor<T> a, N b) {
  return ops::sub(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator-(N a, Tensor<T> b) {
  return ops::sub(a, std::move(b));
}

template <class T>
Tensor<T> operator*(Tensor<T> a, const Tensor<T>& b) {
  return ops::mul(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator*(Tensor<T> a, N b) {
  return ops::mul(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator*(N a, Tensor<T> b) {
  return ops::mul(a, std::move(b));
}

template <class T>
Tensor<T> operator/(Tensor<T> a, const Tensor<T>& b) {
  return ops::div(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator/(Tensor<T> a, N b) {
  return ops::div(std::move(a), b);
}
template <class T, ops::NumberFor<T> N>
Tensor<T> operator/(N a, Tensor<T> b) {
  return ops::div(a, std::move(b));
}

namespace ops::detail {

/// a = f(a), in a's own memory if nobody else holds it. If f throws a is as it was.
template <class T, class F>
Tensor<T>& assign_operation(Tensor<T>& a, const F& f) {
  return a = a.unique() ? f(std::move(a)) : f(a);
}

/// Errors   ShapeError if b does not broadcast to the shape of a
template <class T>
void check_assignable(const char* name, const Tensor<T>& a, const Tensor<T>& b) {
  if (broadcast_shape(a.shape(), b.shape(), name) == a.shape()) return;
  throw ShapeError(error_text(name, ": shape ", b.shape(), " does not broadcast to ", a.shape()));
}

}  // namespace ops::detail

// b broadcasts to the shape of a, or is a number.
template <class T>
Tensor<T>& operator+=(Tensor<T>& a, const Tensor<T>& b) {
  ops::detail::check_assignable("+=", a, b);
  return ops::detail::assign_operation(a, [other = b](Tensor<T> x) { return ops::add(std::move(x), other); });
}
template <class T, ops::NumberFor<T> N>
Tensor<T>& operator+=(Tensor<T>& a, N b) {
  return ops::detail::assign_operation(a, [b](Tensor<T> x) { return ops::add(std::move(x), b); });
}

template <class T>
Tensor<T>& operator-=(Tensor<T>& a, const Tensor<T>& b) {
  ops::detail::check_assignable("-=", a, b);
  return ops::detail::assign_operation(a, [other = b](Tensor<T> x) { return ops::sub(std::move(x), other); });
}
template <class T, ops::NumberFor<T> N>
Tensor<T>& operator-=(Tensor<T>& a, N b) {
  return ops::detail::assign_operation(a, [b](Tensor<T> x) { return ops::sub(std::move(x), b); });
}

template <class T>
Tensor<T>& operator*=(Tensor<T>& a, const Tensor<T>& b) {
  ops::detail::check_assignable("*=", a, b);
  return ops::detail::assign_operation(a, [other = b](Tensor<T> x) { return ops::mul(std::move(x), other); });
}
template <class T, ops::NumberFor<T> N>
Tensor<T>& operator*=(Tensor<T>& a, N b) {
  return ops::detail::assign_operation(a, [b](Tensor<T> x) { return ops::mul(std::move(x), b); });
}

template <class T>
Tensor<T>& operator/=(Tensor<T>& a, const Tensor<T>& b) {
  ops::detail::check_assignable("/=", a, b);
  return ops::detail::assign_operation(a, [other = b](Tensor<T> x) { return ops::div(std::move(x), other); });
}
template <class T, ops::NumberFor<T> N>
Tensor<T>& operator/=(Tensor<T>& a, N b) {
  return ops::detail::assign_operation(a, [b](Tensor<T> x) { return ops::div(std::move(x), b); });
}

}  // namespace eigengrad::EIGENGRAD_ISA
