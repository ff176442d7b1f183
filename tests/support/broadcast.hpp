// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/parallel.hpp>

#include "support/tensors.hpp"

// What tests of operations with broadcasting share.

namespace eigengrad::EIGENGRAD_ISA::testing {

/// The element of x that stands at a position of a shape that x broadcasts to, by NumPy's definition.
template <class T>
T broadcast_at(const Tensor<T>& x, const Shape& shape, Index position) {
  Index offset = 0;
  Index stride = 1;
  for (int from_end = 1; from_end <= shape.rank(); ++from_end) {
    const Index size = shape[-from_end];
    const Index at = position % size;
    position /= size;
    if (from_end > x.rank()) continue;
    if (x.size(-from_end) != 1) offset += at * stride;
    stride *= x.size(-from_end);
  }
  return x.data()[offset];
}

/// Two shapes and what they broadcast to.
struct BroadcastCase {
  Shape a, b, result;
};
inline std::vector<BroadcastCase> broadcast_cases() {
  return {{{}, {}, {}},
          {{1}, {}, {1}},
          {{5}, {5}, {5}},
          {{3}, {}, {3}},
          {{1, 1}, {4}, {1, 4}},
          {{2, 3}, {3}, {2, 3}},
          {{2, 3}, {2, 1}, {2, 3}},
          {{2, 1}, {1, 3}, {2, 3}},
          {{4, 1, 3}, {5, 1}, {4, 5, 3}},
          {{2, 3, 4, 5}, {3, 1, 5}, {2, 3, 4, 5}},
          {{2, 1, 4, 1}, {3, 1, 5}, {2, 3, 4, 5}},
          {{2, 1, 3, 1, 2, 2}, {1, 2, 1, 2, 1, 2}, {2, 2, 3, 2, 2, 2}},
          {{0, 3}, {1, 3}, {0, 3}},
          {{2, 0}, {1}, {2, 0}},
          {{0}, {}, {0}},
          {{0, 1}, {3}, {0, 3}}};
}
/// Some that several threads work on, with runs that end inside a row.
inline std::vector<BroadcastCase> large_broadcast_cases() {
  return {{{40000}, {40000}, {40000}},          {{1}, {40000}, {40000}},
          {{300, 170}, {170}, {300, 170}},      {{3, 20001}, {3, 1}, {3, 20001}},
          {{60, 1, 30}, {50, 1}, {60, 50, 30}}, {{5, 7, 1, 11, 3}, {1, 9, 1, 3}, {5, 7, 9, 11, 3}}};
}

/// Compares op(a, b) with value(a_i, b_i) bit by bit, for random a and b of each case and each in the other's place;
/// also that one thread and three compute the same, and that both stay as they are.
template <class T, class Op, class Value>
void expect_broadcasts(const Op& op, const Value& value) {
  std::vector<BroadcastCase> cases = broadcast_cases();
  for (const BroadcastCase& large : large_broadcast_cases()) cases.push_back(large);
  for (const BroadcastCase& shapes : std::vector(cases)) cases.push_back({shapes.b, shapes.a, shapes.result});
  for (const auto& [a_shape, b_shape, shape] : cases) {
    const auto a = random<double>(a_shape, 1).template cast<T>();
    const auto b = random<double>(b_shape, 2).template cast<T>();
    const Tensor<T> a_before(a_shape, a.span());
    const Tensor<T> b_before(b_shape, b.span());
    if constexpr (std::is_floating_point_v<T>) poison<T>(shape);
    set_num_threads(1);
    const auto y = op(a, b);
    ASSERT_EQ(y.shape(), shape) << a_shape << " " << b_shape;
    for (Index i = 0; i < y.numel(); ++i) {
      ASSERT_EQ(y.data()[i], value(broadcast_at(a, shape, i), broadcast_at(b, shape, i)))
          << a_shape << " " << b_shape << " at " << i;
    }
    set_num_threads(3);
    EXPECT_TRUE(equal(op(a, b), y)) << a_shape << " " << b_shape;
    set_num_threads(0);
    EXPECT_TRUE(equal(a, a_before) && equal(b, b_before));
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
