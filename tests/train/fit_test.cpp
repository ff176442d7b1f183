// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::train {
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

/// Every loss and measurement of a run, and the weights and running statistics at its end.
struct Trace {
  std::vector<double> numbers;
  std::vector<Tensor<float>> tensors;
};

template <class Optimizer, class D>
Trace trace_of(nn::Sequential<> net, Optimizer optimizer, data::Loader<D> loader, const data::ImageDataset<>& test) {
  Trace trace;
  const auto history = fit(net, nn::SoftmaxCrossEntropy{}, optimizer, loader, test,
                           {.max_steps = 14,  // past the end of two epochs, each with a smaller last batch
                            .eval_freq = 7,
                            .on_step = [&](Index, double loss) { trace.numbers.push_back(loss); }});
  for (const auto& m : history)
    trace.numbers.insert(trace.numbers.end(), {m.train_loss, m.validation_loss, m.validation_accuracy});
  visit(net, {.parameter = [&](std::string_view, Parameter<float>& p) { trace.tensors.push_back(p.value); },
              .buffer = [&](std::string_view, Tensor<float>& buffer) { trace.tensors.push_back(buffer); }});
  return trace;
}

void expect_same_bits(const Trace& one, const Trace& other, const std::string& run) {
  ASSERT_EQ(one.numbers.size(), other.numbers.size());
  for (std::size_t i = 0; i < one.numbers.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(one.numbers[i]), std::bit_cast<std::uint64_t>(other.numbers[i])) << i << run;
  }
  ASSERT_EQ(one.tensors.size(), other.tensors.size());
  for (std::size_t i = 0; i < one.tensors.size(); ++i) EXPECT_TRUE(equal(one.tensors[i], other.tensors[i])) << i << run;
}

TEST(Fit, TheSameSeedGivesTheSameBitsForAnyNumberOfThreads) {
  const auto run = [](int threads) {
    set_num_threads(threads);
    manual_seed(9);
    const auto split = data::synthetic_cifar10(9, {.train = 1100, .test = 300});
    nn::Sequential net{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 300},
                       nn::ReLU{},    nn::Linear{300, 10}};
    optim::SGD sgd{net.parameters(), {.learning_rate = 0.01, .momentum = 0.9, .weight_decay = 1e-4}};
    data::Loader loader{split.train, {.batch_size = 200, .epochs = data::kEndless, .seed = 9}};
    return trace_of(std::move(net), std::move(sgd), std::move(loader), split.test);
  };
  const Trace one = run(1);
  for (const int threads : {2, 3, 8}) expect_same_bits(one, run(threads), error_text(" with ", threads, " threads"));
  set_num_threads(0);
}

// Convolution, statistics of batches, dropout, augmentation, a loader that works ahead.
TEST(Fit, AConvolutionalNetworkGetsTheSameBitsForAnyNumberOfThreadsAndWithPrefetch) {
  const auto run = [](int threads, bool prefetch) {
    set_num_threads(threads);
    manual_seed(9);
    const auto split = data::synthetic_cifar10(9, {.train = 110, .test = 30});
    nn::Sequential net{nn::Conv2d{3, 16, {.kernel = 3, .padding = 1}},
                       nn::BatchNorm2d{16},
                       nn::ReLU{},
                       nn::MaxPool2d{{.kernel = 3, .stride = 2, .padding = 1}},
                       nn::Conv2d{16, 40, {.kernel = 3, .stride = 2}},
                       nn::GELU{},
                       nn::GlobalAvgPool2d{},
                       nn::Dropout{},
                       nn::Linear{40, 10}};
    optim::AdamW adam{optim::decay_weights_only(net), {.learning_rate = 1e-3, .weight_decay = 0.1}};
    data::Loader loader{data::Augmented{split.train, 9, data::RandomCrop{}, data::RandomHorizontalFlip{}},
                        {.batch_size = 20, .epochs = data::kEndless, .seed = 9, .prefetch = prefetch}};
    return trace_of(std::move(net), std::move(adam), std::move(loader), split.test);
  };
  const Trace one = run(1, false);
  for (const int threads : {1, 2, 3}) {
    expect_same_bits(one, run(threads, true), error_text(" with ", threads, " threads and prefetch"));
  }
  expect_same_bits(one, run(2, false), " with 2 threads");
  set_num_threads(0);
}

