// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/network_flags.hpp"
#include <memory>
#include <sstream>
#include <stdexcept>

#include "common/numbers.hpp"

namespace trainer {

namespace {

using namespace eigengrad;
using examples::add_number;

/// "100,50" as numbers above 0; "" as none.
std::vector<Index> parse_units(const std::string& flag, const std::string& text) {
  std::vector<Index> units;
  if (text.empty()) return units;
  std::istringstream parts(text + ",");
  for (std::string part; std::getline(parts, part, ',');)
    units.push_back(examples::number_in<Index>(flag, part, examples::kAboveZero));
  return units;
}

void add_cnn_flags(CLI::App& app, networks::ConvNetOptions& options) {
  add_number(app, "--width", options.width, "channels of the first convolution; the last has eight times as many",
             examples::kAboveZero);
  add_number(app, "--dropout", options.dropout, "share of the last features that a step leaves out", examples::kShare);
}

}  // namespace

void add_mlp_flags(CLI::App& app, networks::MlpOptions& options) {
  app.add_option_function<std::string>(
         "--hidden-units",
         [&options](const std::string& text) { options.hidden_units = parse_units("--hidden-units", text); },
         "units of each hidden layer, as 700,700,700; empty for none")
      ->default_str("100");
  app.add_option("--activation", options.activation, "relu, gelu or silu")
      ->check(CLI::IsMember({"relu", "gelu", "silu"}))
      ->capture_default_str();
  app.add_flag("--batch-norm", options.batch_norm, "normalise the batch before each activation");
  add_number(app, "--dropout", options.dropout, "share of hidden units that a step leaves out", examples::kShare);
  add_number(app, "--input-dropout", options.input_dropout, "share of input numbers that a step leaves out",
             examples::kShare);
}

MakeNetwork add_network_flags(CLI::App& app, const std::string& program) {
  if (program == "cifar10_mlp") {
    const auto mlp = std::make_shared<networks::MlpOptions>();
    add_mlp_flags(app, *mlp);
    return [mlp](const Shape& image, Index classes) { return networks::mlp(image.numel(), classes, *mlp); };
  }
  if (program == "cifar10_cnn") {
    const auto convnet = std::make_shared<networks::ConvNetOptions>();
    add_cnn_flags(app, *convnet);
    return [convnet](const Shape& image, Index classes) { return networks::convnet(image[-1], classes, *convnet); };
  }
  throw std::invalid_argument("no trainer is called " + program);
}

std::vector<std::string> as_arguments(const Flags& flags) {
  std::vector<std::string> arguments;
  for (const auto& [name, value] : flags) {
    // "true" is what the flags without a value have.
    if (value != "true") arguments.push_back(value);
    arguments.push_back(name);
  }
  return arguments;
}

eigengrad::nn::Sequential<> make_network(const RunFile& run) {
  CLI::App app;
  app.allow_extras();  // the flags that are not the network's
  const MakeNetwork make = add_network_flags(app, run.program);
  app.parse(as_arguments(run.flags));
  return make(run.image_shape, static_cast<Index>(run.class_names.size()));
}

}  // namespace trainer
