// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/map.hpp>

// Sigmoid: y = 1 / (1 + exp(-x)).

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Logistic function, element by element: y = 1 / (1 + exp(-x)), 0 and 1 at the infinities
/// Shapes   x, y any, the same
template <class T>
Tensor<T> sigmoid(Tensor<T> x) {
  return map(std::move(x), [](const auto& v) { return detail::logistic(v); });
}

/// dx = y (1 - y) dy
/// Shapes   dy, y, dx any, the same, y being the result of sigmoid
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> sigmoid_backward(Tensor<T> dy, const Tensor<T>& y) {
  detail::check::same_shape("sigmoid_backward", "gradient of the output", dy.shape(), y.shape());
  return map(std::move(dy), y, [](const auto& d, const auto& v) { return d * v * (T(1) - v); });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
