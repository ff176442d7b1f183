// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/map.hpp>
#include <eigengrad/ops/sigmoid.hpp>

// SiLU, also called swish: y = x s(x) with s(x) = 1 / (1 + exp(-x)).

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// Beyond this the logistic function is 0 or 1 in every number type. A factor x next to it may be cut off here,
/// so that infinity times 0 does not become NaN.
inline constexpr double kLogisticRange = 1000.0;

}  // namespace detail

/// Sigmoid linear unit, element by element: y = x s(x) with s(x) = 1 / (1 + exp(-x)); 0 at minus infinity
/// Shapes   x, y any, the same
/// Source   Elfwing, Uchibe, Doya 2017
template <class T>
Tensor<T> silu(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return v.max(T(-detail::kLogisticRange)) * detail::logistic(v); });
}

/// dx = s(x) (1 + x (1 - s(x))) dy
/// Shapes   dy, x, dx any, the same
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> silu_backward(Tensor<T> dy, const Tensor<T>& x) {
  detail::check::same_shape("silu_backward", "gradient of the output", dy.shape(), x.shape());
  return map(std::move(dy), x, [](const auto& d, const auto& v) {
    const auto s = detail::logistic(v);
    const auto bounded = v.max(T(-detail::kLogisticRange)).min(T(detail::kLogisticRange));
    return d * s * (T(1) + bounded * (T(1) - s));
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
