// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Trains a multi-layer perceptron on CIFAR-10, or on synthetic images if CIFAR-10 is not found.
//   cifar10_mlp --hidden-units 100 --learning-rate 2e-3 --max-steps 1500
// The network is networks::mlp in common/networks.cpp, the loop trainer::run in common/trainer.cpp; first_steps.cpp has
// both in thirty lines.

#include "common/trainer.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Trains a multi-layer perceptron on CIFAR-10.", "cifar10_mlp"};
  trainer::Options options;
  options.run_dir = "runs/mlp";
  return trainer::run_main(app, options, "normal:1e-4", argc, argv);
}
