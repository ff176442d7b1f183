// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/linear.hpp>
#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/averaged_weights.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/golden.hpp"
#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace averaged_weights_test {

using testing::difference;
using testing::message_of;

/// The three parameters of the golden file, which get its gradients.
template <class T>
struct Job {
  Job() {
    for (std::size_t i = 0; i < 3; ++i) {
      parameters[i].value = golden["start." + std::to_string(i)].template cast<T>();
      pointers.push_back(&parameters[i]);
    }
  }
  void add_grads(Index step) {
    for (std::size_t i = 0; i < 3; ++i)
      parameters[i].add_grad(golden[error_text("grad.", step, ".", i)].template cast<T>());
  }
  SGD<T> sgd() { return SGD<T>{pointers, {.learning_rate = 0.1, .momentum = 0.9}}; }

  testing::Golden golden{"averaged_weights"};
  std::vector<Parameter<T>> parameters{3};
  std::vector<Parameter<T>*> pointers;
};

template <class Optimizer>
Tensor<float> other_average(const Optimizer& optimizer, nn::Linear<float>& layer) {
  return optimizer.state(layer).tensors.at("weight.average");
}

template <class T, class Make>
void expect_averages_of_pytorch(const std::string& name, double tolerance, const Make& make) {
  Job<T> job, plain;
  auto averaging = make(job.sgd());
  auto sgd = plain.sgd();
  for (Index step = 0; step < 5; ++step) {
    job.add_grads(step);
    plain.add_grads(step);
    averaging.step();
    sgd.step();
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(equal(job.parameters[i].value, plain.parameters[i].value));
    averaging.eval();
    averaging.eval();  // the second time does nothing
    for (std::size_t i = 0; i < 3; ++i) {
      const auto expected = job.golden[error_text(name, ".", step, ".", i)].template cast<T>();
      EXPECT_LT(difference(job.parameters[i].value, expected), tolerance) << name << ", step " << step << ", " << i;
    }
    averaging.train();
    averaging.train();
  }
}

TEST(AveragedWeights, AreThoseOfPyTorch) {
  const auto ema = [](auto sgd) { return ExponentialMovingAverage{std::move(sgd), {.decay = 0.8}}; };
  const auto swa = [](auto sgd) { return StochasticWeightAveraging{std::move(sgd)}; };
  expect_averages_of_pytorch<float>("ema", 1e-6, ema);
  expect_averages_of_pytorch<double>("ema", 1e-7, ema);  // PyTorch weighs in float
  expect_averages_of_pytorch<float>("swa", 1e-6, swa);
  expect_averages_of_pytorch<double>("swa", 1e-14, swa);
}

TEST(AveragedWeights, BeginAfterStartAndCountEveryFewSteps) {
  Job<double> job;
  StochasticWeightAveraging swa{job.sgd(), {.start = 1, .freq = 2}};
  std::vector<Tensor<double>> seen;  // the first parameter after each step
  for (Index step = 0; step < 5; ++step) {
    job.add_grads(step);
    swa.step();
    seen.push_back(job.parameters[0].value);
    swa.eval();
    EXPECT_EQ(swa.averaged(), step >= 2) << "no average before its first weights";
    swa.train();
  }
  swa.eval();
  for (Index i = 0; i < 12; ++i)  // steps 3 and 5 count
    EXPECT_NEAR(job.parameters[0].value.data()[i], (seen[2].data()[i] + seen[4].data()[i]) / 2.0, 1e-15);
}

TEST(AveragedWeights, AreNotTrained) {
  Job<float> job;
  ExponentialMovingAverage ema{job.sgd()};
  job.add_grads(0);
  ema.step();
  ema.eval();
  job.add_grads(1);
  EXPECT_EQ(message_of([&] { ema.step(); }),
            "ExponentialMovingAverage: step of the averaged weights; train() comes before it");
  ema.train();
  ema.step();
}

TEST(AveragedWeights, RefuseOptionsOutOfRange) {
  Job<float> job;
  const auto ema = [&](const ExponentialMovingAverageOptions& options) {
    return message_of([&] { ExponentialMovingAverage{job.sgd(), options}; });
  };
  EXPECT_NE(ema({.decay = 1.5}).find("ExponentialMovingAverage: decay is 1.5"), std::string::npos);
  EXPECT_NE(ema({.start = -1}).find("ExponentialMovingAverage: start is -1"), std::string::npos);
  EXPECT_NE(ema({.freq = 0}).find("ExponentialMovingAverage: freq is 0"), std::string::npos);
}

TEST(AveragedWeights, GoOnFromAState) {
  nn::Linear<float> layer{3, 2}, other{3, 2};
  const auto step = [](nn::Linear<float>& l, auto& optimizer, std::uint64_t seed) {
    l.weight.add_grad(testing::random<float>(l.weight.value.shape(), seed));
    l.bias.add_grad(testing::random<float>({2}, seed + 1));
    optimizer.step();
  };
  ExponentialMovingAverage one{Adam{parameters(layer)}, {.decay = 0.5}};
  step(layer, one, 1);
  step(layer, one, 3);
  const auto state = one.state(layer);
  EXPECT_EQ(state.optimizer, "ExponentialMovingAverage");
  EXPECT_TRUE(state.tensors.contains("weight.average"));
  ASSERT_EQ(state.parts.size(), 1U);
  EXPECT_EQ(state.parts[0].optimizer, "Adam");

  ExponentialMovingAverage two{Adam{parameters(other)}, {.decay = 0.5}};
  other = layer;
  two.load_state(other, state);
  step(layer, one, 5);
  step(other, two, 5);
  one.eval();
  two.eval();
  EXPECT_TRUE(equal(layer.weight.value, other.weight.value));
  one.train();
  EXPECT_NE(message_of([&] { two.state(other); }).find("state of the averaged weights"), std::string::npos);
  two.train();

  const Tensor<float> weight = layer.weight.value;
  const auto problem_of = [&](const auto& spoil) {
    auto bad = state;
    spoil(bad);
    return message_of([&] { one.load_state(layer, bad); });
  };
  EXPECT_EQ(problem_of([](auto& s) { s.optimizer = "Lookahead"; }),
            "ExponentialMovingAverage: load_state: the state is of Lookahead");
  EXPECT_EQ(problem_of([](auto& s) { s.parts.clear(); }),
            "ExponentialMovingAverage: load_state: the state has 0 parts, expected 1");
  EXPECT_EQ(problem_of([](auto& s) { s.steps["averaged"] = -1; }),
            "ExponentialMovingAverage: load_state: the state has no averaged of 0 or more");
  EXPECT_EQ(problem_of([](auto& s) {
              s.tensors.erase("bias.average");
              s.tensors["b.average"] = Tensor<float>({2});
            }),
            "ExponentialMovingAverage: load_state: missing: bias.average; unexpected: b.average");
  EXPECT_NE(problem_of([](auto& s) {
              s.tensors["bias.average"] = Tensor<float>({5});
            }).find("bias.average has shape (5,), expected (2,)"),
            std::string::npos);
  EXPECT_NE(problem_of([](auto& s) { s.parts[0].optimizer = "SGD"; }).find("Adam: load_state: the state is of SGD"),
            std::string::npos);
  EXPECT_TRUE(equal(layer.weight.value, weight));
  EXPECT_TRUE(equal(one.state(layer).tensors.at("weight.average"), other_average(two, other)));
}

}  // namespace averaged_weights_test
}  // namespace eigengrad::EIGENGRAD_ISA::optim
