// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/ops/kernels/map_packets.hpp>
#include <eigengrad/ops/map.hpp>

// Functions of one tensor, element by element, and their derivatives.
//   Tensor<T> y = log(add(square(x), 1));
// NaN and the infinities go through as IEEE 754 has it: exp(-infinity) is 0, log(0) is -infinity, log(-1) is NaN.

namespace eigengrad::EIGENGRAD_ISA::ops {

/// y = exp(x)
/// Shapes   x, y any, the same; so below
/// Memory   none if x is the only holder of its elements, else one tensor; so below
template <std::floating_point T>
Tensor<T> exp(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return detail::exp(v); });
}

/// dx = y dy
template <class X>
X exp_backward(const X& dy, const X& y) {
  return mul(dy, y);
}

/// y = log(x), the natural logarithm
template <std::floating_point T>
Tensor<T> log(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return detail::log(v); });
}

/// dx = dy / x
template <class X>
X log_backward(const X& dy, const X& x) {
  return div(dy, x);
}

/// y = sqrt(x)
template <std::floating_point T>
Tensor<T> sqrt(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return detail::sqrt(v); });
}

/// dx = dy / (2 y); infinite at 0
template <class X>
X sqrt_backward(const X& dy, const X& y) {
  return div(mul(dy, 0.5), y);
}

/// y = |x|
template <class T>
Tensor<T> abs(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return v.abs(); });
}

/// dx = dy where x > 0, -dy where x < 0, 0 where x = 0
template <class X>
X abs_backward(const X& dy, const X& x) {
  return where(greater(x, 0), dy, where(less(x, 0), neg(dy), 0));
}

/// y = x^2
template <class T>
Tensor<T> square(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return v.square(); });
}

/// dx = 2 x dy
template <class X>
X square_backward(const X& dy, const X& x) {
  return mul(mul(dy, 2), x);
}

/// y = x cut off at low and at high; NaN stays NaN
/// Errors   ValueError if low is more than high, or one of them is NaN
template <class T, NumberFor<T> Low, NumberFor<T> High>
Tensor<T> clamp(Tensor<T> x, Low low, High high) {
  const T least = static_cast<T>(low);
  const T most = static_cast<T>(high);
  detail::check::at_least_or_infinite("clamp", "high", most, least);
  return detail::map_packets(std::move(x), [least, most](auto v) EIGENGRAD_INLINE_LAMBDA {
    using P = decltype(v);
    const P low_edge = detail::packet::pset1<P>(least);
    const P high_edge = detail::packet::pset1<P>(most);
    const P raised = v < low_edge ? low_edge : v;
    return raised > high_edge ? high_edge : raised;
  });
}

/// dx = dy where low <= x <= high, else 0
template <class X, class Low, class High>
X clamp_backward(const X& dy, const X& x, Low low, High high) {
  return where(greater_equal(x, low), where(less_equal(x, high), dy, 0), 0);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
