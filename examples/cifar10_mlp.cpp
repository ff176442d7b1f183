// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Trains a multi-layer perceptron on CIFAR-10, or on synthetic images if CIFAR-10 is not found.
//   cifar10_mlp --hidden-units 100 --learning-rate 2e-3 --max-steps 1500

#include "common/trainer.hpp"

int main(int argc, char** argv) {
  CLI::App app{"Trains a multi-layer perceptron on CIFAR-10."};
  trainer::Options options;
  options.run_dir = "runs/mlp";
  networks::MlpOptions mlp;
  app.add_option_function<std::string>(
         "--hidden-units",
         [&](const std::string& text) { mlp.hidden_units = trainer::parse_units("--hidden-units", text); },
         "units of each hidden layer, as 700,700,700; empty for none")
      ->default_str("100");
  app.add_option("--activation", mlp.activation, "relu, gelu or silu")
      ->check(CLI::IsMember({"relu", "gelu", "silu"}))
      ->capture_default_str();
  app.add_flag("--batch-norm", mlp.batch_norm, "normalise the batch before each activation");
  examples::add_number(app, "--dropout", mlp.dropout, "share of hidden units that a step leaves out", examples::kShare);
  examples::add_number(app, "--input-dropout", mlp.input_dropout, "share of input numbers that a step leaves out",
                       examples::kShare);
  trainer::add_flags(app, options, "normal:1e-4");
  return trainer::run_main(app, options, argc, argv, [&](const eigengrad::Shape& image, eigengrad::Index classes) {
    return networks::mlp(image.numel(), classes, mlp);
  });
}
