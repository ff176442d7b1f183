// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The flags of the trainers on any text: either options that training can take, or an error of the command line. Every
// line of the input is one argument.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "common/network_flags.hpp"
#include "common/options.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void require_at_least(double number, double least) { require(std::isfinite(number) && number >= least); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> arguments;
  std::istringstream lines(std::string(reinterpret_cast<const char*>(data), size));
  for (std::string line; std::getline(lines, line);) arguments.insert(arguments.begin(), line);  // CLI11 wants them so

  trainer::Options options;
  networks::MlpOptions mlp;
  CLI::App app("fuzzed");
  trainer::add_mlp_flags(app, mlp);
  trainer::add_flags(app, options, "normal:1e-4");
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    require(error.get_exit_code() == 0 || !std::string(error.what()).empty());
    return 0;
  }

  for (const eigengrad::Index unit : mlp.hidden_units) require(unit >= 1);
  for (const double share : {mlp.dropout, mlp.input_dropout}) require(share >= 0.0 && share <= 1.0);
  require(options.checkpoint_every >= 0);
  require(!options.resume || !options.overwrite);
  for (const double number : {options.learning_rate, options.momentum, options.weight_decay, options.label_smoothing,
                              options.clip_grad_norm, options.step_gamma}) {
    require_at_least(number, 0.0);
  }
  require(options.label_smoothing <= 1.0);
  for (const eigengrad::Index number : {options.step_size, options.max_steps, options.batch_size, options.eval_freq})
    require(number >= 1);
  require(options.warmup_steps >= 0);
  require(options.threads >= 0);
  if (const auto* normal = std::get_if<eigengrad::nn::init::Normal>(&options.init)) {
    require(std::isfinite(normal->std) && normal->std > 0.0);
  }
  for (const std::string& change : options.augment) require(change == "crop" || change == "flip" || change == "cutout");
  return 0;
}
