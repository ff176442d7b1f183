// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/map.hpp>

// Tanh: y = tanh(x).

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Hyperbolic tangent, element by element
/// Shapes   x, y any, the same
template <class T>
Tensor<T> tanh(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return detail::tanh(v); });
}

/// dx = (1 - y^2) dy
/// Shapes   dy, y, dx any, the same, y being the result of tanh
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> tanh_backward(Tensor<T> dy, const Tensor<T>& y) {
  detail::check::same_shape("tanh_backward", "gradient of the output", dy.shape(), y.shape());
  return map(std::move(dy), y, [](const auto& d, const auto& v) { return d * (T(1) - v * v); });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
