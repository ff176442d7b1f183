// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

// A run that is stopped after any step and goes on elsewhere ends with the same bits as one that is not.

namespace eigengrad::EIGENGRAD_ISA::train {
namespace {

using testing::message_of;

constexpr Index kSteps = 11;  // past the end of two epochs, each with a smaller last batch

const data::Split<data::ImageDataset<>>& images() {
  static const auto split = data::synthetic_cifar10(9, {.train = 34, .test = 10});
  return split;
}

nn::Sequential<> network() {
  return nn::Sequential{nn::Conv2d{3, 4, {.kernel = 3, .stride = 4}},
                        nn::BatchNorm2d{4},
                        nn::ReLU{},
                        nn::Dropout{{.p = 0.2}},
                        nn::Residual{nn::Sequential{nn::Conv2d{4, 4, {.kernel = 3, .padding = 1}}, nn::Dropout{}}},
                        nn::GlobalAvgPool2d{},
                        nn::Linear{4, 10}};
}

auto make_loader(bool prefetch) {
  return data::Loader{data::Augmented{images().train, 9, data::RandomCrop{}, data::RandomHorizontalFlip{}},
                      {.batch_size = 8, .epochs = data::kEndless, .seed = 9, .prefetch = prefetch}};
}

/// All that a run leaves.
struct Ending {
  std::vector<double> losses;  // of the steps of this part of the run
  std::vector<Measurement> history;
  Checkpoint<> last;
};

/// A run, from a checkpoint or its beginning, up to a step.
template <class MakeOptimizer>
Ending run(const MakeOptimizer& make_optimizer, std::optional<Checkpoint<>> resume, Index stop_after, bool prefetch) {
  nn::Sequential<> net = network();
  auto optimizer = make_optimizer(net);
  auto loader = make_loader(prefetch);
  Ending ending;
  const FitOptions options{
      .max_steps = kSteps,
      .eval_freq = 3,
      .schedule = optim::CosineAnnealingLR{.max_steps = kSteps},
      .max_grad_norm = 0.5,
      .on_step =
          [&](Index, double loss) {
            ending.losses.push_back(loss);
            return static_cast<Index>(ending.losses.size()) == stop_after;
          },
  };
  ending.history = fit(net, nn::SoftmaxCrossEntropy{}, optimizer, loader, images().test, options,
                       Checkpoints<>{.resume = std::move(resume), .save = [&](const auto& c) { ending.last = c; }});
  return ending;
}

void expect_same(const Ending& one, const Ending& other, const std::string& place) {
  EXPECT_EQ(one.last.course.step, other.last.course.step) << place;
  ASSERT_EQ(one.history.size(), other.history.size()) << place;
  for (std::size_t i = 0; i < one.history.size(); ++i) {
    EXPECT_EQ(one.history[i].step, other.history[i].step) << place;
    EXPECT_EQ(one.history[i].train_loss, other.history[i].train_loss) << place;
    EXPECT_EQ(one.history[i].validation_loss, other.history[i].validation_loss) << place;
    EXPECT_EQ(one.history[i].validation_accuracy, other.history[i].validation_accuracy) << place;
  }
  const auto expect_same_tensors = [&](const auto& a, const auto& b) {
    ASSERT_EQ(a.size(), b.size()) << place;
    for (const auto& [name, tensor] : a) {
      ASSERT_TRUE(b.contains(name)) << place << ' ' << name;
      EXPECT_TRUE(equal(tensor, b.at(name))) << place << ' ' << name;
    }
  };
  expect_same_tensors(one.last.network, other.last.network);
  const auto expect_same_state = [&](const auto& self, const auto& a, const auto& b) -> void {
    expect_same_tensors(a.tensors, b.tensors);
    EXPECT_EQ(a.steps, b.steps) << place;
    EXPECT_EQ(a.learning_rate_factor, b.learning_rate_factor) << place;
    ASSERT_EQ(a.parts.size(), b.parts.size()) << place;
    for (std::size_t i = 0; i < a.parts.size(); ++i) self(self, a.parts[i], b.parts[i]);
  };
  expect_same_state(expect_same_state, one.last.optimizer, other.last.optimizer);
  EXPECT_EQ(one.last.random_streams, other.last.random_streams) << place;
  EXPECT_EQ(one.last.loader, other.last.loader) << place;
}

template <class MakeOptimizer>
void expect_resumes_after_every_step(const MakeOptimizer& make_optimizer) {
  manual_seed(9);
  set_num_threads(1);
  const Ending whole = run(make_optimizer, std::nullopt, 0, false);
  ASSERT_EQ(whole.losses.size(), static_cast<std::size_t>(kSteps));
  for (Index step = 1; step < kSteps; ++step) {
    manual_seed(9);
    set_num_threads(step % 2 == 0 ? 1 : 2);
    Ending part = run(make_optimizer, std::nullopt, step, step % 3 == 0);
    EXPECT_EQ(part.last.course.step, step);
    manual_seed(1000 + static_cast<std::uint64_t>(step));  // another beginning, which the checkpoint replaces
    set_num_threads(step % 2 == 0 ? 2 : 1);
    const Ending rest = run(make_optimizer, part.last, 0, step % 3 != 1);
    const std::string place = error_text("stopped after step ", step);
    expect_same(whole, rest, place);
    part.losses.insert(part.losses.end(), rest.losses.begin(), rest.losses.end());
    EXPECT_EQ(part.losses, whole.losses) << place;
  }
  set_num_threads(0);
}

TEST(Checkpoint, SgdGoesOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) { return optim::SGD{net.parameters(), {.learning_rate = 0.1}}; });
}
TEST(Checkpoint, SgdWithMomentumGoesOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) {
    return optim::SGD{net.parameters(), {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 1e-3}};
  });
}
TEST(Checkpoint, AdamGoesOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) { return optim::Adam{net.parameters(), {.learning_rate = 0.01}}; });
}
TEST(Checkpoint, AdamWWithGroupsGoesOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) {
    return optim::AdamW{optim::decay_weights_only(net), {.learning_rate = 0.01, .weight_decay = 0.1}};
  });
}
TEST(Checkpoint, RmspropGoesOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) {
    return optim::RMSprop{net.parameters(), {.learning_rate = 0.01, .momentum = 0.5}};
  });
}

