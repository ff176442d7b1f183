// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/trainer.hpp"
#include <filesystem>
#include <optional>
#include <unistd.h>

namespace trainer {

namespace {

/// A folder that is there has to be whole: half of CIFAR-10, or a link to nowhere, does not mean synthetic images.
bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

data::Split<data::ImageDataset<>> find_data(const Options& options) {
  const bool cifar10 = options.dataset == "cifar10" ||
                       (options.dataset == "auto" && (options.data_dir_given || is_there(options.data_dir)));
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

/// The changes to the training images that --augment names.
struct Augmentation {
  std::optional<data::RandomCrop> crop;
  std::optional<data::RandomHorizontalFlip> flip;
  std::optional<data::Cutout> cutout;

  explicit Augmentation(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (name == "crop") crop.emplace();
      if (name == "flip") flip.emplace();
      if (name == "cutout") cutout.emplace();
    }
  }

  template <class T>
  void operator()(const data::Image<T>& image, Rng& rng) const {
    if (crop) (*crop)(image, rng);
    if (flip) (*flip)(image, rng);
    if (cutout) (*cutout)(image, rng);
  }
};

optim::Schedule make_schedule(const Options& options) {
  optim::Schedule schedule;
  if (options.schedule == "step") schedule = optim::StepLR{options.step_size, options.step_gamma};
  if (options.schedule == "cosine") schedule = optim::CosineAnnealingLR{options.max_steps};
  if (options.schedule == "one-cycle") schedule = optim::OneCycleLR{options.max_steps};
  if (options.warmup_steps == 0) return schedule;
  const optim::LinearLR warmup{.start_factor = 0.01, .total_steps = options.warmup_steps};
  return schedule ? optim::chained(warmup, schedule) : warmup;
}

/// Calls f with the optimiser that the flags name.
template <class F>
void with_optimizer(nn::Sequential<>& net, const Options& options, const F& f) {
  const auto groups = optim::decay_weights_only(net);
  const double rate = options.learning_rate;
  const double decay = options.weight_decay;
  if (options.optimizer == "adam")
    f(optim::Adam{groups, {.learning_rate = rate, .weight_decay = decay}});
  else if (options.optimizer == "adamw")
    f(optim::AdamW{groups, {.learning_rate = rate, .weight_decay = decay}});
  else if (options.optimizer == "rmsprop")
    f(optim::RMSprop{groups, {.learning_rate = rate, .weight_decay = decay, .momentum = options.momentum}});
  else
    f(optim::SGD{groups, {.learning_rate = rate, .momentum = options.momentum, .weight_decay = decay}});
}

/// The files of a run, written as it goes on.
class Report {
 public:
  explicit Report(const Options& options)
      : directory_(make_directory(options)),
        metrics_(directory_.file("metrics.csv"), "step,train_loss,test_loss,test_accuracy,seconds"),
        losses_(directory_.file("train_loss.csv"), "step,loss"),
        progress_(std::cout, options.max_steps, isatty(STDOUT_FILENO) != 0) {}

  void step(Index step, double loss) {
    losses_.row(step, loss);
    loss_.x.push_back(static_cast<double>(step));
    loss_.y.push_back(loss);
    progress_.step(step, loss);
  }

  void evaluation(const train::Measurement& m) {
    metrics_.row(m.step, m.train_loss, m.test_loss, m.test_accuracy, m.seconds);
    accuracy_.x.push_back(static_cast<double>(m.step));
    accuracy_.y.push_back(m.test_accuracy);
    progress_.evaluation(m);
  }

  /// An error gets a line of its own.
  void clear() { progress_.clear(); }

  void end(const std::vector<train::Measurement>& history) {
    constexpr std::size_t kSmoothing = 50;
    const train::Curve smooth{loss_.x, train::moving_average(loss_.y, kSmoothing)};
    const train::Measurement& best = train::best(history);
    const std::string accuracy = joined("final test accuracy ", to_fixed(history.back().test_accuracy, 4), " (best ",
                                        to_fixed(best.test_accuracy, 4), " at step ", best.step, ")\n");
    try {
      write_file(directory_.file("curves.svg"),
                 train::curves_svg({{"training loss (line: mean of 50 steps)", "step", "loss (nats)", {smooth, loss_}},
                                    {"test accuracy", "step", "accuracy", {accuracy_}}}));
      directory_.finish();
    } catch (...) {
      std::cout << accuracy;  // in any case
      throw;
    }
    std::cout << "wrote metrics.csv, train_loss.csv and curves.svg to " << directory_.path().string() << '\n'
              << accuracy;
  }

 private:
  static train::RunDirectory make_directory(const Options& options) {
    const train::RunDirectoryOptions files{.files = {"metrics.csv", "train_loss.csv", "curves.svg"},
                                           .overwrite = options.overwrite};
    return options.run_dir_given ? train::RunDirectory(options.run_dir, files)
                                 : train::RunDirectory::numbered(options.run_dir, files);
  }

  train::RunDirectory directory_;
  train::CsvFile metrics_;
  train::CsvFile losses_;
  train::Progress progress_;
  train::Curve loss_;
  train::Curve accuracy_;
};

}  // namespace

data::Split<data::ImageDataset<>> load_data(const Options& options) {
  auto split = find_data(options);
  if (options.normalization == "channels")
    data::normalize_channels(split);
  else if (options.normalization == "pixels")
    data::normalize_pixels(split);
  else
    data::subtract_mean_image(split);
  return split;
}

void run(nn::Sequential<>& net, const data::Split<data::ImageDataset<>>& data, const Options& options) {
  Rng rng(options.seed);
  nn::initialize(net, options.init, rng);
  const nn::SoftmaxCrossEntropy<> loss{{.label_smoothing = options.label_smoothing}};
  data::Loader loader{data::Augmented{data.train, options.seed, Augmentation(options.augment)},
                      {.batch_size = options.batch_size,
                       .epochs = data::kEndless,
                       .seed = options.seed,
                       .prefetch = num_threads() > 1}};
  with_optimizer(net, options, [&](auto optimizer) {
    train::check_data(net, loss, loader, data.test);
    // Only now, with every option found right, is anything written.
    Report report(options);
    const Shape images = loader.dataset().input_shape(loader.batch_size());
    std::cout << net.summary(images) << num_threads() << " threads, batches of " << loader.batch_size() << '\n'
              << std::flush;
    try {
      const auto history = train::fit(net, loss, optimizer, loader, data.test,
                                      {.max_steps = options.max_steps,
                                       .eval_freq = options.eval_freq,
                                       .schedule = make_schedule(options),
                                       .max_grad_norm = options.clip_grad_norm,
                                       .on_step = [&](Index step, double value) { report.step(step, value); },
                                       .on_evaluation = [&](const train::Measurement& m) { report.evaluation(m); }});
      report.end(history);
    } catch (...) {
      report.clear();
      throw;
    }
  });
}

}  // namespace trainer
