// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Times one training step (forward, loss, backward, update) of the yardstick networks against the FMA peak of
// the processor, which is measured in the same run.
//   train_step --network mlp100 --network cnn --threads 1 --threads 2 --json result.json

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "fma_peak.hpp"
#include "networks.hpp"

namespace {

using namespace eigengrad;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The median of the times of single calls, in seconds, over about the given time, after a tenth of it as warm-up.
template <class F>
double median_time(double total_seconds, const F& step) {
  auto start = std::chrono::steady_clock::now();
  while (seconds_since(start) < total_seconds / 10.0) step();
  std::vector<double> times;
  start = std::chrono::steady_clock::now();
  while (times.size() < 5 || seconds_since(start) < total_seconds) {
    const auto step_start = std::chrono::steady_clock::now();
    step();
    times.push_back(seconds_since(step_start));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

/// The median time of a training step, in seconds.
double median_step(benchmarks::Yardstick& yardstick, double total_seconds) {
  nn::SoftmaxCrossEntropy loss;
  const auto with = [&](auto optimizer) {
    return median_time(total_seconds, [&] {
      loss.forward(yardstick.net.forward(yardstick.inputs), yardstick.labels);
      yardstick.net.backward_parameters(loss.backward());
      optimizer.step();
    });
  };
  if (yardstick.adam) return with(optim::Adam{yardstick.net.parameters(), {.learning_rate = 1e-4}});
  return with(optim::SGD{yardstick.net.parameters(), {.learning_rate = 1e-3}});
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> networks{"mlp100", "mlp700", "cnn"};
  std::vector<int> threads{1, 2};
  double seconds = 1.0;
  std::string json_file;
  CLI::App app{"Times one training step of the yardstick networks."};
  app.add_option("--network", networks, "mlp100, mlp700, cnn")->check(CLI::IsMember({"mlp100", "mlp700", "cnn"}));
  app.add_option("--threads", threads, "numbers of threads")->check(CLI::PositiveNumber);
  app.add_option("--seconds", seconds, "for each measurement")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--json", json_file, "file for the results")->type_name("FILE");
  CLI11_PARSE(app, argc, argv);

  nlohmann::json results = nlohmann::json::array();
  std::cout << "network  batch threads   ms/step   GFLOP/s  FMA peak  of peak\n" << std::fixed;
  for (const int count : threads) {
    set_num_threads(count);
    for (const std::string& name : networks) {
      benchmarks::Yardstick yardstick = benchmarks::make(name);
      // Before and after: a machine that is shared may lend its second core late.
      double peak = benchmarks::fma_peak();
      const double step = median_step(yardstick, seconds);
      peak = std::max(peak, benchmarks::fma_peak());
      const double rate = yardstick.flop / step;
      const Index batch_size = yardstick.inputs.size(0);
      std::cout << std::left << std::setw(8) << name << std::right << std::setw(6) << batch_size << std::setw(8)
                << count << std::setw(10) << std::setprecision(3) << step * 1e3 << std::setw(10) << std::setprecision(0)
                << rate * 1e-9 << std::setw(10) << peak * 1e-9 << std::setw(7) << 100.0 * rate / peak << " %\n"
                << std::flush;
      results.push_back({{"network", name},
                         {"batch_size", batch_size},
                         {"threads", count},
                         {"ms_per_step", step * 1e3},
                         {"gflops", rate * 1e-9},
                         {"peak_gflops", peak * 1e-9}});
    }
  }
  if (!json_file.empty()) {
    std::ofstream out(json_file);
    out << results.dump(2) << '\n';
    if (!out.flush()) {
      std::cerr << "error: " << json_file << ": cannot be written\n";
      return 1;
    }
  }
  return 0;
}
