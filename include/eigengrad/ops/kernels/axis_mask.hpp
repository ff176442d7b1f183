// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <eigengrad/ops/kernels/strided.hpp>

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Axes bit by bit: bit i is set if axis i is among them.
using AxisMask = unsigned;

/// What is left of a shape when some of its axes are reduced: they have size 1, or with keepdims = false are gone.
inline Shape reduced_shape(const Shape& shape, AxisMask mask, bool keepdims) {
  std::array<Index, Shape::kMaxRank> sizes{};
  std::size_t rank = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const bool reduced = ((mask >> axis) & 1U) != 0;
    if (!reduced || keepdims) sizes[rank++] = reduced ? 1 : shape.begin()[axis];
  }
  return Shape(std::span<const Index>(sizes.data(), rank));
}

/// How many elements each result of a reduction is made of.
inline Index reduced_count(const Shape& shape, AxisMask mask) {
  Index count = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (((mask >> axis) & 1U) != 0) count *= shape.begin()[axis];
  }
  return count;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
