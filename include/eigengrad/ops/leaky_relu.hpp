// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/elementwise.hpp>

// LeakyReLU: y = x where x > 0, else negative_slope x.

namespace eigengrad::ops {

/// Leaky rectified linear unit, element by element: y = x where x > 0, else negative_slope x
/// Shapes   x, y any, the same
template <class T>
Tensor<T> leaky_relu(Tensor<T> x, double negative_slope) {
  const T slope = static_cast<T>(negative_slope);
  return map(std::move(x), [slope](const auto& v) { return (v > T(0)).select(v, slope * v); });
}

/// dx = dy where x > 0, else negative_slope dy. With a slope of 0 or more the result y of the forward pass serves
/// as well as x: y > 0 exactly where x > 0. With a negative slope only x does.
/// Shapes   dy, x, dx any, the same
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> leaky_relu_backward(Tensor<T> dy, const Tensor<T>& x, double negative_slope) {
  check::same_shape("leaky_relu_backward", "gradient of the output", dy.shape(), x.shape());
  const T slope = static_cast<T>(negative_slope);
  return map(std::move(dy), x, [slope](const auto& d, const auto& v) { return (v > T(0)).select(d, slope * d); });
}

}  // namespace eigengrad::ops
