// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Trains a small VGG on CIFAR-10, or on synthetic images if CIFAR-10 is not found.
//   cifar10_cnn --learning-rate 1e-4 --batch-size 32 --max-steps 5000

#include "common/trainer.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Trains a convolutional network, a small VGG with batch normalisation, on CIFAR-10."};
  trainer::Options options;
  options.run_dir = "runs/cnn";
  options.optimizer = "adam";
  options.learning_rate = 1e-4;
  options.batch_size = 32;
  options.max_steps = 5000;
  options.eval_freq = 500;
  options.normalization = "channels";
  options.schedule = "cosine";
  eigengrad::Index width = 64;
  examples::add_number(app, "--width", width, "channels of the first convolution; the last has eight times as many",
                       examples::kAboveZero);
  trainer::add_flags(app, options, "pytorch");
  return trainer::run_main(app, options, argc, argv, [&](const eigengrad::Shape& image, eigengrad::Index classes) {
    return networks::convnet(image[-1], classes, width);
  });
}