// A head is trained while the rest stays as it is: gradients of the rest must not add up.
TEST(Fit, LeavesNoGradientBehind) {
  const data::TensorDataset dataset{testing::random<float>({20, 3}, 1), Tensor<Index>::zeros({20})};
  nn::Sequential net{nn::Linear{3, 4}, nn::ReLU{}, nn::Linear{4, 2}};
  const Tensor<float> frozen = net.parameters()[0]->value;
  optim::SGD head{parameters(net[2]), {.learning_rate = 0.1}};
  data::Loader loader{dataset, {.batch_size = 5}};
  net.parameters()[0]->add_grad(Tensor<float>::ones({4, 3}));  // from before
  fit(net, nn::SoftmaxCrossEntropy{}, head, loader, dataset);
  for (const auto* parameter : net.parameters()) EXPECT_FALSE(parameter->has_grad());
  EXPECT_TRUE(equal(net.parameters()[0]->value, frozen));
}

TEST(Accuracy, IsTheShareOfLabelsWhereASampleHasSeveral) {
  const data::TensorDataset dataset{testing::random<float>({6, 5, 3}, 1), Tensor<Index>::zeros({6, 5})};
  nn::Sequential net{nn::Linear{3, 2}};
  EXPECT_EQ(accuracy(net, dataset), evaluate(net, nn::SoftmaxCrossEntropy{}, dataset).accuracy);
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

/// Half the squared distance of a sample's outputs and targets, the mean over the samples: a loss of one's own.
/// Shapes   x, target (N, D)
class HalfSquares {
 public:
  float forward(const Tensor<float>& x, const Tensor<float>& target) {
    error_ = Tensor<float>(x.shape());
    error_.mutable_array() = x.array() - target.array();
    return error_.array().square().sum() / (2.0F * static_cast<float>(x.size(0)));
  }
  Tensor<float> backward() {
    Tensor<float> dx = error_;
    dx.mutable_array() /= static_cast<float>(dx.size(0));
    return dx;
  }

 private:
  Tensor<float> error_;
};
static_assert(Loss<HalfSquares, Tensor<float>>);

/// Targets that are a linear function of the inputs, three numbers for each sample.
data::TensorDataset<float, float> linear_data(Index samples, std::uint64_t seed) {
  manual_seed(7);
  nn::Linear truth{4, 3};
  const Tensor<float> inputs = testing::random<float>({samples, 4}, seed);
  return {inputs, truth.forward(inputs, Mode::inference)};
}

TEST(Fit, LearnsTargetsThatAreNoLabels) {
  const auto train = linear_data(50, 1);
  const auto test = linear_data(20, 2);
  manual_seed(1);
  nn::Sequential net{nn::Linear{4, 3}};
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.2}};
  data::Loader loader{train, {.batch_size = 8, .epochs = 40}};
  const auto history = fit(net, HalfSquares{}, sgd, loader, test);
  EXPECT_LT(history.back().validation_loss, 1e-6);
  EXPECT_LT(history.back().train_loss, 1e-3);
  for (const Measurement& m : history) EXPECT_TRUE(std::isnan(m.validation_accuracy));
  EXPECT_EQ(best(history).step, history.back().step);
}

TEST(Fit, TheTrainingLossIsTheMeanOverTheSamples) {
  const auto train = linear_data(10, 1);
  nn::Sequential net{nn::Linear{4, 3}};
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.0}};
  data::Loader loader{train, {.batch_size = 7}};
  const Measurement only = fit(net, HalfSquares{}, sgd, loader, train).back();
  EXPECT_EQ(only.step, 2);
  EXPECT_NEAR(only.train_loss, evaluate(net, HalfSquares{}, train, 10).loss, 1e-6);
}

/// Keeps the factors and the norms of the gradients that its steps see.
struct Recorder {
  std::vector<Parameter<float>*> parameters;
  std::vector<double> factors = {}, norms = {};
  double factor = -1.0;
  void set_learning_rate_factor(double value) { factor = value; }
  void step() {
    factors.push_back(factor);
    norms.push_back(optim::grad_norm(parameters));
    for (auto* parameter : parameters) parameter->zero_grad();
  }
};

