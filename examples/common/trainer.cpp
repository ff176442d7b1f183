// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/trainer.hpp"
#include <filesystem>
#include <optional>
#include <unistd.h>

#include <eigengrad/io.hpp>

#include "common/interrupt.hpp"
#include "common/run_main.hpp"

namespace trainer {

namespace {

/// A folder that is there has to be whole: half of CIFAR-10, or a link to nowhere, does not mean synthetic images.
bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

data::Split<data::ImageDataset<>> find_data(Options& options) {
  const bool cifar10 = options.dataset == "cifar10" ||
                       (options.dataset == "auto" && (options.data_dir_given || is_there(options.data_dir)));
  if (cifar10) {
    auto split = data::load_cifar10(options.data_dir);
    options.dataset = "cifar10";
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
  options.dataset = "synthetic";
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

constexpr const char* kMetrics = "step,train_loss,test_loss,test_accuracy,seconds";
constexpr const char* kLosses = "step,loss";

/// The files of a run, written as it goes on.
class Report {
 public:
  /// Goes on with the files of the run that a checkpoint is of, if there is one.
  Report(nn::Sequential<>& net, const Options& options, train::RunDirectory directory, const train::Course& course,
         Index steps_per_epoch)
      : net_(net),
        directory_(std::move(directory)),
        metrics_(directory_.file("metrics.csv"), kMetrics),
        losses_(train::CsvFile::continued(directory_.file("train_loss.csv"), kLosses, course.step)),
        progress_(std::cout, {.max_steps = options.max_steps,
                              .steps_per_epoch = steps_per_epoch,
                              .terminal = isatty(STDOUT_FILENO) != 0}) {
    for (const train::Measurement& m : course.history) add(m);
    const std::filesystem::path losses = directory_.file("train_loss.csv");
    // Nine digits say which float it was.
    for (const auto& [step, loss] : train::read_csv<2>(losses))
      add(step, static_cast<double>(static_cast<float>(loss)));
    const auto rows = static_cast<Index>(loss_.x.size());
    if (rows != course.step)
      throw IoError(losses.string(), joined("has ", rows, " rows, expected one for each of ", course.step, " steps"));
  }

  void step(Index step, double loss) {
    losses_.row(step, loss);
    add(static_cast<double>(step), loss);
    progress_.step(step, loss);
  }

  void evaluation(const train::Measurement& m) {
    add(m);
    progress_.evaluation(m);
    if (train::best(history_).step == m.step) io::save(directory_.file("best.safetensors"), net_);
  }

  void checkpoint(const train::Checkpoint<>& checkpoint) {
    metrics_.flush();
    losses_.flush();  // before the checkpoint, which counts on their rows
    io::save_checkpoint(directory_.file("checkpoint.safetensors"), checkpoint);
    directory_.finish();  // an earlier run is given up only now
  }

  /// An error gets a line of its own.
  void clear() { progress_.clear(); }

  /// Ctrl-C has ended the run after the last checkpoint.
  void interrupted(const std::string& program) {
    clear();
    save_last();
    std::cout << "stopped after step " << loss_.x.back() << "; to go on: " << program << " --run-dir "
              << directory_.path().string() << " --resume\n";
  }

  void end() {
    const train::Measurement& best = train::best(history_);
    const std::string accuracy =
        joined("final test accuracy ", to_fixed(history_.back().validation_accuracy, 4), " (best ",
               to_fixed(best.validation_accuracy, 4), " at step ", best.step, ")\n");
    try {
      save_last();
      write_file(directory_.file("curves.svg"),
                 train::curves_svg({train::loss_panel(loss_, history_, "loss (nats)", "test"),
                                    {"test accuracy", "step", "accuracy", {accuracy_}}}));
    } catch (...) {
      std::cout << accuracy;  // in any case
      throw;
    }
    std::cout << "wrote networks (best.safetensors, last.safetensors), metrics.csv, train_loss.csv and curves.svg to "
              << directory_.path().string() << '\n'
              << accuracy;
  }

 private:
  void save_last() { io::save(directory_.file("last.safetensors"), net_); }

  void add(double step, double loss) {
    loss_.x.push_back(step);
    loss_.y.push_back(loss);
  }
  void add(const train::Measurement& m) {
    history_.push_back(m);
    metrics_.row(m.step, m.train_loss, m.validation_loss, m.validation_accuracy, m.seconds);
    accuracy_.x.push_back(static_cast<double>(m.step));
    accuracy_.y.push_back(m.validation_accuracy);
  }

  nn::Sequential<>& net_;
  train::RunDirectory directory_;
  train::CsvFile metrics_;
  train::CsvFile losses_;
  train::Progress progress_;
  train::Curve loss_;
  train::Curve accuracy_;
  std::vector<train::Measurement> history_;
};

train::RunDirectory open_directory(const Options& options) {
  const train::RunDirectoryOptions files{
      .files = {"run.json", "normalization.safetensors", "best.safetensors", "last.safetensors", "metrics.csv",
                "train_loss.csv", "curves.svg", "checkpoint.safetensors"},
      .overwrite = options.overwrite,
      .resume = options.resume};
  return options.run_dir_given ? train::RunDirectory(options.run_dir, files)
                               : train::RunDirectory::numbered(options.run_dir, files);
}

/// A run cannot end at a step that it has left behind, or that it did not evaluate.
void check_goes_on(const train::Course& course, Index max_steps) {
  const Index evaluated = course.history.empty() ? 0 : course.history.back().step;
  if (course.step < max_steps || evaluated == max_steps) return;
  throw ValueError(joined("the run has made ", course.step, " steps, expected fewer than --max-steps ", max_steps));
}

/// What predict needs to know.
void describe_run(const train::RunDirectory& directory, const RunFile& description,
                  const data::ImageDataset<>& images) {
  save_run_file(directory.file("run.json"), description);
  io::save_state<float>(directory.file("normalization.safetensors"), {{"mean", images.mean}, {"scale", images.scale}});
}

}  // namespace

data::Split<data::ImageDataset<>> find_data(const RunFile& run, const std::filesystem::path& data_dir) {
  Options options;
  const auto flag = [&](const std::string& name) { return run.flags.contains(name) ? run.flags.at(name) : ""; };
  options.dataset = flag("--dataset");
  options.seed = examples::number_in<std::uint64_t>("--seed", flag("--seed"));
  if (!data_dir.empty() || !flag("--data-dir").empty())
    options.data_dir = data_dir.empty() ? std::filesystem::path(flag("--data-dir")) : data_dir;
  return find_data(options);
}

data::Split<data::ImageDataset<>> load_data(Options& options) {
  auto split = find_data(options);
  if (options.normalization == "channels")
    data::normalize_channels(split);
  else if (options.normalization == "pixels")
    data::normalize_pixels(split);
  else
    data::subtract_mean_image(split);
  return split;
}

int run(nn::Sequential<>& net, const data::Split<data::ImageDataset<>>& data, const Options& options,
        const RunFile& description) {
  Rng rng(options.seed);
  nn::initialize(net, options.init, rng);
  const nn::SoftmaxCrossEntropy<> loss{{.label_smoothing = options.label_smoothing}};
  data::Loader loader{data::Augmented{data.train, options.seed, Augmentation(options.augment)},
                      {.batch_size = options.batch_size,
                       .epochs = data::kEndless,
                       .seed = options.seed,
                       .prefetch = num_threads() > 1}};
  int status = 0;
  with_optimizer(net, options, [&](auto optimizer) {
    train::check_data(net, loss, loader, data.test);
    // Only now, with every option found right, is anything written.
    train::RunDirectory directory = open_directory(options);
    train::Checkpoints<> checkpoints{.freq = options.checkpoint_every};
    if (options.resume) {
      checkpoints.resume = io::load_checkpoint(directory.file("checkpoint.safetensors"));
      check_goes_on(checkpoints.resume->course, options.max_steps);
    }
    describe_run(directory, description, data.train);
    Report report(net, options, std::move(directory), checkpoints.resume ? checkpoints.resume->course : train::Course{},
                  loader.batches_per_epoch());
    checkpoints.save = [&](const train::Checkpoint<>& checkpoint) { report.checkpoint(checkpoint); };
    const Shape images = loader.dataset().input_shape(loader.batch_size());
    std::cout << net.summary(images) << num_threads() << " threads, batches of " << loader.batch_size() << '\n';
    if (checkpoints.resume) std::cout << "goes on after step " << checkpoints.resume->course.step << '\n';
    std::cout << std::flush;
    const examples::Interrupt interrupt;
    bool stopped = false;
    try {
      train::fit(net, loss, optimizer, loader, data.test,
                 {.max_steps = options.max_steps,
                  .eval_freq = options.eval_freq,
                  .schedule = make_schedule(options),
                  .max_grad_norm = options.clip_grad_norm,
                  .on_step =
                      [&](Index step, double value) {
                        report.step(step, value);
                        return stopped = step < options.max_steps && interrupt.came();
                      },
                  .on_evaluation = [&](const train::Measurement& m) { report.evaluation(m); }},
                 std::move(checkpoints));
    } catch (...) {
      report.clear();
      throw;
    }
    constexpr int kInterrupted = 130;  // as shells have it
    if (stopped) {
      report.interrupted(description.program);
      status = kInterrupted;
    } else {
      report.end();
    }
  });
  return status;
}

int run_main(CLI::App& app, Options& options, const std::string& init, int argc, char** argv) {
  const MakeNetwork make_network = add_network_flags(app, app.get_name());
  add_flags(app, options, init);
  return examples::run_main(app, argc, argv, [&] {
    if (options.resume) resume_flags(app, options);
    if (options.threads > 0) set_num_threads(options.threads);
    if (options.precision == "medium") set_float32_matmul_precision(Float32MatmulPrecision::medium);
    manual_seed(options.seed);
    const auto data = load_data(options);
    RunFile description{app.get_name(), flags_of(app), data.train.image_shape(), data.train.class_names};
    description.flags["--dataset"] = options.dataset;
    nn::Sequential<> net = make_network(description.image_shape, data.train.num_classes());
    return run(net, data, options, description);
  });
}

}  // namespace trainer
