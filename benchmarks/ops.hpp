// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>

#include <eigengrad/core/tensor.hpp>

// What the benchmarks of single operations share.

namespace benchmarks {

/// Numbers between -1 and 1 from a linear congruential generator, which cost next to nothing to draw.
inline eigengrad::Tensor<float> numbers(const eigengrad::Shape& shape) {
  std::uint32_t state = 1;
  return eigengrad::Tensor<float>::generate(shape, [&] {
    state = 1664525U * state + 1013904223U;
    return static_cast<float>(state >> 8) * 0x1p-23F - 1.0F;
  });
}

/// Reports multiply-adds of one iteration as FLOP/s, two each.
inline void count_multiply_adds(benchmark::State& state, eigengrad::Index multiply_adds) {
  state.counters["FLOP/s"] =
      benchmark::Counter(2.0 * static_cast<double>(multiply_adds), benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace benchmarks
