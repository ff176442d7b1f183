// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>

namespace eigengrad::EIGENGRAD_ISA::detail {

/// Memory of the pool to work in, so many elements for each slot of a parallel loop, or for each of `parts`,
/// whatever they hold.
///   const Scratch<T> scratch(elements);
///   parallel_for(count, 1, [&](Index begin, Index end, Index slot) { T* own = scratch.of(slot); ... });
/// It is taken before the loop: what a thread takes within one would depend on timing.
template <class T>
class Scratch {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit Scratch(Index elements, Index parts = num_threads())
      : elements_(elements), block_(block_of({parts, elements}, sizeof(T))) {}

  T* of(Index slot) const { return static_cast<T*>(block_.payload()) + slot * elements_; }

 private:
  Index elements_;
  BlockPtr block_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::detail
