// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <limits>
#include <optional>

#include <eigengrad/core/namespaces.hpp>

// Index, and the arithmetic of sizes that come from outside: options, and shapes of tensors without elements, which may
// have any size beside the 0. Between the sizes of one Shape nothing has to be checked: Shape has done it.

namespace eigengrad::EIGENGRAD_ISA {

/// Sizes, counts and positions: signed, as wide as a pointer (the same type as Eigen::Index).
using Index = std::ptrdiff_t;

namespace detail {

inline constexpr Index kLargestIndex = std::numeric_limits<Index>::max();
inline constexpr Index kSmallestIndex = std::numeric_limits<Index>::min();
/// Half of the bits of an Index, 2^31 if it has 64: the product of two smaller numbers does not overflow.
inline constexpr Index kLargestFactor = Index{1} << std::numeric_limits<Index>::digits / 2;

/// a + b, or nothing if an Index does not hold it.
constexpr std::optional<Index> checked_sum(Index a, Index b) {
  if (b > 0 ? a > kLargestIndex - b : a < kSmallestIndex - b) return std::nullopt;
  return a + b;
}

/// a b for numbers of 0 or more, or nothing if an Index does not hold it.
constexpr std::optional<Index> checked_product(Index a, Index b) {
  if (b != 0 && a > kLargestIndex / b) return std::nullopt;
  return a * b;
}

/// How many steps of b it takes to go as far as a, or farther: a / b rounded up, 0 for a negative a.
constexpr Index ceil_div(Index a, Index b) { return a > 0 ? (a - 1) / b + 1 : 0; }
/// The smallest multiple of `step` that is not below n.
constexpr Index round_up(Index n, Index step) { return ceil_div(n, step) * step; }

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA
