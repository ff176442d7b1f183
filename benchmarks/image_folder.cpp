// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// What it costs to train from a folder of images: the ConvNet learns in turn from images in memory and from those of
// the folder, decoded by the loader's thread; and how fast one thread decodes.
//   image_folder photos/train --side 32 --rounds 5

#include <iomanip>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/data/image_folder.hpp>

#include "networks.hpp"
#include "timing.hpp"

namespace {

using namespace eigengrad;

struct Options {
  std::string folder;
  Index side = 32;
  Index batch_size = 32;
  Index steps = 100;
  int rounds = 5;
  int threads = 0;
};

/// A network in training.
struct Trained {
  nn::Sequential<> net;
  optim::Adam<float> adam{net.parameters(), {.learning_rate = 1e-4}};
  nn::SoftmaxCrossEntropy<> loss{};
};

/// Images a second over some steps, the first few left out.
template <class D>
double training_rate(Trained& trained, const D& images, const Options& options) {
  data::Loader loader{
      images, {.batch_size = options.batch_size, .epochs = data::kEndless, .drop_last = true, .prefetch = true}};
  constexpr Index kWarmUp = 5;
  benchmarks::Stopwatch watch;
  for (Index step = 0; step < kWarmUp + options.steps; ++step) {
    if (step == kWarmUp) watch.lap();
    const auto batch = loader.next();
    trained.loss.forward(trained.net.forward(batch->inputs), batch->targets);
    trained.net.backward_parameters(trained.loss.backward());
    trained.adam.step();
  }
  return static_cast<double>(options.steps * options.batch_size) / watch.lap();
}

/// Images a second that one thread reads and decodes, in a shuffled order.
double decoding_rate(const data::ImageFolder<>& folder, const Options& options) {
  const SerialScope one_thread;
  data::Loader loader{folder, {.batch_size = options.batch_size, .epochs = data::kEndless, .drop_last = true}};
  const double seconds = benchmarks::median_time(1.0, [&] { loader.next(); });
  return static_cast<double>(options.batch_size) / seconds;
}

void measure(const Options& options) {
  set_num_threads(options.threads);
  manual_seed(1);
  const data::ImageFolder folder{options.folder, {options.side, options.side, 3}, {.convert = true}};
  const data::ImageDataset<> in_memory = folder.in_memory();
  std::cout << folder.size() << " images in " << folder.num_classes() << " classes, " << num_threads() << " threads\n"
            << std::fixed << std::setprecision(0) << "one thread decodes " << decoding_rate(folder, options)
            << " images/s\n";
  Trained trained{networks::convnet(3, folder.num_classes())};
  std::vector<double> ratios;
  for (int round = 0; round < options.rounds; ++round) {
    const double memory = training_rate(trained, in_memory, options);
    const double files = training_rate(trained, folder, options);
    ratios.push_back(files / memory);
    std::cout << "training from memory " << std::setprecision(0) << memory << ", from files " << files
              << " images/s: " << std::setprecision(3) << ratios.back() << '\n';
  }
  std::cout << "median " << benchmarks::median(ratios) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Compares training from a folder of images with training from memory."};
  app.add_option("FOLDER", options.folder, "a folder with images in one folder for each class")->required();
  app.add_option("--side", options.side, "pixels that images are resized to")->check(CLI::Range(32, 1024));
  app.add_option("--batch-size", options.batch_size, "images in a batch")->check(CLI::Range(1, 65536));
  app.add_option("--steps", options.steps, "for each measurement")->check(CLI::PositiveNumber);
  app.add_option("--rounds", options.rounds, "each with one measurement of both")->check(CLI::PositiveNumber);
  app.add_option("--threads", options.threads, "0 for one on every processor")->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    measure(options);
  } catch (const Error& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
