// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Times single predictions of a small network, 6-64-64-2 with ReLU, as a control loop makes them: microseconds at the
// median of many calls, for each number of threads.
//   one_sample --threads 1 --threads 2

#include <cstdint>
#include <iostream>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/eigengrad.hpp>

#include "timing.hpp"

namespace eg = eigengrad;
namespace nn = eg::nn;

int main(int argc, char** argv) {
  CLI::App app{"Times single predictions of a small network."};
  std::vector<int> threads{1, 2};
  int calls = 100'000;
  app.add_option("--threads", threads, "numbers of threads to measure with");
  app.add_option("--calls", calls)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  nn::Sequential net{nn::Linear{6, 64}, nn::ReLU{}, nn::Linear{64, 64}, nn::ReLU{}, nn::Linear{64, 2}};
  eg::Rng rng(1);
  const auto sample = eg::Tensor<float>::randn({1, 6}, rng);
  for (const int count : threads) {
    eg::set_num_threads(count);
    for (int i = 0; i < 1000; ++i) net.predict(sample);
    const std::int64_t before = eg::memory::stats().system_allocations;
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(calls));
    for (int i = 0; i < calls; ++i) {
      benchmarks::Stopwatch watch;
      const auto answer = net.predict(sample);
      times.push_back(1e6 * watch.lap());
    }
    std::cout << "threads_" << count << "_us " << benchmarks::median(std::move(times)) << '\n';
    if (eg::memory::stats().system_allocations != before) std::cerr << "memory was taken from the system\n";
  }
}
