// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <eigengrad/core/tensor.hpp>

// Positions written out axis by axis, for tests that spell out what an operation on axes does.

namespace eigengrad::EIGENGRAD_ISA::testing {

using Position = std::array<Index, Shape::kMaxRank>;

/// f(number of the element, its position), for every element of a shape.
template <class F>
void for_positions(const Shape& shape, const F& f) {
  for (Index i = 0; i < shape.numel(); ++i) {
    Position at{};
    Index rest = i;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      at[static_cast<std::size_t>(axis)] = rest % shape[axis];
      rest /= shape[axis];
    }
    f(i, at);
  }
}

/// The number of the element at a position.
inline Index number_of(const Shape& shape, const Position& at) {
  Index number = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) number = number * shape[axis] + at[static_cast<std::size_t>(axis)];
  return number;
}

/// 0, 1, 2, ...: every element tells where it was.
template <class T>
Tensor<T> counting(const Shape& shape) {
  Index next = 0;
  return Tensor<T>::generate(shape, [&] { return static_cast<T>(next++); });
}

/// Numbers from 0 to below - 1.
inline Tensor<Index> random_indices(const Shape& shape, Index below) {
  Rng rng(9);
  return Tensor<Index>::generate(shape, [&] { return rng.below(below); });
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
