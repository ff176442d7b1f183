// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/trainer.hpp"
#include <charconv>
#include <iomanip>
#include <sstream>
#include <unistd.h>

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

}  // namespace

void add_flags(CLI::App& app, Options& options, const std::string& init) {
  options.init = parse_init(init);
  const CLI::Validator above_zero = CLI::PositiveNumber;
  const CLI::Validator not_negative = CLI::NonNegativeNumber;
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
  app.add_option("--optimizer", options.optimizer, "sgd")->check(CLI::IsMember({"sgd"}))->capture_default_str();
  app.add_option("--learning-rate", options.learning_rate, "size of a step")
      ->check(not_negative)
      ->capture_default_str();
  app.add_option("--momentum", options.momentum, "of sgd")->check(not_negative)->capture_default_str();
  app.add_option("--weight-decay", options.weight_decay, "added to gradients, times the parameter")
      ->check(not_negative)
      ->capture_default_str();
  app.add_option("--max-steps", options.max_steps, "steps of training")->check(above_zero)->capture_default_str();
  app.add_option("--batch-size", options.batch_size, "samples in a step")->check(above_zero)->capture_default_str();
  app.add_option("--eval-freq", options.eval_freq, "steps between evaluations")
      ->check(above_zero)
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--init", [&](const std::string& text) { options.init = parse_init(text); },
         "initial weights: normal:STD, pytorch, kaiming, xavier")
      ->default_str(init);
  app.add_option("--seed", options.seed, "of weights, batches and synthetic data")->capture_default_str();
  app.add_option("--threads", options.threads, "0: $EIGENGRAD_NUM_THREADS, else one for every processor")
      ->check(not_negative)
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

data::Split<data::ImageDataset<>> load_data(const Options& options) {
  const bool cifar10 = options.dataset == "cifar10" ||
                       (options.dataset == "auto" && (options.data_dir_given || data::has_cifar10(options.data_dir)));
  if (cifar10) {
    auto split = data::load_cifar10(options.data_dir);
    std::cout << "data: CIFAR-10 from " << options.data_dir.string() << ", " << split.train.size() << " + "
              << split.test.size() << " images\n";
    return split;
  }
  auto split = data::synthetic_cifar10(options.seed);
  std::cout << "data: synthetic shapes and textures, " << split.train.size() << " + " << split.test.size()
            << " images drawn by this program\n";
  if (options.dataset == "auto") {
    std::cout << "      (for CIFAR-10: cmake -P cmake/DownloadCifar10.cmake, or --data-dir DIR)\n";
  }
  return split;
}

void run(nn::Sequential<>& net, const data::Split<data::ImageDataset<>>& data, const Options& options) {
  Rng rng(options.seed);
  nn::initialize(net, options.init, rng);
  optim::SGD optimizer{
      net.parameters(),
      {.learning_rate = options.learning_rate, .momentum = options.momentum, .weight_decay = options.weight_decay}};
  data::Loader loader{data.train, {.batch_size = options.batch_size, .epochs = data::kEndless, .seed = options.seed}};
  // Only now, with every option found right, is anything written.
  const train::RunDirectory directory(options.run_dir);
  train::CsvFile metrics(directory.file("metrics.csv"), "step,train_loss,test_loss,test_accuracy,seconds");
  train::CsvFile losses(directory.file("train_loss.csv"), "step,loss");

  const Shape images = data.train.images.shape().with(0, options.batch_size);
  std::cout << net.summary(images) << num_threads() << " threads, batches of " << options.batch_size << '\n'
            << std::flush;

  train::Progress progress(std::cout, options.max_steps, isatty(STDOUT_FILENO) != 0);
  train::Curve loss_curve;
  const auto on_step = [&](Index step, double loss) {
    losses.row(step, loss);
    loss_curve.x.push_back(static_cast<double>(step));
    loss_curve.y.push_back(loss);
    progress.step(step, loss);
  };
  const auto on_evaluation = [&](const train::Measurement& m) {
    metrics.row(m.step, m.train_loss, m.test_loss, m.test_accuracy, m.seconds);
    progress.evaluation(m);
  };
  std::vector<train::Measurement> history;
  try {
    history = train::fit(net, nn::SoftmaxCrossEntropy{}, optimizer, loader, data.test,
                         {.max_steps = options.max_steps,
                          .eval_freq = options.eval_freq,
                          .on_step = on_step,
                          .on_evaluation = on_evaluation});
  } catch (...) {
    progress.clear();  // the error gets a line of its own
    throw;
  }

  train::Curve accuracy_curve;
  for (const train::Measurement& m : history) {
    accuracy_curve.x.push_back(static_cast<double>(m.step));
    accuracy_curve.y.push_back(m.test_accuracy);
  }
  constexpr std::size_t kSmoothing = 50;
  const train::Curve smooth{loss_curve.x, train::moving_average(loss_curve.y, kSmoothing)};
  train::write_file(
      directory.file("curves.svg"),
      train::curves_svg({{"training loss (line: mean of 50 steps)", "step", "loss (nats)", {smooth, loss_curve}},
                         {"test accuracy", "step", "accuracy", {accuracy_curve}}}));

  const train::Measurement& best = train::best(history);
  std::cout << "wrote metrics.csv, train_loss.csv and curves.svg to " << options.run_dir.string() << '\n'
            << std::fixed << std::setprecision(4) << "final test accuracy " << history.back().test_accuracy << " (best "
            << best.test_accuracy << " at step " << best.step << ")\n";
}

}  // namespace trainer
