// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/options.hpp"
#include <charconv>
#include <sstream>

namespace trainer {

namespace {

nn::init::Scheme parse_init(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto refuse = [&](const std::string& reason) -> CLI::ValidationError {
    return CLI::ValidationError("--init", "\"" + text + "\": " + reason);
  };
  double number = 0.0;
  if (colon != std::string::npos) {
    const std::string digits = text.substr(colon + 1);
    if (!CLI::detail::lexical_cast(digits, number) || !(number > 0.0))
      throw refuse("expected a number above 0 after the colon");
  }
  if (name == "normal") {
    if (colon == std::string::npos) throw refuse("expected normal:STD, as normal:1e-4");
    return nn::init::Normal{number};
  }
  if (colon != std::string::npos) throw refuse("only normal takes a number");
  if (name == "pytorch") return nn::init::PyTorch{};
  if (name == "kaiming") return nn::init::KaimingNormal{};
  if (name == "xavier") return nn::init::XavierUniform{};
  throw refuse("expected normal:STD, pytorch, kaiming or xavier");
}

void add_data_flags(CLI::App& app, Options& options) {
  app.add_option_function<std::string>(
         "--data-dir",
         [&](const std::string& path) {
           options.data_dir = path;
           options.data_dir_given = true;
         },
         "folder with the binary CIFAR-10 batches (default: $CIFAR10_DIR, else " + options.data_dir.string() + ")")
      ->envname("CIFAR10_DIR")
      ->type_name("DIR");
  app.add_option("--dataset", options.dataset, "auto: CIFAR-10 where it is found, else synthetic")
      ->check(CLI::IsMember({"auto", "cifar10", "synthetic"}))
      ->capture_default_str();
  app.add_option("--normalization", options.normalization,
                 "mean-image: minus the mean image; pixels: and every pixel divided by its deviation; "
                 "channels: mean 0 and deviation 1 for each channel")
      ->check(CLI::IsMember({"mean-image", "pixels", "channels"}))
      ->capture_default_str();
  app.add_option("--augment", options.augment,
                 "changes to the training images, with commas between: crop (moved by up to 4 pixels), flip (left and "
                 "right), cutout (a square of 8 pixels)")
      ->delimiter(',')
      ->check(CLI::IsMember({"crop", "flip", "cutout"}));
}

void add_optimizer_flags(CLI::App& app, Options& options) {
  const CLI::Validator not_negative = CLI::NonNegativeNumber;
  app.add_option("--optimizer", options.optimizer, "sgd, adam, adamw or rmsprop")
      ->check(CLI::IsMember({"sgd", "adam", "adamw", "rmsprop"}))
      ->capture_default_str();
  app.add_option("--learning-rate", options.learning_rate, "size of a step")
      ->check(not_negative)
      ->capture_default_str();
  app.add_option("--momentum", options.momentum, "of sgd and rmsprop")->check(not_negative)->capture_default_str();
  app.add_option("--weight-decay", options.weight_decay,
                 "of weights, not of biases and normalisation; adamw: decoupled, else added to the gradient")
      ->check(not_negative)
      ->capture_default_str();
  app.add_option("--label-smoothing", options.label_smoothing, "share of a label that all classes divide")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--clip-grad-norm", options.clip_grad_norm, "largest norm of all gradients together; 0 for no limit")
      ->check(not_negative)
      ->capture_default_str();
  app.add_option("--schedule", options.schedule, "of the learning rate: constant, step, cosine or one-cycle")
      ->check(CLI::IsMember({"constant", "step", "cosine", "one-cycle"}))
      ->capture_default_str();
  app.add_option("--warmup-steps", options.warmup_steps, "steps in which the learning rate rises from a hundredth")
      ->check(not_negative)
      ->capture_default_str();
  app.add_option("--step-size", options.step_size, "of the step schedule: steps at one rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--step-gamma", options.step_gamma, "of the step schedule: factor from one rate to the next")
      ->check(not_negative)
      ->capture_default_str();
}

}  // namespace

void add_flags(CLI::App& app, Options& options, const std::string& init) {
  options.init = parse_init(init);
  add_data_flags(app, options);
  add_optimizer_flags(app, options);
  const CLI::Validator above_zero = CLI::PositiveNumber;
  app.add_option("--max-steps", options.max_steps, "steps of training")->check(above_zero)->capture_default_str();
  app.add_option("--batch-size", options.batch_size, "samples in a step")->check(above_zero)->capture_default_str();
  app.add_option("--eval-freq", options.eval_freq, "steps between evaluations")
      ->check(above_zero)
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--init", [&](const std::string& text) { options.init = parse_init(text); },
         "initial weights: normal:STD, pytorch, kaiming, xavier")
      ->default_str(init);
  app.add_option("--seed", options.seed, "of weights, batches, augmentation, dropout and synthetic data")
      ->capture_default_str();
  app.add_option("--threads", options.threads, "0: $EIGENGRAD_NUM_THREADS, else one for every processor")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--precision", options.precision,
                 "of large matrix products: highest (float32) or medium (bfloat16 where the processor has it)")
      ->check(CLI::IsMember({"highest", "medium"}))
      ->capture_default_str();
  app.add_option("--run-dir", options.run_dir, "folder for metrics.csv, train_loss.csv and curves.svg")
      ->type_name("DIR")
      ->capture_default_str();
}

std::vector<Index> parse_units(const std::string& flag, const std::string& text) {
  std::vector<Index> units;
  if (text.empty()) return units;
  std::istringstream parts(text + ",");
  for (std::string part; std::getline(parts, part, ',');) {
    Index number = 0;
    const auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), number);
    if (problem != std::errc() || end != part.data() + part.size() || number < 1) {
      throw CLI::ValidationError(flag, "\"" + text + "\": expected numbers above 0 with commas between, or nothing");
    }
    units.push_back(number);
  }
  return units;
}

}  // namespace trainer
