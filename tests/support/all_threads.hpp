// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include <eigengrad/core/parallel.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// True if a loop runs on that many threads at once; they have all begun when it returns.
inline bool loops_run_on(int threads) {
  std::atomic<int> inside{0};
  std::atomic<bool> all{true};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  parallel_for(threads, 1, [&](Index, Index) {
    ++inside;
    while (inside < threads && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    if (inside < threads) all = false;
  });
  return all;
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