TEST(Checkpoint, LookaheadGoesOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) {
    return optim::Lookahead{optim::Adam{net.parameters(), {.learning_rate = 0.01}}, {.k = 3}};
  });
}
TEST(Checkpoint, AveragedWeightsGoOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) {
    return optim::ExponentialMovingAverage{optim::Adam{net.parameters(), {.learning_rate = 0.01}},
                                           {.decay = 0.8, .start = 2}};
  });
  expect_resumes_after_every_step([](auto& net) {
    return optim::StochasticWeightAveraging{optim::SGD{net.parameters(), {.learning_rate = 0.1}}, {.freq = 2}};
  });
}
TEST(Checkpoint, SeveralOptimisersGoOnAfterEveryStep) {
  expect_resumes_after_every_step([](auto& net) {
    auto all = net.parameters();
    const std::vector<Parameter<float>*> first(all.begin(), all.begin() + 3), rest(all.begin() + 3, all.end());
    return optim::MultiOptimizer{optim::SGD{first, {.learning_rate = 0.1, .momentum = 0.9}},
                                 optim::Adam{rest, {.learning_rate = 0.01}}};
  });
}

optim::SGD<> sgd_with_momentum(nn::Sequential<>& net) {
  return optim::SGD{net.parameters(), {.learning_rate = 0.1, .momentum = 0.9}};
}

TEST(Checkpoint, IsWrittenAfterEvaluationsOrEveryFewSteps) {
  const auto steps_with = [&](Index freq) {
    nn::Sequential<> net = network();
    auto sgd = sgd_with_momentum(net);
    auto loader = make_loader(false);
    std::vector<Index> steps;
    fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, images().test, {.max_steps = 7, .eval_freq = 3},
        Checkpoints<>{.freq = freq, .save = [&](const auto& c) { steps.push_back(c.course.step); }});
    return steps;
  };
  EXPECT_EQ(steps_with(0), (std::vector<Index>{3, 6, 7}));
  EXPECT_EQ(steps_with(2), (std::vector<Index>{2, 4, 6, 7}));
  EXPECT_NE(message_of([&] { steps_with(-1); }).find("Checkpoints: freq is -1"), std::string::npos);
}

TEST(Checkpoint, OfTheLastStepLeavesNothingToDo) {
  const Ending whole = run(sgd_with_momentum, std::nullopt, 0, false);
  const Ending again = run(sgd_with_momentum, whole.last, 0, true);
  EXPECT_TRUE(again.losses.empty());
  EXPECT_EQ(again.history.size(), whole.history.size());
}

// A loop of one's own: the batch that the stop has left unused comes next.
TEST(Checkpoint, AStoppedLoaderGoesOnWithTheNextBatch) {
  manual_seed(9);
  nn::Sequential<> net = network();
  auto sgd = sgd_with_momentum(net);
  auto loader = make_loader(true);
  auto other = make_loader(false);
  int steps = 0;
  fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, images().test,
      {.max_steps = 9, .on_step = [&](Index, double) { return ++steps == 3; }});
  for (int i = 0; i < 3; ++i) other.next();
  const auto batch = loader.next(), expected = other.next();
  EXPECT_TRUE(equal(batch->inputs, expected->inputs));
}

