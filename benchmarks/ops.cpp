// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Times matrix products with Google Benchmark:
//   ops --benchmark_filter=gemm
// The other operations are in ops_conv2d.cpp and ops_layers.cpp.

#include "ops.hpp"

#include <benchmark/benchmark.h>

#include <eigengrad/ops/kernels/gemm.hpp>

namespace {

using namespace eigengrad;

/// The product of (rows x depth) and (depth x cols), either of which may lie transposed in memory.
void gemm(benchmark::State& state, bool a_transposed, bool b_transposed) {
  using ops::detail::row_major;
  const Index rows = state.range(0), cols = state.range(1), depth = state.range(2);
  set_num_threads(static_cast<int>(state.range(3)));
  const auto a = benchmarks::numbers({rows, depth});
  const auto b = benchmarks::numbers({depth, cols});
  Tensor<float> c({rows, cols});
  const auto a_view = a_transposed ? row_major(a.data(), depth, rows).transposed() : row_major(a.data(), rows, depth);
  const auto b_view = b_transposed ? row_major(b.data(), cols, depth).transposed() : row_major(b.data(), depth, cols);
  for ([[maybe_unused]] auto unused : state) {
    ops::detail::gemm(a_view, b_view, row_major(c.mutable_data(), rows, cols));
    benchmark::ClobberMemory();
  }
  benchmarks::count_multiply_adds(state, rows * cols * depth);
}

// The products of a linear layer: forward, gradient with respect to the weight and to the input.
BENCHMARK_CAPTURE(gemm, forward, false, true)
    ->ArgNames({"rows", "cols", "depth", "threads"})
    ->ArgsProduct({{200}, {100, 700}, {3072, 700}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(gemm, weight, true, false)
    ->ArgNames({"rows", "cols", "depth", "threads"})
    ->ArgsProduct({{100, 700}, {3072, 700}, {200}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(gemm, input, false, false)
    ->ArgNames({"rows", "cols", "depth", "threads"})
    ->ArgsProduct({{200}, {700}, {700, 10}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
