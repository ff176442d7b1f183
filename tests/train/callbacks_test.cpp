// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/schedule.hpp>
#include <eigengrad/optim/sgd.hpp>
#include <eigengrad/train/checkpoint.hpp>
#include <eigengrad/train/early_stopping.hpp>
#include <eigengrad/train/keep_best.hpp>
#include <eigengrad/train/reduce_lr_on_plateau.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::train {
namespace {

using testing::message_of;

/// A regression that a linear network learns.
struct Job {
  Job() {
    Rng rng(1);
    inputs = Tensor<float>::randn({40, 3}, rng);
    targets = Tensor<float>::randn({40, 2}, rng);
  }
  data::TensorDataset<float, float> dataset() const { return {inputs, targets}; }
  data::Loader<data::TensorDataset<float, float>> loader() const {
    return data::Loader{dataset(), {.batch_size = 10, .epochs = data::kEndless}};
  }
  std::vector<Measurement> fit(const FitOptions& options) {
    auto batches = loader();
    return train::fit(net, nn::MSELoss<float>{}, sgd, batches, dataset(), options);
  }

  Tensor<float> inputs, targets;
  nn::Sequential<> net{nn::Linear{3, 2}, nn::BatchNorm1d{2}};
  optim::SGD<float> sgd{net.parameters(), {.learning_rate = 0.05}};
};

TEST(Callbacks, MayReturnNothingOrEndTheRun) {
  Job job;
  std::vector<Index> seen;
  const auto history = job.fit(
      {.max_steps = 10,
       .eval_freq = 2,
       .on_step = {[&](Index step, double) { seen.push_back(step); }, [](Index step, double) { return step == 5; }}});
  EXPECT_EQ(seen, (std::vector<Index>{1, 2, 3, 4, 5}));
  ASSERT_EQ(history.size(), 2U);  // after 2 and 4
  EXPECT_EQ(history.back().step, 4);

  Index calls = 0;
  const auto by_evaluation = job.fit(
      {.max_steps = 10,
       .eval_freq = 2,
       .on_evaluation = {[](const Measurement& m) { return m.step == 6; }, [&](const Measurement&) { ++calls; }}});
  EXPECT_EQ(by_evaluation.back().step, 6);
  EXPECT_EQ(calls, 3);  // also when the one before it ends the run
}

TEST(Callbacks, AnEndAtAnEvaluationLosesNoMeasurement) {
  Job job;
  const auto history =
      job.fit({.max_steps = 10, .eval_freq = 5, .on_step = [](Index step, double) { return step == 5; }});
  ASSERT_EQ(history.size(), 1U);
  EXPECT_EQ(history.back().step, 5);
}

struct Counting {
  int* begins;
  int* ends;
  void begin(const std::vector<Measurement>&) { ++*begins; }
  void operator()(const Measurement&) {}
  void end() { ++*ends; }
};

TEST(Callbacks, KnowWhenARunBeginsAndEnds) {
  Job job;
  int begins = 0, ends = 0;
  const FitOptions options{.max_steps = 3, .on_evaluation = Counting{&begins, &ends}};
  job.fit(options);
  job.fit(options);
  EXPECT_EQ(begins, 2);
  EXPECT_EQ(ends, 2);
}

/// The measurements of a run whose validation losses are given.
std::vector<Measurement> losses(const std::vector<double>& values) {
  std::vector<Measurement> result;
  for (const double value : values)
    result.push_back(
        {.step = static_cast<Index>(result.size()) + 1, .validation_loss = value, .validation_accuracy = -value});
  return result;
}

/// After how many measurements a callback ends the run; empty if it does not.
std::optional<Index> end_of(EarlyStopping stopping, const std::vector<double>& values) {
  for (const Measurement& m : losses(values)) {
    if (stopping(m)) return m.step;
  }
  return std::nullopt;
}

TEST(EarlyStopping, EndsAfterPatience) {
  EXPECT_EQ(end_of(EarlyStopping{{.patience = 2}}, {3, 2, 2.5, 1, 1, 1, 0}), 6);
  EXPECT_EQ(end_of(EarlyStopping{{.patience = 1}}, {3, 2, 2}), 3);
  EXPECT_EQ(end_of(EarlyStopping{{.patience = 3}}, {3, 4, 4, 2, 3, 3}), std::nullopt);
  EXPECT_EQ(end_of(EarlyStopping{{.patience = 2, .min_delta = 0.5}}, {3, 2.6, 2.4, 2.3, 2.2}), 5);
  EXPECT_EQ(end_of(EarlyStopping{{.monitor = validation_accuracy(), .patience = 2}}, {3, 2, 2, 2}), 4);
  EXPECT_EQ(end_of(EarlyStopping{{.monitor = {.value = [](const Measurement& m) { return m.seconds; }}, .patience = 1}},
                   {3, 2}),
            2);
  const double nan = std::nan("");
  EXPECT_EQ(end_of(EarlyStopping{{.patience = 2}}, {nan, nan, 1}), 2);
  EXPECT_EQ(end_of(EarlyStopping{{.patience = 2}}, {nan, 5, nan, nan}), 4);
  EXPECT_EQ(message_of([] { EarlyStopping{{.patience = 0}}; }), "EarlyStopping: patience is 0, expected more than 0");
}

TEST(EarlyStopping, EndsAFitAndBeginsAnewInTheNextOne) {
  Job job;
  job.sgd.set_learning_rate(0.0);  // BatchNorm's statistics go on moving the loss a little
  const FitOptions options{
      .max_steps = 100, .eval_freq = 1, .on_evaluation = EarlyStopping{{.patience = 4, .min_delta = 10.0}}};
  EXPECT_EQ(job.fit(options).size(), 5U);
  EXPECT_EQ(job.fit(options).size(), 5U);
}

TEST(EarlyStopping, GoesOnWithTheRunThatItsCheckpointHolds) {
  EarlyStopping stopping{{.patience = 3}};
  stopping.begin(losses({3, 2, 4}));
  EXPECT_FALSE(stopping({.validation_loss = 4.0}));
  EXPECT_TRUE(stopping({.validation_loss = 4.0}));
}

TEST(KeepBest, GivesTheNetworkItsBestStateBack) {
  for (const bool restore : {true, false}) {
    Job job;
    KeepBest best{job.net, {.restore = restore}};
    std::vector<nn::State<float>> states;
    const auto history = job.fit({.max_steps = 12,
                                  .eval_freq = 2,
                                  .on_evaluation = {[&](const Measurement& m) {
                                                      states.push_back(nn::state(job.net));
                                                      if (m.step == 6)
                                                        job.sgd.set_learning_rate(3.0);  // and it gets worse
                                                    },
                                                    best}});
    const auto expected = std::min_element(history.begin(), history.end(), [](const auto& a, const auto& b) {
      return a.validation_loss < b.validation_loss;
    });
    ASSERT_LT(expected->validation_loss, history.back().validation_loss);
    EXPECT_EQ(best.measurement().step, expected->step);
    const auto& kept = states[static_cast<std::size_t>(expected - history.begin())];
    const auto now = nn::state(job.net);
    for (const auto& [name, tensor] : best.state()) {
      EXPECT_TRUE(equal(tensor, kept.at(name))) << name;
      EXPECT_EQ(equal(tensor, now.at(name)), restore) << name;
    }
  }
}

TEST(KeepBest, AfterAResumeKnowsWhatWasBetterBefore) {
  Job job;
  KeepBest best{job.net};
  best.begin(losses({3, 1, 2}));
  best({.step = 4, .validation_loss = 1.5});
  EXPECT_TRUE(best.state().empty());
  EXPECT_EQ(best.measurement().step, 2);
  best.end();  // changes nothing
  best({.step = 5, .validation_loss = 0.5});
  EXPECT_EQ(best.measurement().step, 5);
  EXPECT_EQ(best.state().size(), 6U);
}

/// The factors after each measurement, as powers of a half.
std::vector<double> factors(const ReduceLROnPlateauOptions& options, const std::vector<double>& values) {
  Job job;
  ReduceLROnPlateau reduce{job.sgd, options};
  std::vector<double> result;
  for (const Measurement& m : losses(values)) {
    reduce(m);
    result.push_back(job.sgd.learning_rate_factor());
  }
  return result;
}

TEST(ReduceLROnPlateau, ReducesAsPyTorchDoes) {
  // torch.optim.lr_scheduler.ReduceLROnPlateau of PyTorch 2.13 with lr = 1 gave these rates.
  using Factors = std::vector<double>;
  EXPECT_EQ(factors({.factor = 0.5, .patience = 1}, {3, 2, 2, 2, 2, 2, 1, 1, 1, 1}),
            (Factors{1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125}));
  EXPECT_EQ(factors({.factor = 0.5, .patience = 0, .cooldown = 2}, {3, 3, 3, 3, 3, 3, 3, 3}),
            (Factors{1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125}));
  EXPECT_EQ(factors({.factor = 0.5, .patience = 0, .threshold = 0.1}, {10, 9.5, 8.9, 8.8}),
            (Factors{1, 0.5, 0.5, 0.25}));
  EXPECT_EQ(factors({.monitor = validation_accuracy(), .factor = 0.5, .patience = 0}, {-1, -2, -2, -3}),
            (Factors{1, 1, 0.5, 0.5}));
  EXPECT_EQ(factors({.factor = 0.5, .patience = 0, .min_factor = 0.3}, {3, 3, 3, 3}), (Factors{1, 0.5, 0.3, 0.3}));
}

TEST(ReduceLROnPlateau, DoesNotGoWithASchedule) {
  Job job;
  EXPECT_EQ(message_of([&] {
              job.fit({.max_steps = 20,
                       .eval_freq = 1,
                       .schedule = optim::LinearLR{.total_steps = 20},
                       .on_evaluation = ReduceLROnPlateau{job.sgd, {.patience = 0, .threshold = 1.0}}});
            }),
            "fit: the schedule and another, ReduceLROnPlateau say, set the learning rate; one of them goes");
}

TEST(Callbacks, OfARunThatGoesOnDoAsThoseOfOneThatWasNotStopped) {
  const auto run = [](Index stop_at) {
    Job job;
    std::optional<Checkpoint<>> last;
    std::vector<Measurement> history;
    for (bool more = true; more;) {
      more = false;
      auto batches = job.loader();
      history =
          train::fit(job.net, nn::MSELoss<float>{}, job.sgd, batches, job.dataset(),
                     {.max_steps = 60,
                      .eval_freq = 2,
                      .on_step = [&](Index step, double) { return more = step == stop_at && !last; },
                      .on_evaluation = {ReduceLROnPlateau{job.sgd, {.factor = 0.5, .patience = 1, .threshold = 0.05}},
                                        EarlyStopping{{.patience = 12}}}},
                     Checkpoints<>{.resume = last, .save = [&](const Checkpoint<>& c) { last = c; }});
      if (more) job.sgd.set_learning_rate_factor(1.0);  // as a new process would have it
    }
    return std::pair{history, job.sgd.learning_rate_factor()};
  };
  manual_seed(3);
  const auto [whole, factor] = run(0);
  EXPECT_LT(factor, 0.5);
  for (const Index stop_at : {7, 8, 21}) {
    manual_seed(3);
    const auto [parts, same_factor] = run(stop_at);
    EXPECT_EQ(same_factor, factor) << stop_at;
    ASSERT_EQ(parts.size(), whole.size()) << stop_at;
    EXPECT_EQ(parts.back().validation_loss, whole.back().validation_loss) << stop_at;
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train
