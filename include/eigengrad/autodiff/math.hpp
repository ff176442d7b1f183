// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/autodiff/arithmetic.hpp>
#include <eigengrad/ops/math.hpp>
#include <eigengrad/ops/pow.hpp>

// Functions of single elements of Variables: those of ops/, recorded.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

template <class T>
Variable<T> exp(const Variable<T>& x) {
  return record(
      ops::exp(x.value()),
      [](const auto& dy, const auto& y, const auto&, const auto& give) {
        give(0, [&] { return ops::exp_backward(dy, y); });
      },
      x);
}

template <class T>
Variable<T> log(const Variable<T>& x) {
  return record(
      ops::log(x.value()),
      [](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::log_backward(dy, a); });
      },
      x);
}

template <class T>
Variable<T> sqrt(const Variable<T>& x) {
  return record(
      ops::sqrt(x.value()),
      [](const auto& dy, const auto& y, const auto&, const auto& give) {
        give(0, [&] { return ops::sqrt_backward(dy, y); });
      },
      x);
}

template <class T>
Variable<T> abs(const Variable<T>& x) {
  return record(
      ops::abs(x.value()),
      [](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::abs_backward(dy, a); });
      },
      x);
}

template <class T>
Variable<T> square(const Variable<T>& x) {
  return record(
      ops::square(x.value()),
      [](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::square_backward(dy, a); });
      },
      x);
}

template <class T>
Variable<T> clamp(const Variable<T>& x, std::type_identity_t<T> low, std::type_identity_t<T> high) {
  return record(
      ops::clamp(x.value(), low, high),
      [=](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::clamp_backward(dy, a, low, high); });
      },
      x);
}

template <class T>
Variable<T> pow(const Variable<T>& a, const Variable<T>& b) {
  return record(
      ops::pow(a.value(), b.value()),
      [](const auto& dy, const auto& y, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::pow_backward_first(dy, x, z); });
        give(1, [&] { return ops::pow_backward_second(dy, x, z, y); });
      },
      a, b);
}
template <class T, ops::NumberFor<T> N>
Variable<T> pow(const Variable<T>& a, N b) {
  return record(
      ops::pow(a.value(), b),
      [b](const auto& dy, const auto&, const auto& x, const auto& give) {
        give(0, [&] { return ops::pow_backward_first(dy, x, b); });
      },
      a);
}
template <class T, ops::NumberFor<T> N>
Variable<T> pow(N a, const Variable<T>& b) {
  return record(
      ops::pow(a, b.value()),
      [a](const auto& dy, const auto& y, const auto& z, const auto& give) {
        give(0, [&] { return ops::pow_backward_second(dy, a, z, y); });
      },
      b);
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
