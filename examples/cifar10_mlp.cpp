// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Trains a multi-layer perceptron on CIFAR-10, or on synthetic images where CIFAR-10 is not found.
//   cifar10_mlp --hidden-units 100 --learning-rate 2e-3 --max-steps 1500

#include "common/trainer.hpp"

namespace {

eigengrad::nn::Sequential<> make_mlp(eigengrad::Index inputs, const std::vector<eigengrad::Index>& hidden_units,
                                     eigengrad::Index classes) {
  using namespace eigengrad;
  nn::Sequential net{nn::Flatten{}};
  for (const Index units : hidden_units) {
    net.push_back(nn::Linear{inputs, units}).push_back(nn::ReLU{});
    inputs = units;
  }
  net.push_back(nn::Linear{inputs, classes});
  return net;
}

}  // namespace

int main(int argc, char** argv) {
  trainer::Options options;
  options.run_dir = "runs/mlp";
  CLI::App app{"Trains a multi-layer perceptron on CIFAR-10."};
  std::string hidden_units = "100";
  app.add_option("--hidden-units", hidden_units, "units of each hidden layer, as 700,700,700; empty for none")
      ->capture_default_str();
  trainer::add_flags(app, options, "normal:1e-4");
  return trainer::run_main(app, argc, argv, [&] {
    const std::vector<eigengrad::Index> units = trainer::parse_units("--hidden-units", hidden_units);
    if (options.threads > 0) eigengrad::set_num_threads(options.threads);
    auto data = trainer::load_data(options);
    eigengrad::data::subtract_mean_image(data);
    auto net = make_mlp(data.train.image_shape().numel(), units, data.train.num_classes());
    trainer::run(net, data, options);
  });
}
