// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Times one training step (forward, loss, backward, update) or one inference of the yardstick networks against the
// FMA peak of the processor, which is measured in the same run.
//   train_step --network mlp100 --network cnn --threads 1 --threads 2 --json result.json
//   train_step --network cnn --mode inference --batch-size 1 --batch-size 256 --by-layer

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "by_layer.hpp"
#include "fma_peak.hpp"
#include "memory.hpp"
#include "networks.hpp"
#include "timing.hpp"

namespace {

using namespace eigengrad;

struct Options {
  std::vector<std::string> networks{"mlp100", "mlp700", "cnn"};
  std::vector<std::string> modes{"train"};
  std::vector<Index> batch_sizes{0};  // 0 is the yardstick's own
  std::vector<int> threads{1, 2};
  double seconds = 1.0;
  std::string precision = "highest";
  bool by_layer = false;
  std::string json_file;
};

struct Result {
  double seconds = 0.0;  // of one step
  double flop = 0.0;     // of one step
  double peak = 0.0;     // FLOP/s
  std::int64_t memory_before = 0;
  std::int64_t peak_memory = 0;
};

/// The median time of a step, in seconds.
double median_step(benchmarks::Yardstick& yardstick, Mode mode, double total_seconds) {
  if (mode != Mode::train) {
    return benchmarks::median_time(total_seconds, [&] { yardstick.net.forward(yardstick.inputs, mode); });
  }
  return benchmarks::with_optimizer(yardstick, [&](auto optimizer) {
    nn::SoftmaxCrossEntropy loss;
    return benchmarks::median_time(total_seconds, [&] {
      loss.forward(yardstick.net.forward(yardstick.inputs), yardstick.labels);
      yardstick.net.backward_parameters(loss.backward());
      optimizer.step();
    });
  });
}

void print(const std::string& network, const std::string& mode, Index batch_size, int threads, const Result& result) {
  const double rate = result.flop / result.seconds;
  std::cout << std::left << std::setw(9) << network << std::setw(10) << mode << std::right << std::setw(5) << batch_size
            << std::setw(8) << threads << std::setw(10) << std::setprecision(3) << result.seconds * 1e3 << std::setw(10)
            << std::setprecision(0) << rate * 1e-9 << std::setw(10) << result.peak * 1e-9 << std::setw(7)
            << 100.0 * rate / result.peak << " %" << std::setw(10)
            << static_cast<double>(result.peak_memory) / (1024.0 * 1024.0) << '\n'
            << std::flush;
}

/// Measures one case and prints it; the result is what the file tells of it.
nlohmann::json measure(const std::string& network, const std::string& mode_name, Index batch_size, int threads,
                       const Options& options) {
  const Mode mode = mode_name == "train" ? Mode::train : Mode::inference;
  Result result;
  set_num_threads(threads);
  benchmarks::start_peak_memory();
  result.memory_before = benchmarks::resident_memory();
  benchmarks::Yardstick yardstick = benchmarks::make(network, batch_size);
  result.flop = benchmarks::step_flop(yardstick, mode);
  // Before and after: a machine that is shared may lend its second core late.
  result.peak = benchmarks::fma_peak();
  result.seconds = median_step(yardstick, mode, options.seconds);
  result.peak = std::max(result.peak, benchmarks::fma_peak());
  result.peak_memory = benchmarks::peak_memory();
  print(network, mode_name, yardstick.inputs.size(0), threads, result);
  nlohmann::json json{{"network", network},
                      {"mode", mode_name},
                      {"batch_size", yardstick.inputs.size(0)},
                      {"threads", threads},
                      {"precision", options.precision},
                      {"ms_per_step", result.seconds * 1e3},
                      {"gflops", result.flop / result.seconds * 1e-9},
                      {"peak_gflops", result.peak * 1e-9},
                      {"memory_before_bytes", result.memory_before},
                      {"peak_memory_bytes", result.peak_memory}};
  if (options.by_layer) {
    const auto parts = benchmarks::time_by_layer(yardstick, mode, options.seconds);
    benchmarks::print(std::cout, parts, result.seconds, result.peak);
    json["parts"] = benchmarks::to_json(parts);
  }
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Times one training step or one inference of the yardstick networks."};
  app.add_option("--network", options.networks, "mlp100, mlp700, cnn")
      ->check(CLI::IsMember({"mlp100", "mlp700", "cnn"}));
  app.add_option("--mode", options.modes, "train, inference")->check(CLI::IsMember({"train", "inference"}));
  app.add_option("--batch-size", options.batch_sizes, "samples of a batch; the network's own where it is not given")
      ->check(CLI::Range(1, 65536));
  app.add_option("--threads", options.threads, "numbers of threads")->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "for each measurement")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--precision", options.precision, "of large matrix products: highest (float32), medium (bfloat16)")
      ->check(CLI::IsMember({"highest", "medium"}))
      ->capture_default_str();
  app.add_flag("--by-layer", options.by_layer, "the time of every layer, of the loss and of the update too");
  app.add_option("--json", options.json_file, "file for the results")->type_name("FILE");
  CLI11_PARSE(app, argc, argv);
  if (options.precision == "medium") set_float32_matmul_precision(Float32MatmulPrecision::medium);

  nlohmann::json results = nlohmann::json::array();
  std::cout << "network  mode      batch threads   ms/step   GFLOP/s  FMA peak  of peak  peak MiB\n" << std::fixed;
  for (const int threads : options.threads) {
    for (const std::string& network : options.networks) {
      for (const std::string& mode : options.modes) {
        for (const Index batch_size : options.batch_sizes) {
          results.push_back(measure(network, mode, batch_size, threads, options));
        }
      }
    }
  }
  if (!options.json_file.empty()) {
    std::ofstream out(options.json_file);
    out << results.dump(2) << '\n';
    if (!out.flush()) {
      std::cerr << "error: " << options.json_file << ": cannot be written\n";
      return 1;
    }
  }
  return 0;
}
