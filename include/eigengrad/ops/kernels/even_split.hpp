// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/shape.hpp>

namespace eigengrad::ops::kernels {

/// The smallest multiple of `step` that is not below n.
inline Index round_up(Index n, Index step) { return (n + step - 1) / step * step; }

/// [0, size) cut into `count` parts whose lengths differ by at most one.
struct EvenSplit {
  Index size;
  Index count;

  static EvenSplit of_at_most(Index size, Index largest) { return {size, (size + largest - 1) / largest}; }
  Index begin(Index part) const {
    if (size <= kSmall) return part * size / count;
    return part * (size / count) + part * (size % count) / count;  // the same, if that product is too large
  }
  Index length(Index part) const { return begin(part + 1) - begin(part); }
  Index longest() const { return (size + count - 1) / count; }

 private:
  static constexpr Index kSmall = eigengrad::detail::kLargestFactor;
};

}  // namespace eigengrad::ops::kernels
