// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/map_packets.hpp>

// ReLU: y = max(x, 0).

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Rectified linear unit, element by element: y = max(x, 0)
/// Shapes   x, y any, the same
template <class T>
Tensor<T> relu(Tensor<T> x) {
  // Written as "not below 0" so that NaN passes through, as in PyTorch.
  return detail::map_packets(std::move(x), [](auto v) EIGENGRAD_INLINE_LAMBDA {
    const decltype(v) zero{};
    return v < zero ? zero : v;
  });
}

/// dx = 1[x > 0] dy. The result y of the forward pass serves as well as x: y > 0 exactly where x > 0.
/// Shapes   dy, y, dx any, the same
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> relu_backward(Tensor<T> dy, const Tensor<T>& y) {
  detail::check::same_shape("relu_backward", "gradient of the output", dy.shape(), y.shape());
  return detail::map_packets(std::move(dy), y, [](auto d, auto v) EIGENGRAD_INLINE_LAMBDA {
    const decltype(v) zero{};
    return v > zero ? d : zero;
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
