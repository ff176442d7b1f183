// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/eigengrad.hpp>

// What all trainers of CIFAR-10 share: their flags, the choice of data, the run with its files and its
// report.

namespace trainer {

using namespace eigengrad;

/// Every flag that all trainers have, with the defaults that all share; a trainer may set others first.
struct Options {
  std::filesystem::path data_dir = "data/cifar-10-batches-bin";
  bool data_dir_given = false;  // by the flag or by $CIFAR10_DIR
  std::string dataset = "auto";
  std::string optimizer = "sgd";
  double learning_rate = 2e-3;
  double momentum = 0.0;
  double weight_decay = 0.0;
  Index max_steps = 1500;
  Index batch_size = 200;
  Index eval_freq = 100;
  nn::init::Scheme init = nn::init::Normal{1e-4};
  std::uint64_t seed = 42;
  int threads = 0;
  std::filesystem::path run_dir;
};

/// Adds the shared flags to a command line. `init` is the default of --init as a user would type it.
void add_flags(CLI::App& app, Options& options, const std::string& init);

/// "100,50" as numbers above 0; "" as none.
/// Errors   CLI::ValidationError naming the flag
std::vector<Index> parse_units(const std::string& flag, const std::string& text);

/// Loads or draws the data that the flags ask for and says on standard output which it is.
data::Split<data::ImageDataset<>> load_data(const Options& options);

/// Initialises and trains the network, writes the files of the run, ends with the line on the final accuracy.
void run(nn::Sequential<>& net, const data::Split<data::ImageDataset<>>& data, const Options& options);

/// Parses the command line, then calls `program`. Errors go to standard error; the result is the exit status.
template <class F>
int run_main(CLI::App& app, int argc, char** argv, const F& program) {
  try {
    app.parse(argc, argv);
    program();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace trainer
