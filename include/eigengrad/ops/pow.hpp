// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <utility>

#include <eigengrad/ops/map.hpp>
#include <eigengrad/ops/math.hpp>

// Powers, element by element, with broadcasting.
//   Tensor<T> y = pow(x, 3);      // or pow(2, x), pow(x, y)

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

struct Power {
  template <class A, class B>
  auto operator()(const A& a, const B& b) const {
    return a.binaryExpr(b, [](auto base, auto exponent) { return std::pow(base, exponent); });
  }
};

}  // namespace detail

/// y = a^b; NaN for a negative a and a b that is not an integer
/// Shapes   a, b any that broadcast, or a number for one of them; y as they broadcast
/// Memory   none if a is the only holder of its elements and has the shape of y, else one tensor
/// Errors   ShapeError if the shapes do not broadcast
template <std::floating_point T>
Tensor<T> pow(Tensor<T> a, const Tensor<T>& b) {
  return detail::broadcast<T>("pow", std::move(a), b, detail::Power());
}
/// The exponents -1, 1/2, 1, 2 and 3 cost no general power.
template <std::floating_point T, NumberFor<T> N>
Tensor<T> pow(Tensor<T> a, N b) {
  const T exponent = static_cast<T>(b);
  if (exponent == T(1)) return a;
  if (exponent == T(2)) return square(std::move(a));
  if (exponent == T(3)) return map(std::move(a), [](const auto& v) { return v * v * v; });
  if (exponent == T(-1)) return div(1, std::move(a));
  if (exponent == T(0.5)) return sqrt(std::move(a));
  return detail::with_number<T>(std::move(a), exponent, detail::Power());
}
template <std::floating_point T, NumberFor<T> N>
Tensor<T> pow(N a, Tensor<T> b) {
  return detail::with_number<T>(std::move(b), static_cast<T>(a), detail::Flipped<detail::Power>());
}

/// da = b a^(b-1) dy, and 0 where a and b are 0, summed over the copies of each element of a
/// Shapes   dy as the result of pow; a, b as its arguments
template <class X>
X pow_backward_first(const X& dy, const X& a, const X& b) {
  // With 1 in the place of a where both are 0, no 0 is multiplied by 0^-1, here or in a further derivative.
  const X base = where(logical_and(equal_to(a, 0), equal_to(b, 0)), 1, a);
  return sum_to(mul(mul(pow(base, sub(b, 1)), b), dy), a.shape());
}
template <class X, Number N>
X pow_backward_first(const X& dy, const X& a, N b) {
  if (b == N(0)) return where(equal_to(a, a), 0, dy);
  return mul(mul(pow(a, static_cast<double>(b) - 1.0), b), dy);
}

/// db = y log(a) dy with y = a^b, and 0 where a is 0 and b not negative, summed over the copies of each element of b
/// Shapes   dy, y as the result of pow; a, b as its arguments
template <class X>
X pow_backward_second(const X& dy, const X& a, const X& b, const X& y) {
  const X base = where(logical_and(equal_to(a, 0), greater_equal(b, 0)), 1, a);
  return sum_to(mul(mul(log(base), y), dy), b.shape());
}
template <class X, Number N>
X pow_backward_second(const X& dy, N a, const X& b, const X& y) {
  const X share = mul(mul(y, std::log(static_cast<double>(a))), dy);
  return a == N(0) ? where(greater_equal(b, 0), 0, share) : share;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
