// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <functional>
#include <utility>

#include <eigengrad/ops/broadcast.hpp>

// Comparisons, element by element, with broadcasting: masks for `where`.
//   Tensor<bool> mask = logical_and(greater(x, 0), less(x, y));
// As in IEEE 754 a comparison with NaN is false.

namespace eigengrad::EIGENGRAD_ISA::ops {

/// a > b
/// Shapes   a, b any that broadcast, or a number for one of them; result as they broadcast
/// Errors   ShapeError if the shapes do not broadcast; so below
template <class T>
Tensor<bool> greater(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::broadcast<bool>("greater", a, b, std::greater<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> greater(const Tensor<T>& a, N b) {
  return detail::with_number<bool>(a, static_cast<T>(b), std::greater<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> greater(N a, const Tensor<T>& b) {
  return detail::with_number<bool>(b, static_cast<T>(a), std::less<>());
}

/// a >= b
template <class T>
Tensor<bool> greater_equal(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::broadcast<bool>("greater_equal", a, b, std::greater_equal<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> greater_equal(const Tensor<T>& a, N b) {
  return detail::with_number<bool>(a, static_cast<T>(b), std::greater_equal<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> greater_equal(N a, const Tensor<T>& b) {
  return detail::with_number<bool>(b, static_cast<T>(a), std::less_equal<>());
}

/// a < b
template <class T>
Tensor<bool> less(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::broadcast<bool>("less", a, b, std::less<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> less(const Tensor<T>& a, N b) {
  return greater(b, a);
}
template <class T, NumberFor<T> N>
Tensor<bool> less(N a, const Tensor<T>& b) {
  return greater(b, a);
}

/// a <= b
template <class T>
Tensor<bool> less_equal(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::broadcast<bool>("less_equal", a, b, std::less_equal<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> less_equal(const Tensor<T>& a, N b) {
  return greater_equal(b, a);
}
template <class T, NumberFor<T> N>
Tensor<bool> less_equal(N a, const Tensor<T>& b) {
  return greater_equal(b, a);
}

/// a == b element by element; eigengrad::equal compares two tensors as a whole.
template <class T>
Tensor<bool> equal_to(const Tensor<T>& a, const Tensor<T>& b) {
  return detail::broadcast<bool>("equal_to", a, b, std::equal_to<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> equal_to(const Tensor<T>& a, N b) {
  return detail::with_number<bool>(a, static_cast<T>(b), std::equal_to<>());
}
template <class T, NumberFor<T> N>
Tensor<bool> equal_to(N a, const Tensor<T>& b) {
  return equal_to(b, a);
}

/// True where x is NaN.
/// Shapes   x, result any, the same
template <std::floating_point T>
Tensor<bool> isnan(const Tensor<T>& x) {
  return detail::broadcast<bool>("isnan", x, x, std::not_equal_to<>());
}

/// True where both, one or the other, and where x is not.
/// Shapes   a, b any that broadcast; result as they broadcast
/// Errors   ShapeError if they do not
template <std::same_as<bool> T>  // a template, so that it costs those nothing who do not call it; so below
Tensor<T> logical_and(Tensor<T> a, const Tensor<T>& b) {
  return detail::broadcast<bool>("logical_and", std::move(a), b, std::logical_and<>());
}
template <std::same_as<bool> T>
Tensor<T> logical_or(Tensor<T> a, const Tensor<T>& b) {
  return detail::broadcast<bool>("logical_or", std::move(a), b, std::logical_or<>());
}
template <std::same_as<bool> T>
Tensor<T> logical_not(Tensor<T> x) {
  return detail::with_number<bool>(std::move(x), false, std::equal_to<>());
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