TEST(Fit, AppliesTheScheduleAndClipsBeforeEachStep) {
  const auto train = linear_data(40, 1);
  nn::Sequential net{nn::Linear{4, 3}};
  const auto run = [&](const FitOptions& options) {
    Recorder recorder{.parameters = net.parameters()};
    data::Loader loader{train, {.batch_size = 10}};
    fit(net, HalfSquares{}, recorder, loader, train, options);
    return recorder;
  };
  const Recorder plain = run({});
  EXPECT_EQ(plain.factors, (std::vector<double>{-1.0, -1.0, -1.0, -1.0}));
  const double limit = 0.5 * *std::min_element(plain.norms.begin(), plain.norms.end());
  ASSERT_GT(limit, 0.0);
  const Recorder both = run({.schedule = optim::StepLR{.step_size = 2, .gamma = 0.5}, .max_grad_norm = limit});
  EXPECT_EQ(both.factors, (std::vector<double>{1.0, 1.0, 0.5, 0.5}));
  for (const double norm : both.norms) EXPECT_NEAR(norm, limit, 1e-5 * limit);
}

TEST(Fit, RefusesOptionsOutOfRangeBeforeTheFirstStep) {
  const auto train = linear_data(10, 1);
  nn::Sequential net{nn::Linear{4, 3}};
  Recorder recorder{.parameters = net.parameters()};
  data::Loader loader{train, {.batch_size = 5}};
  const auto run = [&](auto& optimizer, const FitOptions& options) {
    fit(net, HalfSquares{}, optimizer, loader, train, options);
  };
  EXPECT_THROW(run(recorder, {.schedule = optim::StepLR{.step_size = 0}}), ValueError);
  EXPECT_THROW(run(recorder, {.max_grad_norm = -1.0}), ValueError);
  EXPECT_THROW(run(recorder, {.max_grad_norm = std::nan("")}), ValueError);
  EXPECT_TRUE(recorder.factors.empty());
  Index batches = 0;
  while (loader.next()) ++batches;
  EXPECT_EQ(batches, 2);  // the pass has not begun
  struct Still {
    void step() {}
  } still;  // an optimiser without a rate
  run(still, {});
  EXPECT_THROW(run(still, {.schedule = optim::LinearLR{}}), ValueError);
}

TEST(Fit, ClippingStopsAtGradientsThatAreNotFinite) {
  // A loss that is finite, but whose gradient is not.
  struct Broken : HalfSquares {
    Tensor<float> backward() { return Tensor<float>::full({5, 3}, std::numeric_limits<float>::infinity()); }
  };
  const auto train = linear_data(10, 1);
  nn::Sequential net{nn::Linear{4, 3}};
  std::vector<Tensor<float>> before;
  for (const auto* parameter : net.parameters()) before.push_back(parameter->value);
  optim::SGD sgd{net.parameters(), {}};
  data::Loader loader{train, {.batch_size = 5}};
  try {
    fit(net, Broken{}, sgd, loader, train, {.max_grad_norm = 1.0});
    FAIL() << "the gradients were taken";
  } catch (const ValueError& error) {
    EXPECT_EQ(std::string(error.what()).find("fit: step 1: clip_grad_norm: the norm of the gradients is "), 0U)
        << error.what();
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(equal(net.parameters()[i]->value, before[i]));
    EXPECT_FALSE(net.parameters()[i]->has_grad());
  }
}

TEST(Evaluate, WeighsTargetsOfSeveralNumbersBySamples) {
  const auto test = linear_data(37, 3);
  nn::Sequential net{nn::Linear{4, 3}};
  const Evaluation whole = evaluate(net, HalfSquares{}, test, 37);
  const Evaluation parts = evaluate(net, HalfSquares{}, test, 8);
  EXPECT_GT(whole.loss, 0.0);
  EXPECT_NEAR(whole.loss, parts.loss, 1e-6);
  EXPECT_TRUE(std::isnan(whole.accuracy));
}

TEST(Evaluate, RefusesOutputsThatAreNotOneRowASample) {
  nn::Sequential net{nn::Linear{3, 10}};  // a forgotten Flatten
  const auto split = data::synthetic_cifar10(1, {.train = 10, .test = 10});
  EXPECT_THROW(accuracy(net, split.test), ShapeError);
}

TEST(Best, IsTheFirstOfTheHighest) {
  EXPECT_THROW(best({}), ValueError);
  EXPECT_EQ(best({{.step = 1, .validation_accuracy = 0.2},
                  {.step = 2, .validation_accuracy = 0.5},
                  {.step = 3, .validation_accuracy = 0.5}})
                .step,
            2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(best({{.step = 1, .validation_loss = 3.0, .validation_accuracy = nan},
                  {.step = 2, .validation_loss = 1.0, .validation_accuracy = nan},
                  {.step = 3, .validation_loss = 1.0, .validation_accuracy = nan}})
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
}  // namespace eigengrad::EIGENGRAD_ISA::train
