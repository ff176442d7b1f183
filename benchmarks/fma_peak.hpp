// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/ops/kernels/packet.hpp>

#include "timing.hpp"

// The most multiply-adds the processor can do: independent chains in registers, no memory.

namespace benchmarks {

/// FLOP/s of float multiply-adds on all threads of parallel_for: the best of some short runs.
inline double fma_peak() {
  using namespace eigengrad;
  using namespace eigengrad::ops::detail;
  constexpr int kChains = kRegisters >= 32 ? 24 : 12;
  constexpr Index kRounds = 200'000;
  const Index threads = num_threads();
  // Read at run time, or the compiler works the result out by itself.
  volatile float factor_source = 0.999F;
  volatile float term_source = 0.001F;
  const Packet<float> factor = packet::pset1<Packet<float>>(float{factor_source});
  const Packet<float> term = packet::pset1<Packet<float>>(float{term_source});
  std::atomic<float> sink{0.0F};
  double best = 0.0;
  for (int run = 0; run < 10; ++run) {
    Stopwatch watch;
    parallel_for(threads, 1, [&](Index, Index) {
      Packet<float> chains[kChains];
      unroll<kChains>([&](auto i) EIGENGRAD_INLINE_LAMBDA {
        chains[i] = packet::pset1<Packet<float>>(static_cast<float>(int{i}));
      });
      for (Index round = 0; round < kRounds; ++round) {
        unroll<kChains>([&](auto i) EIGENGRAD_INLINE_LAMBDA { chains[i] = packet::pmadd(chains[i], factor, term); });
      }
      Packet<float> sum = chains[0];
      unroll<kChains>([&](auto i) EIGENGRAD_INLINE_LAMBDA { sum = packet::padd(sum, chains[i]); });
      sink = packet::predux(sum);
    });
    const double seconds = watch.lap();
    const double flop = 2.0 * kLanes<float> * kChains * static_cast<double>(kRounds * threads);
    best = std::max(best, flop / seconds);
  }
  return best;
}

}  // namespace benchmarks
