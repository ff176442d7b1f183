// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/options.hpp"
#include <set>

#include "common/network_flags.hpp"

namespace trainer {

namespace {

using examples::add_number;
using examples::kAboveZero;
using examples::kNotNegative;
using examples::kShare;
using examples::number_in;

nn::init::Scheme parse_init(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const auto refuse = [&](const std::string& reason) -> CLI::ValidationError {
    return CLI::ValidationError("--init", "\"" + text + "\": " + reason);
  };
  double number = 0.0;
  if (colon != std::string::npos) number = number_in<double>("--init", text.substr(colon + 1), kAboveZero);
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
  app.add_option("--optimizer", options.optimizer, "sgd, adam, adamw or rmsprop")
      ->check(CLI::IsMember({"sgd", "adam", "adamw", "rmsprop"}))
      ->capture_default_str();
  add_number(app, "--learning-rate", options.learning_rate, "size of a step", kNotNegative);
  add_number(app, "--momentum", options.momentum, "of sgd and rmsprop", kNotNegative);
  add_number(app, "--weight-decay", options.weight_decay,
             "of weights, not of biases and normalisation; adamw: decoupled, else added to the gradient", kNotNegative);
  add_number(app, "--label-smoothing", options.label_smoothing, "share of a label that all classes divide", kShare);
  add_number(app, "--clip-grad-norm", options.clip_grad_norm, "largest norm of all gradients together; 0 for no limit",
             kNotNegative);
  app.add_option("--schedule", options.schedule, "of the learning rate: constant, step, cosine or one-cycle")
      ->check(CLI::IsMember({"constant", "step", "cosine", "one-cycle"}))
      ->capture_default_str();
  add_number(app, "--warmup-steps", options.warmup_steps, "steps in which the learning rate rises from a hundredth",
             kNotNegative);
  add_number(app, "--step-size", options.step_size, "of the step schedule: steps at one rate", kAboveZero);
  add_number(app, "--step-gamma", options.step_gamma, "of the step schedule: factor from one rate to the next",
             kNotNegative);
}

}  // namespace

void add_flags(CLI::App& app, Options& options, const std::string& init) {
  options.init = parse_init(init);
  add_data_flags(app, options);
  add_optimizer_flags(app, options);
  add_number(app, "--max-steps", options.max_steps, "steps of training", kAboveZero);
  add_number(app, "--batch-size", options.batch_size, "samples in a step", kAboveZero);
  add_number(app, "--eval-freq", options.eval_freq, "steps between evaluations", kAboveZero);
  app.add_option_function<std::string>(
         "--init", [&](const std::string& text) { options.init = parse_init(text); },
         "initial weights: normal:STD, pytorch, kaiming, xavier")
      ->default_str(init);
  add_number(app, "--seed", options.seed, "of weights, batches, augmentation, dropout and synthetic data");
  add_number(app, "--threads", options.threads, "0: $EIGENGRAD_NUM_THREADS, else one for every processor",
             kNotNegative);
  app.add_option("--precision", options.precision,
                 "of large matrix products: highest (float32) or medium (bfloat16 where the processor has it)")
      ->check(CLI::IsMember({"highest", "medium"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--run-dir",
         [&](const std::string& path) {
           options.run_dir = path;
           options.run_dir_given = true;
         },
         "folder for networks, tables and curves (default: a new one, " + options.run_dir.string() +
             "-1, -2, ...); one that holds a run is refused")
      ->type_name("DIR");
  const auto overwrite = app.add_flag("--overwrite", options.overwrite,
                                      "replace the run that --run-dir holds, once this one has a checkpoint");
  app.add_flag("--resume", options.resume,
               "go on with the run in --run-dir from its last checkpoint, with its flags; --max-steps, --threads and "
               "--data-dir may be others")
      ->excludes(overwrite);
  add_number(app, "--checkpoint-every", options.checkpoint_every, "steps between checkpoints; 0: at every evaluation",
             kNotNegative);
}

Flags flags_of(const CLI::App& app) {
  static const std::set<std::string> of_the_program = {"--help",      "--run-dir",          "--resume",
                                                       "--overwrite", "--checkpoint-every", "--threads"};
  Flags flags;
  for (const CLI::Option* option : app.get_options()) {
    if (of_the_program.contains(option->get_name())) continue;
    const std::string value =
        option->count() > 0 ? CLI::detail::join(option->results(), ",") : option->get_default_str();
    if (option->count() > 0 || !value.empty()) flags[option->get_name()] = value;
  }
  return flags;
}

void resume_flags(CLI::App& app, const Options& options) {
  if (!options.run_dir_given) throw CLI::ValidationError("--resume", "needs --run-dir, the folder of the run");
  const std::string folder = options.run_dir.string();
  const RunFile run = load_run_file(options.run_dir / "run.json");
  if (run.program != app.get_name()) throw IoError(folder, "holds a run of " + run.program);
  Flags flags = flags_of(app);  // with the defaults of this program
  for (const auto& [name, value] : flags) {
    if (app.get_option(name)->count() == 0 || name == "--data-dir" || name == "--max-steps") continue;
    const auto stored = run.flags.find(name);
    if (stored != run.flags.end() && stored->second == value) continue;
    throw CLI::ValidationError(name,
                               "\"" + value + "\": the run in " + folder + " goes on as it began, " +
                                   (stored == run.flags.end() ? "without it" : "with \"" + stored->second + "\""));
  }
  for (const auto& [name, value] : run.flags) {
    if (app.get_option_no_throw(name) == nullptr || app.get_option(name)->count() == 0) flags[name] = value;
  }
  auto arguments = as_arguments(flags);
  const auto add = [&](const std::string& flag, const std::string& value) {
    arguments.insert(arguments.end(), {value, flag});
  };
  add("--run-dir", folder);
  add("--threads", joined(options.threads));
  add("--checkpoint-every", joined(options.checkpoint_every));
  arguments.emplace_back("--resume");
  app.parse(arguments);
}

}  // namespace trainer
