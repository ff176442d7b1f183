// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include <eigengrad/autodiff/variable.hpp>
#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/ops/broadcast.hpp>
#include <eigengrad/ops/compare.hpp>
#include <eigengrad/ops/where.hpp>

// Arithmetic on Variables, with broadcasting: the functions of ops/, recorded. The second operand may be a constant: a
// tensor or a number.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

/// The type of an argument that does not decide T, so that constants, tensors and numbers alike, are converted.
template <class T>
using Constant = std::type_identity_t<Variable<T>>;

template <class T>
Variable<T> broadcast_to(const Variable<T>& x, const Shape& shape) {
  return record(
      ops::broadcast_to(x.value(), shape),
      [](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::broadcast_to_backward(dy, a.shape()); });
      },
      x);
}

template <class T>
Variable<T> sum_to(const Variable<T>& x, const Shape& shape) {
  return record(
      ops::sum_to(x.value(), shape),
      [](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::sum_to_backward(dy, a.shape()); });
      },
      x);
}

template <class T>
Variable<T> neg(const Variable<T>& x) {
  return record(
      ops::neg(x.value()),
      [](const auto& dy, const auto&, const auto&, const auto& give) {
        give(0, [&] { return ops::neg_backward(dy); });
      },
      x);
}

template <class T>
Variable<T> add(const Variable<T>& a, const Constant<T>& b) {
  return record(
      ops::add(a.value(), b.value()),
      [](const auto& dy, const auto&, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::add_backward_first(dy, x.shape()); });
        give(1, [&] { return ops::add_backward_second(dy, z.shape()); });
      },
      a, b);
}

template <class T>
Variable<T> sub(const Variable<T>& a, const Constant<T>& b) {
  return record(
      ops::sub(a.value(), b.value()),
      [](const auto& dy, const auto&, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::sub_backward_first(dy, x.shape()); });
        give(1, [&] { return ops::sub_backward_second(dy, z.shape()); });
      },
      a, b);
}

template <class T>
Variable<T> mul(const Variable<T>& a, const Constant<T>& b) {
  return record(
      ops::mul(a.value(), b.value()),
      [](const auto& dy, const auto&, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::mul_backward_first(dy, z, x.shape()); });
        give(1, [&] { return ops::mul_backward_second(dy, x, z.shape()); });
      },
      a, b);
}

template <class T>
Variable<T> div(const Variable<T>& a, const Constant<T>& b) {
  return record(
      ops::div(a.value(), b.value()),
      [](const auto& dy, const auto& y, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::div_backward_first(dy, z, x.shape()); });
        give(1, [&] { return ops::div_backward_second(dy, z, y); });
      },
      a, b);
}

template <class T>
Variable<T> maximum(const Variable<T>& a, const Constant<T>& b) {
  return record(
      ops::maximum(a.value(), b.value()),
      [](const auto& dy, const auto&, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::maximum_backward_first(dy, x, z); });
        give(1, [&] { return ops::maximum_backward_second(dy, x, z); });
      },
      a, b);
}

template <class T>
Variable<T> minimum(const Variable<T>& a, const Constant<T>& b) {
  return record(
      ops::minimum(a.value(), b.value()),
      [](const auto& dy, const auto&, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::minimum_backward_first(dy, x, z); });
        give(1, [&] { return ops::minimum_backward_second(dy, x, z); });
      },
      a, b);
}

// A number on the left.
template <class T, ops::NumberFor<T> N>
Variable<T> add(N a, const Variable<T>& b) {
  return add(Variable<T>(a), b);
}
template <class T, ops::NumberFor<T> N>
Variable<T> sub(N a, const Variable<T>& b) {
  return sub(Variable<T>(a), b);
}
template <class T, ops::NumberFor<T> N>
Variable<T> mul(N a, const Variable<T>& b) {
  return mul(Variable<T>(a), b);
}
template <class T, ops::NumberFor<T> N>
Variable<T> div(N a, const Variable<T>& b) {
  return div(Variable<T>(a), b);
}
template <class T, ops::NumberFor<T> N>
Variable<T> maximum(N a, const Variable<T>& b) {
  return maximum(Variable<T>(a), b);
}
template <class T, ops::NumberFor<T> N>
Variable<T> minimum(N a, const Variable<T>& b) {
  return minimum(Variable<T>(a), b);
}

// Comparisons have no gradient: they give masks.
template <class T>
Tensor<bool> greater(const Variable<T>& a, const Constant<T>& b) {
  return ops::greater(a.value(), b.value());
}
template <class T>
Tensor<bool> greater_equal(const Variable<T>& a, const Constant<T>& b) {
  return ops::greater_equal(a.value(), b.value());
}
template <class T>
Tensor<bool> less(const Variable<T>& a, const Constant<T>& b) {
  return ops::less(a.value(), b.value());
}
template <class T>
Tensor<bool> less_equal(const Variable<T>& a, const Constant<T>& b) {
  return ops::less_equal(a.value(), b.value());
}
template <class T>
Tensor<bool> equal_to(const Variable<T>& a, const Constant<T>& b) {
  return ops::equal_to(a.value(), b.value());
}
template <class T>
Tensor<bool> isnan(const Variable<T>& x) {
  return ops::isnan(x.value());
}

/// a where the condition holds, else b; one of them may be a constant.
template <class T>
Variable<T> where(const Tensor<bool>& condition, const Variable<T>& a, const Constant<T>& b) {
  return record(
      ops::where(condition, a.value(), b.value()),
      [condition](const auto& dy, const auto&, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::where_backward_first(dy, condition, x.shape()); });
        give(1, [&] { return ops::where_backward_second(dy, condition, z.shape()); });
      },
      a, b);
}
template <class T, class A>
requires(!std::same_as<A, Variable<T>>) Variable<T> where(const Tensor<bool>& condition, const A& a,
                                                          const Variable<T>& b) {
  return where(condition, Variable<T>(a), b);
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
