// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Times what is not a matrix product: batch normalisation, pooling, the loss, the update, and starting threads:
//   ops --benchmark_filter='batch_norm|max_pool|adam'

#include <string_view>
#include <utility>

#include <benchmark/benchmark.h>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/optim/adam.hpp>

#include "fma_peak.hpp"
#include "ops.hpp"

namespace {

using namespace eigengrad;
using benchmarks::numbers;

/// The forward or, after one forward, the backward of a layer on images (N, H, H, C).
template <class L>
void time_layer(benchmark::State& state, L layer, bool backward) {
  set_num_threads(static_cast<int>(state.range(3)));
  const auto x = numbers({state.range(0), state.range(1), state.range(1), state.range(2)});
  const Tensor<float> y = layer.forward(x, Mode::train);
  for ([[maybe_unused]] auto unused : state) {
    if (backward) {
      benchmark::DoNotOptimize(layer.backward(y).data());
      visit(layer, {.parameter = [](std::string_view, Parameter<float>& p) { p.zero_grad(); }});
    } else {
      benchmark::DoNotOptimize(layer.forward(x, Mode::train).data());
    }
  }
}

void batch_norm(benchmark::State& state, bool backward) {
  time_layer(state, nn::BatchNorm2d{state.range(2)}, backward);
}
void max_pool(benchmark::State& state, bool backward) {
  time_layer(state, nn::MaxPool2d{{.kernel = 3, .stride = 2, .padding = 1}}, backward);
}

// Of the ConvNet: the first of each, one in the middle, the last.
constexpr auto kImages = [](auto* benchmark) {
  benchmark->ArgNames({"batch", "image", "channels", "threads"});
  for (const int threads : {1, 2}) {
    benchmark->Args({32, 32, 64, threads})->Args({32, 8, 256, threads})->Args({32, 2, 512, threads});
  }
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond);
};
BENCHMARK_CAPTURE(batch_norm, forward, false)->Apply(kImages);
BENCHMARK_CAPTURE(batch_norm, backward, true)->Apply(kImages);
BENCHMARK_CAPTURE(max_pool, forward, false)->Apply(kImages);
BENCHMARK_CAPTURE(max_pool, backward, true)->Apply(kImages);

/// Forward and backward of the loss.
void softmax_cross_entropy(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(2)));
  const Index rows = state.range(0), classes = state.range(1);
  const auto logits = numbers({rows, classes});
  const auto labels = Tensor<Index>::generate({rows}, [i = Index{0}, classes]() mutable { return i++ % classes; });
  nn::SoftmaxCrossEntropy loss;
  for ([[maybe_unused]] auto unused : state) {
    benchmark::DoNotOptimize(loss.forward(logits, labels));
    benchmark::DoNotOptimize(loss.backward().data());
  }
}
BENCHMARK(softmax_cross_entropy)
    ->ArgNames({"rows", "classes", "threads"})
    ->ArgsProduct({{32, 200}, {10, 1000}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

/// One step of a single parameter. It reads value, gradient and two moments, and writes all but the gradient.
void adam_step(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(1)));
  Parameter<float> parameter(numbers({state.range(0)}));
  const auto grad = numbers({state.range(0)});
  optim::Adam<float> adam{{&parameter}, {.learning_rate = 1e-4}};
  for ([[maybe_unused]] auto unused : state) {
    parameter.grad = grad;
    adam.step();
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 7 * static_cast<Index>(sizeof(float)));
}
BENCHMARK(adam_step)
    ->ArgNames({"elements", "threads"})
    ->ArgsProduct({{10'000, 300'000, 9'000'000}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

/// A parallel loop of two chunks that do nothing.
void empty_parallel_for(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(0)));
  for ([[maybe_unused]] auto unused : state) {
    parallel_for(2, 1, [](Index begin, Index) { benchmark::DoNotOptimize(begin); });
  }
}
BENCHMARK(empty_parallel_for)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

/// What the processor can do, to compare the FLOP/s of the others with.
void fma_peak(benchmark::State& state) {
  set_num_threads(static_cast<int>(state.range(0)));
  double peak = 0.0;
  for ([[maybe_unused]] auto unused : state) peak = benchmarks::fma_peak();
  state.counters["FLOP/s"] = peak;
}
BENCHMARK(fma_peak)->ArgName("threads")->Arg(1)->Arg(2)->Iterations(1)->UseRealTime();

}  // namespace
