// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Times convolutions, each direction by itself:
//   ops --benchmark_filter=conv2d_forward.*threads:1
// compare_torch.py --convolutions asks this program for their names and reads the shapes from them.

#include <array>

#include <benchmark/benchmark.h>

#include <eigengrad/ops/conv2d.hpp>

#include "ops.hpp"

namespace {

using namespace eigengrad;
using benchmarks::numbers;

/// Square images, windows and steps.
struct Convolution {
  Index in, out, image, kernel, stride, padding, dilation, groups;
};

constexpr std::array kConvolutions{// of the ConvNet
                                   Convolution{3, 64, 32, 3, 1, 1, 1, 1}, Convolution{64, 128, 16, 3, 1, 1, 1, 1},
                                   Convolution{128, 256, 8, 3, 1, 1, 1, 1}, Convolution{256, 256, 8, 3, 1, 1, 1, 1},
                                   Convolution{256, 512, 4, 3, 1, 1, 1, 1}, Convolution{512, 512, 4, 3, 1, 1, 1, 1},
                                   Convolution{512, 512, 2, 3, 1, 1, 1, 1},
                                   // one pixel, every other pixel, each channel by itself, with holes, a large window
                                   Convolution{256, 64, 16, 1, 1, 0, 1, 1}, Convolution{64, 128, 32, 3, 2, 1, 1, 1},
                                   Convolution{128, 128, 16, 3, 1, 1, 1, 128}, Convolution{128, 128, 16, 3, 1, 2, 2, 1},
                                   Convolution{64, 64, 16, 5, 1, 2, 1, 1}};

/// What the arguments of a benchmark say, and the tensors of the convolution.
struct Case {
  explicit Case(benchmark::State& state)
      : options{.stride = state.range(5),
                .padding = state.range(6),
                .dilation = state.range(7),
                .groups = state.range(8)},
        x(numbers({state.range(0), state.range(3), state.range(3), state.range(1)})),
        weight(numbers({state.range(2), state.range(4), state.range(4), state.range(1) / options.groups})),
        bias(numbers({state.range(2)})),
        dy(numbers(ops::conv2d(x, weight, bias, options).shape())) {
    set_num_threads(static_cast<int>(state.range(9)));
    benchmarks::count_multiply_adds(state, dy.shape().rows() * weight.numel());
  }

  ops::Conv2dOptions options;
  Tensor<float> x, weight, bias, dy;
};

void conv2d_forward(benchmark::State& state) {
  const Case c(state);
  for ([[maybe_unused]] auto unused : state) {
    benchmark::DoNotOptimize(ops::conv2d(c.x, c.weight, c.bias, c.options).data());
  }
}

void conv2d_backward_input(benchmark::State& state) {
  const Case c(state);
  for ([[maybe_unused]] auto unused : state) {
    benchmark::DoNotOptimize(ops::conv2d_backward_input(c.dy, c.weight, c.x.shape(), c.options).data());
  }
}

void conv2d_backward_weight(benchmark::State& state) {
  const Case c(state);
  for ([[maybe_unused]] auto unused : state) {
    benchmark::DoNotOptimize(ops::conv2d_backward_weight(c.dy, c.x, c.weight.size(1), c.options).data());
  }
}

constexpr auto kCases = [](auto* benchmark) {
  benchmark->ArgNames({"batch", "in", "out", "image", "kernel", "stride", "padding", "dilation", "groups", "threads"});
  for (const int threads : {1, 2}) {
    for (const Convolution& c : kConvolutions) {
      for (const int batch : {32, 128}) {
        benchmark->Args({batch, c.in, c.out, c.image, c.kernel, c.stride, c.padding, c.dilation, c.groups, threads});
      }
    }
  }
  benchmark->UseRealTime()->Unit(benchmark::kMillisecond);
};
BENCHMARK(conv2d_forward)->Apply(kCases);
BENCHMARK(conv2d_backward_input)->Apply(kCases);
BENCHMARK(conv2d_backward_weight)->Apply(kCases);

}  // namespace
