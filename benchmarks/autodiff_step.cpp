// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Times automatic differentiation: one training step of the MLP 3072-100-10 written with Variables against the same
// written with layers, in turn, and a chain of operations on single numbers, recorded and run backward.
//   autodiff_step --threads 1 --rounds 15

#include <iomanip>
#include <iostream>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/eigengrad.hpp>

#include "fma_peak.hpp"
#include "timing.hpp"

namespace {

using namespace eigengrad;
using autodiff::Variable;
using benchmarks::median;

template <class F>
double seconds_of(int repetitions, const F& f) {
  benchmarks::Stopwatch watch;
  for (int i = 0; i < repetitions; ++i) f();
  return watch.lap() / repetitions;
}

/// y = y * a + b, again and again, and the gradients with respect to all three.
void chain(int operations) {
  const Variable<float> x({}, {0.5F});
  const Variable<float> a({}, {0.999F});
  const Variable<float> b({}, {0.001F});
  Variable<float> y = x;
  for (int i = 0; i < operations / 2; ++i) y = y * a + b;
  y.backward();
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 1;
  int rounds = 15;
  int repetitions = 50;
  CLI::App app{"Times automatic differentiation."};
  app.add_option("--threads", threads, "number of threads")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rounds", rounds, "measurements of each kind, in turn")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  set_num_threads(threads);

  Rng rng(1);
  const auto x = Tensor<float>::randn({200, 3072}, rng);
  const auto labels = Tensor<Index>::generate({200}, [&] { return rng.below(10); });
  manual_seed(1);
  nn::Sequential layers{nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 10}};
  nn::Sequential variables = layers;
  optim::SGD of_layers{layers.parameters(), {.learning_rate = 1e-3}};
  optim::SGD of_variables{variables.parameters(), {.learning_rate = 1e-3}};
  nn::SoftmaxCrossEntropy loss;
  const auto p = variables.parameters();
  const auto layer_step = [&] {
    loss.forward(layers.forward(x), labels);
    layers.backward_parameters(loss.backward());
    of_layers.step();
  };
  const auto variable_step = [&] {
    const auto hidden = relu(linear(Variable<float>(x), Variable<float>(*p[0]), Variable<float>(*p[1])));
    softmax_cross_entropy(linear(hidden, Variable<float>(*p[2]), Variable<float>(*p[3])), labels).backward();
    of_variables.step();
  };
  constexpr int kOperations = 10000;
  std::vector<double> layer_times, variable_times, ratios, chain_times;
  for (int round = -2; round < rounds; ++round) {
    const double by_layers = seconds_of(repetitions, layer_step);
    const double by_variables = seconds_of(repetitions, variable_step);
    const double by_chain = seconds_of(5, [] { chain(kOperations); });
    if (round < 0) continue;  // warm-up
    layer_times.push_back(by_layers);
    variable_times.push_back(by_variables);
    ratios.push_back(by_variables / by_layers);
    chain_times.push_back(by_chain);
  }
  const double flop = 2.0 * 200 * (2.0 * 3072 * 100 + 3.0 * 100 * 10);
  std::cout << std::fixed << std::setprecision(3) << "threads " << threads << "\nlayer_step_ms "
            << 1e3 * median(layer_times) << "\nvariable_step_ms " << 1e3 * median(variable_times) << "\nratio "
            << median(ratios) << "\nvariable_of_peak " << flop / median(variable_times) / benchmarks::fma_peak()
            << "\nscalar_operation_us " << 1e6 * median(chain_times) / kOperations << '\n';
  return 0;
}
