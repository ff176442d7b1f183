// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/autodiff/math.hpp>
#include <eigengrad/autodiff/structure.hpp>
#include <eigengrad/ops/reduce.hpp>

// Reductions of Variables over any axes: those of ops/, recorded. No axes are all axes.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

template <class T>
Variable<T> sum(const Variable<T>& x, const ops::Axes& axes = {}, bool keepdims = false) {
  return record(
      ops::sum(x.value(), axes, keepdims),
      [axes](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::sum_backward(dy, a.shape(), axes); });
      },
      x);
}

template <class T>
Variable<T> mean(const Variable<T>& x, const ops::Axes& axes = {}, bool keepdims = false) {
  return record(
      ops::mean(x.value(), axes, keepdims),
      [axes](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::mean_backward(dy, a.shape(), axes); });
      },
      x);
}

template <class T>
Variable<T> max(const Variable<T>& x, const ops::Axes& axes = {}, bool keepdims = false) {
  return record(
      ops::max(x.value(), axes, keepdims),
      [axes](const auto& dy, const auto& y, const auto& a, const auto& give) {
        give(0, [&] { return ops::max_backward(dy, a, y, axes); });
      },
      x);
}

template <class T>
Variable<T> min(const Variable<T>& x, const ops::Axes& axes = {}, bool keepdims = false) {
  return record(
      ops::min(x.value(), axes, keepdims),
      [axes](const auto& dy, const auto& y, const auto& a, const auto& give) {
        give(0, [&] { return ops::min_backward(dy, a, y, axes); });
      },
      x);
}

template <class T>
Variable<T> logsumexp(const Variable<T>& x, const ops::Axes& axes = {}, bool keepdims = false) {
  return record(
      ops::logsumexp(x.value(), axes, keepdims),
      [axes](const auto& dy, const auto& y, const auto& a, const auto& give) {
        give(0, [&] { return ops::logsumexp_backward(dy, a, y, axes); });
      },
      x);
}

template <class T>
Variable<T> norm(const Variable<T>& x, const ops::Axes& axes = {}, bool keepdims = false) {
  return record(
      ops::norm(x.value(), axes, keepdims),
      [axes](const auto& dy, const auto& y, const auto& a, const auto& give) {
        give(0, [&] { return ops::norm_backward(dy, a, y, axes); });
      },
      x);
}

template <class T>
Variable<T> var(const Variable<T>& x, const ops::Axes& axes = {}, bool keepdims = false, double correction = 1.0) {
  return record(
      ops::var(x.value(), axes, keepdims, correction),
      [=](const auto& dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return ops::var_backward(dy, a, axes, correction); });
      },
      x);
}

/// Has no gradient.
template <class T>
Tensor<Index> argmax(const Variable<T>& x, int axis, bool keepdims = false) {
  return ops::argmax(x.value(), axis, keepdims);
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
