// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <eigengrad/ops/broadcast.hpp>

// A choice for each element, with broadcasting.
//   where(greater(x, 0), x, 0.1);      // x where it is above 0, else 0.1

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// to[i] = condition[i] ? a[i] : b[i]; a step of 0 repeats the first element of an operand.
template <class T>
void choose(const bool* condition, Index condition_step, const T* a, Index a_step, const T* b, Index b_step,
            Index count, T* to) {
  if (condition_step == 0) {
    const T* source = *condition ? a : b;
    if ((*condition ? a_step : b_step) == 0)
      std::fill_n(to, count, *source);
    else
      std::copy_n(source, count, to);
    return;
  }
  // A loop for each pair of steps, which reads both operands whatever the condition says, and conditions as bytes:
  // compilers make vector instructions of it, where random conditions would cost a wrong guess each.
  const auto* chosen = reinterpret_cast<const unsigned char*>(condition);
  const auto loop = [&](auto from_a, auto from_b) {
    for (Index i = 0; i < count; ++i) {
      const T if_true = from_a(i);
      const T if_false = from_b(i);
      to[i] = chosen[i] != 0 ? if_true : if_false;
    }
  };
  const auto each_a = [a](Index i) { return a[i]; };
  const auto each_b = [b](Index i) { return b[i]; };
  const auto first_a = [value = *a](Index) { return value; };
  const auto first_b = [value = *b](Index) { return value; };
  if (a_step == 0)
    b_step == 0 ? loop(first_a, first_b) : loop(first_a, each_b);
  else
    b_step == 0 ? loop(each_a, first_b) : loop(each_a, each_b);
}

/// The choice between operands that may be one number: shape () and a pointer to it.
template <class T>
Tensor<T> where(const Tensor<bool>& condition, const T* a, const Shape& a_shape, const T* b, const Shape& b_shape) {
  const Shape result = broadcast_shape(condition.shape(), broadcast_shape(a_shape, b_shape, "where"), "where");
  Tensor<T> y(result);
  T* to = y.mutable_data();
  broadcast_loop<3>(result, {&condition.shape(), &a_shape, &b_shape},
                    [&](Index at, const std::array<Index, 3>& offsets, const std::array<Index, 3>& steps, Index count) {
                      choose(condition.data() + offsets[0], steps[0], a + offsets[1], steps[1], b + offsets[2],
                             steps[2], count, to + at);
                    });
  return y;
}

}  // namespace detail

/// y = a where the condition is true, else b
/// Shapes   condition, a, b any that broadcast, or a number for one of a and b; y as they broadcast
/// Errors   ShapeError if the shapes do not broadcast
template <class T>
Tensor<T> where(const Tensor<bool>& condition, const Tensor<T>& a, const Tensor<T>& b) {
  return detail::where(condition, a.data(), a.shape(), b.data(), b.shape());
}
template <class T, NumberFor<T> N>
Tensor<T> where(const Tensor<bool>& condition, const Tensor<T>& a, N b) {
  const T number = static_cast<T>(b);
  return detail::where(condition, a.data(), a.shape(), &number, Shape());
}
template <class T, NumberFor<T> N>
Tensor<T> where(const Tensor<bool>& condition, N a, const Tensor<T>& b) {
  const T number = static_cast<T>(a);
  return detail::where(condition, &number, Shape(), b.data(), b.shape());
}

/// da = dy where the condition is true, else 0, summed over the copies of each element of a
/// Shapes   dy as the result of where; a the shape of its argument
template <class X>
X where_backward_first(const X& dy, const Tensor<bool>& condition, const Shape& a) {
  return sum_to(where(condition, dy, 0), a);
}

/// db = dy where the condition is false, else 0, summed over the copies of each element of b
/// Shapes   dy as the result of where; b the shape of its argument
template <class X>
X where_backward_second(const X& dy, const Tensor<bool>& condition, const Shape& b) {
  return sum_to(where(condition, 0, dy), b);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