TEST(Checkpoint, ThatDoesNotFitChangesNothing) {
  manual_seed(9);
  const Checkpoint<> good = run(sgd_with_momentum, std::nullopt, 4, false).last;
  const auto problem_of = [&](const std::function<void(Checkpoint<>&)>& spoil) {
    Checkpoint<> bad = good;
    spoil(bad);
    manual_seed(1);
    nn::Sequential<> net = network();
    auto sgd = sgd_with_momentum(net);
    auto loader = make_loader(true);
    loader.next();
    const auto before = make_checkpoint(net, sgd, loader.state(), {});
    std::string message = message_of([&] { restore(bad, net, sgd, loader); });
    const auto after = make_checkpoint(net, sgd, loader.state(), {});
    expect_same({{}, {}, before}, {{}, {}, after}, message);
    return message;
  };
  const auto expect_problem = [&](const std::string& text, const std::function<void(Checkpoint<>&)>& spoil) {
    const std::string message = problem_of(spoil);
    EXPECT_NE(message.find(text), std::string::npos) << message;
  };
  expect_problem("missing: 0.weight", [](auto& c) { c.network.erase("0.weight"); });
  expect_problem("missing: 3.random; unexpected: 9.random", [](auto& c) {
    c.random_streams.erase("3.random");
    c.random_streams["9.random"] = {};
  });
  expect_problem("SGD: load_state: the state is of Adam", [](auto& c) { c.optimizer.optimizer = "Adam"; });
  expect_problem("missing: 0.bias; unexpected: 7.bias", [](auto& c) {
    c.optimizer.steps.erase("0.bias");
    c.optimizer.tensors.erase("0.bias.momentum_buffer");
    c.optimizer.steps["7.bias"] = 1;
  });
  expect_problem("missing: 6.weight.momentum_buffer",
                 [](auto& c) { c.optimizer.tensors.erase("6.weight.momentum_buffer"); });
  expect_problem("0.bias.momentum_buffer has shape (2,), expected (4,)",
                 [](auto& c) { c.optimizer.tensors["0.bias.momentum_buffer"] = Tensor<float>::zeros({2}); });
  expect_problem("number of steps of 0.bias is -1", [](auto& c) { c.optimizer.steps["0.bias"] = -1; });
  expect_problem("learning_rate is -1", [](auto& c) { c.optimizer.learning_rate = -1.0; });
  expect_problem("batch_size 9, expected 8", [](auto& c) { c.loader.batch_size = 9; });
  expect_problem("samples 35, expected 34", [](auto& c) { c.loader.samples = 35; });
  expect_problem("seed 8, expected 9", [](auto& c) { c.loader.seed = 8; });
  expect_problem("shuffle 0, expected 1", [](auto& c) { c.loader.shuffle = false; });
  expect_problem("drop_last 1, expected 0", [](auto& c) { c.loader.drop_last = true; });
  expect_problem("Loader: batch is 5", [](auto& c) { c.loader.batch = 5; });
  expect_problem("Loader: epoch is -1", [](auto& c) { c.loader.epoch = -1; });
  expect_problem("Loader: last_epoch is 0", [](auto& c) { c.loader.last_epoch = 0; });
}

TEST(OptimizerState, NeedsTheNetworkThatHasTheParameters) {
  nn::Sequential<> net = network(), other = network();
  const auto sgd = sgd_with_momentum(net);
  EXPECT_NE(message_of([&] { sgd.state(other); }).find("SGD: parameter 0 is not a parameter of "), std::string::npos);
}

TEST(OptimizerState, BeforeTheFirstStepHasNoTensors) {
  nn::Sequential<> net = network();
  auto adam = optim::Adam{net.parameters(), {.learning_rate = 0.25}};
  adam.set_learning_rate_factor(0.5);
  const auto state = adam.state(net);
  EXPECT_EQ(state.optimizer, "Adam");
  EXPECT_EQ(state.learning_rate, 0.25);
  EXPECT_EQ(state.learning_rate_factor, 0.5);
  EXPECT_TRUE(state.tensors.empty());
  EXPECT_EQ(state.steps.at("0.weight"), 0);
  optim::Adam<> fresh{net.parameters(), {}};
  fresh.load_state(net, state);
  EXPECT_EQ(fresh.learning_rate(), 0.25);
  EXPECT_EQ(fresh.learning_rate_factor(), 0.5);
}

TEST(LoaderState, SeekGivesTheBatchesOfAnyEpoch) {
  for (const bool prefetch : {false, true}) {
    auto whole = make_loader(false);
    std::vector<Tensor<float>> batches;
    for (int i = 0; i < 15; ++i) batches.push_back(whole.next()->inputs);
    auto loader = make_loader(prefetch);
    for (const Index place : {0, 14, 4, 5, 9, 1}) {
      loader.seek(place / 5, place % 5);
      EXPECT_TRUE(equal(loader.next()->inputs, batches[static_cast<std::size_t>(place)])) << place;
    }
  }
  data::Loader loader{images().train, {.batch_size = 10, .epochs = 2}};
  loader.seek(3, 3);  // the last batch of the second pass
  EXPECT_TRUE(loader.next().has_value());
  EXPECT_FALSE(loader.next().has_value());
  EXPECT_EQ(message_of([&] { loader.seek(0, 4); }), "Loader: batch is 4, expected 0 to 3");
  EXPECT_EQ(message_of([&] { loader.seek(-1); }).substr(0, 19), "Loader: epoch is -1");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train
