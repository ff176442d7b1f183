// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <limits>

#include <eigengrad/ops/kernels/elementwise.hpp>

// What the rules share that keep a mean of the squared gradients.

namespace eigengrad::EIGENGRAD_ISA::optim::detail {

/// A block in registers.
template <class T>
using BlockValue = Eigen::Array<T, static_cast<int>(ops::detail::kBlock<T>), 1>;

/// The largest number whose square and its sums with others are finite: half the root of the largest.
template <class T>
inline constexpr T kLargestSquarable = std::numeric_limits<T>::digits == 24 ? T(9e18) : T(6e153);

/// g, cut off where its square would overflow: a mean of g over the root of one of g^2 is what it would be up to there,
/// so the step stays as large as it should be. NaN where g is not finite.
template <class T>
EIGEN_ALWAYS_INLINE BlockValue<T> squarable(const BlockValue<T>& g) {
  return g.max(-kLargestSquarable<T>).min(kLargestSquarable<T>) + (g - g);
}

}  // namespace eigengrad::EIGENGRAD_ISA::optim::detail
