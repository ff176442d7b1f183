// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/shape.hpp>

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// [0, size) cut into `count` parts whose lengths differ by at most one.
struct EvenSplit {
  Index size;
  Index count;

  static EvenSplit of_at_most(Index size, Index largest) { return {size, ceil_div(size, largest)}; }
  Index begin(Index part) const {
    if (size <= kSmall) return part * size / count;
    return part * (size / count) + part * (size % count) / count;  // the same, if that product is too large
  }
  Index length(Index part) const { return begin(part + 1) - begin(part); }
  Index longest() const { return ceil_div(size, count); }

 private:
  static constexpr Index kSmall = detail::kLargestFactor;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
