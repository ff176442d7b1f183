// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

#include "support/tensors.hpp"

namespace eigengrad::train {
namespace {

nn::Sequential<> make_mlp(Index hidden) {
  return nn::Sequential{nn::Flatten{}, nn::Linear{3072, hidden}, nn::ReLU{}, nn::Linear{hidden, 10}};
}

TEST(Fit, Overfits32Images) {
  manual_seed(1);
  const auto split = data::synthetic_cifar10(1, {.train = 32, .test = 10});
  nn::Sequential net = make_mlp(50);
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.02, .momentum = 0.9}};
  data::Loader loader{split.train, {.batch_size = 32, .epochs = 200}};
  const auto history =
      fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, split.test, {.max_steps = 200, .eval_freq = 50});
  EXPECT_LT(history.back().train_loss, 0.01);
  EXPECT_EQ(accuracy(net, split.train), 1.0);
}

TEST(Fit, MeasuresEveryFewStepsAndAtTheEnd) {
  const auto split = data::synthetic_cifar10(1, {.train = 70, .test = 30});
  nn::Sequential net = make_mlp(5);
  optim::SGD sgd{net.parameters(), {}};
  const auto steps_of = [&](const data::LoaderOptions& loader_options, const FitOptions& options) {
    data::Loader loader{split.train, loader_options};
    std::vector<Index> steps;
    for (const auto& m : fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, split.test, options)) steps.push_back(m.step);
    return steps;
  };
  EXPECT_EQ(steps_of({.epochs = data::kEndless}, {.max_steps = 10, .eval_freq = 4}), (std::vector<Index>{4, 8, 10}));
  EXPECT_EQ(steps_of({.epochs = data::kEndless}, {.max_steps = 8, .eval_freq = 4}), (std::vector<Index>{4, 8}));
  EXPECT_EQ(steps_of({.epochs = 1}, {.max_steps = 8, .eval_freq = 2}), (std::vector<Index>{2, 3}));
  EXPECT_THROW(steps_of({}, {.max_steps = 0}), ValueError);
  EXPECT_THROW(steps_of({}, {.eval_freq = 0}), ValueError);
}

TEST(Fit, ALossThatIsNotFiniteStopsTheRunAndNamesTheStep) {
  manual_seed(1);
  const auto split = data::synthetic_cifar10(1, {.train = 100, .test = 10});
  nn::Sequential net = make_mlp(20);
  optim::SGD sgd{net.parameters(), {.learning_rate = 1e30}};
  data::Loader loader{split.train, {.batch_size = 50, .epochs = 10}};
  Index steps = 0;
  try {
    fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, split.test,
        {.max_steps = 20, .eval_freq = 20, .on_step = [&](Index step, double) { steps = step; }});
    FAIL() << "the loss stayed finite";
  } catch (const ValueError& error) {
    EXPECT_NE(std::string(error.what()).find("at step " + std::to_string(steps + 1) + ";"), std::string::npos)
        << error.what();
  }
}

TEST(Fit, TheSameSeedGivesTheSameBitsForAnyNumberOfThreads) {
  struct Result {
    std::vector<Tensor<float>> weights;
    std::vector<double> numbers;
  };
  const auto run = [](int threads) {
    set_num_threads(threads);
    manual_seed(9);
    const auto split = data::synthetic_cifar10(9, {.train = 1100, .test = 300});
    nn::Sequential net{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 300},
                       nn::ReLU{},    nn::Linear{300, 10}};
    optim::SGD sgd{net.parameters(), {.learning_rate = 0.01, .momentum = 0.9, .weight_decay = 1e-4}};
    data::Loader loader{split.train, {.batch_size = 200, .epochs = data::kEndless, .seed = 9}};
    Result result;
    const auto history = fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, split.test,
                             {.max_steps = 14,  // past the end of two epochs, each with a last batch of 100
                              .eval_freq = 7,
                              .on_step = [&](Index, double loss) { result.numbers.push_back(loss); }});
    for (const auto& m : history) {
      result.numbers.insert(result.numbers.end(), {m.train_loss, m.test_loss, m.test_accuracy});
    }
    for (const auto* parameter : net.parameters()) result.weights.push_back(parameter->value);
    return result;
  };
  const Result one = run(1);
  for (const int threads : {2, 3, 8}) {
    const Result other = run(threads);
    ASSERT_EQ(one.numbers.size(), other.numbers.size());
    for (std::size_t i = 0; i < one.numbers.size(); ++i) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(one.numbers[i]), std::bit_cast<std::uint64_t>(other.numbers[i]))
          << i << " with " << threads << " threads";
    }
    for (std::size_t i = 0; i < one.weights.size(); ++i) EXPECT_TRUE(equal(one.weights[i], other.weights[i])) << i;
  }
  set_num_threads(0);
}

TEST(Fit, TakesAnyLayerAndRefusesARunWithoutEnd) {
  const data::TensorDataset dataset{testing::random<float>({20, 3}, 1), Tensor<Index>::zeros({20})};
  nn::Linear layer{3, 2};
  optim::SGD sgd{parameters(layer), {.learning_rate = 0.1}};
  data::Loader loader{dataset, {.batch_size = 5}};
  EXPECT_EQ(fit(layer, nn::SoftmaxCrossEntropy{}, sgd, loader, dataset).back().step, 4);
  EXPECT_EQ(fit(layer, nn::SoftmaxCrossEntropy{}, sgd, loader, dataset).back().step, 4);  // the loader's next pass
  data::Loader endless{dataset, {.batch_size = 5, .epochs = data::kEndless}};
  EXPECT_THROW(fit(layer, nn::SoftmaxCrossEntropy{}, sgd, endless, dataset), ValueError);
}

TEST(Evaluate, RefusesOutputsThatAreNotOneRowASample) {
  nn::Sequential net{nn::Linear{3, 10}};  // a forgotten Flatten
  const auto split = data::synthetic_cifar10(1, {.train = 10, .test = 10});
  EXPECT_THROW(accuracy(net, split.test), ShapeError);
}

TEST(Best, IsTheFirstOfTheHighest) {
  EXPECT_THROW(best({}), ValueError);
  EXPECT_EQ(
      best({{.step = 1, .test_accuracy = 0.2}, {.step = 2, .test_accuracy = 0.5}, {.step = 3, .test_accuracy = 0.5}})
          .step,
      2);
}

TEST(Evaluate, AveragesOverUnequalBatches) {
  manual_seed(2);
  const auto split = data::synthetic_cifar10(1, {.train = 10, .test = 37});
  nn::Sequential net = make_mlp(5);
  const Evaluation whole = evaluate(net, nn::SoftmaxCrossEntropy{}, split.test, 37);
  const Evaluation parts = evaluate(net, nn::SoftmaxCrossEntropy{}, split.test, 8);
  EXPECT_NEAR(whole.loss, parts.loss, 1e-6);
  EXPECT_EQ(whole.accuracy, parts.accuracy);
  EXPECT_EQ(whole.accuracy, accuracy(net, split.test));
}

}  // namespace
}  // namespace eigengrad::train
