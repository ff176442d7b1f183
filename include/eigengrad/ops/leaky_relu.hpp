// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/map_packets.hpp>

// LeakyReLU: y = x where x > 0, else negative_slope x.

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Leaky rectified linear unit, element by element: y = x where x > 0, else negative_slope x
/// Shapes   x, y any, the same
template <class T>
Tensor<T> leaky_relu(Tensor<T> x, double negative_slope) {
  const T slope = static_cast<T>(negative_slope);
  return detail::map_packets(std::move(x), [slope](auto v) EIGENGRAD_INLINE_LAMBDA {
    using P = decltype(v);
    const P less = detail::packet::pset1<P>(slope) * v;
    return v > P{} ? v : less;
  });
}

/// dx = dy where x > 0, else negative_slope dy. With a slope of 0 or more the result y of the forward pass serves
/// as well as x: y > 0 exactly where x > 0. With a negative slope only x does.
/// Shapes   dy, x, dx any, the same
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> leaky_relu_backward(Tensor<T> dy, const Tensor<T>& x, double negative_slope) {
  detail::check::same_shape("leaky_relu_backward", "gradient of the output", dy.shape(), x.shape());
  const T slope = static_cast<T>(negative_slope);
  return detail::map_packets(std::move(dy), x, [slope](auto d, auto v) EIGENGRAD_INLINE_LAMBDA {
    using P = decltype(v);
    const P less = detail::packet::pset1<P>(slope) * d;
    return v > P{} ? d : less;
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
