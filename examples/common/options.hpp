// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/eigengrad.hpp>

#include "common/numbers.hpp"
#include "common/run_file.hpp"

// The flags that all trainers of CIFAR-10 share.

namespace trainer {

using namespace eigengrad;

/// Every flag that all trainers have, with the defaults that all share; a trainer may set others first.
struct Options {
  std::filesystem::path data_dir = "data/cifar-10-batches-bin";
  bool data_dir_given = false;  // by the flag or by $CIFAR10_DIR
  std::string dataset = "auto";
  std::string normalization = "mean-image";
  std::vector<std::string> augment;

  nn::init::Scheme init = nn::init::PyTorch{};
  std::string optimizer = "sgd";
  double learning_rate = 2e-3;
  double momentum = 0.0;
  double weight_decay = 0.0;
  double label_smoothing = 0.0;
  double clip_grad_norm = 0.0;

  std::string schedule = "constant";
  Index warmup_steps = 0;
  Index step_size = 1000;
  double step_gamma = 0.1;

  Index max_steps = 1500;
  Index batch_size = 200;
  Index eval_freq = 100;

  std::uint64_t seed = 42;
  int threads = 0;
  std::string precision = "highest";
  std::filesystem::path run_dir;  // if none is given, a number goes behind it
  bool run_dir_given = false;
  bool overwrite = false;
  bool resume = false;
  Index checkpoint_every = 0;  // steps; 0: after each evaluation
};

/// Adds the shared flags to a command line. `init` is the default of --init as a user would type it.
void add_flags(CLI::App& app, Options& options, const std::string& init);

/// The flags of a command line that say what its run is: all but those of the folder, the threads and the checkpoints.
Flags flags_of(const CLI::App& app);

/// With --resume: parses the command line once more, with the flags of the run in --run-dir.
/// Errors   CLI::ValidationError for a flag that contradicts the run; IoError if the folder holds no run of this
///          program
void resume_flags(CLI::App& app, const Options& options);

}  // namespace trainer
