// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Trains a small VGG on CIFAR-10, or on synthetic images if CIFAR-10 is not found.
//   cifar10_cnn --learning-rate 1e-4 --batch-size 32 --max-steps 5000
// The network is networks::convnet in common/networks.cpp, the loop trainer::run in common/trainer.cpp; first_steps.cpp
// has both in thirty lines.

#include "common/trainer.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Trains a convolutional network, a small VGG with batch normalisation, on CIFAR-10.", "cifar10_cnn"};
  trainer::Options options;
  options.run_dir = "runs/cnn";
  options.optimizer = "adam";
  options.learning_rate = 1e-4;
  options.batch_size = 32;
  options.max_steps = 5000;
  options.eval_freq = 500;
  options.normalization = "channels";
  options.schedule = "cosine";
  return trainer::run_main(app, options, "pytorch", argc, argv);
}
