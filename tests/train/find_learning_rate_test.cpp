// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/sgd.hpp>
#include <eigengrad/train/find_learning_rate.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::train {
namespace find_learning_rate_test {

using testing::message_of;

struct Job {
  Job() {
    manual_seed(1);
    net =
        nn::Sequential{nn::Linear{4, 16}, nn::BatchNorm1d{16}, nn::ReLU{}, nn::Dropout{{.p = 0.1}}, nn::Linear{16, 1}};
  }
  static data::Loader<data::TensorDataset<float, float>> loader() {
    const auto x = testing::random<float>({200, 4}, 2);
    const auto weights = Tensor<float>({4, 1}, {1, -2, 3, 0.5});
    return data::Loader{data::TensorDataset{x, matmul(x, weights)}, {.batch_size = 20}};
  }
  nn::Sequential<> net;
};

TEST(FindLearningRate, ProposesOneThatTrains) {
  Job job;
  optim::SGD sgd{job.net.parameters(), {.learning_rate = 1e-3}};
  auto loader = Job::loader();
  const auto range = find_learning_rate(job.net, nn::MSELoss<float>{}, sgd, loader);
  EXPECT_LE(range.rates.size(), 100U);
  EXPECT_EQ(range.rates.size(), range.losses.size());
  EXPECT_DOUBLE_EQ(range.rates.front(), 1e-7);
  EXPECT_NEAR(range.rates[1] / range.rates[0], std::pow(1e8, 1.0 / 99.0), 1e-9);
  EXPECT_GT(range.suggestion(), 1e-3);
  EXPECT_LT(range.suggestion(), 1.0);
  sgd.set_learning_rate(range.suggestion());
  const auto history = fit(job.net, nn::MSELoss<float>{}, sgd, Job::loader(), Job::loader().dataset(),
                           {.max_steps = 10, .eval_freq = 10});
  EXPECT_LT(history.back().validation_loss, 0.8 * range.losses.front());
}

TEST(FindLearningRate, GivesEverythingBack) {
  Job job;
  optim::Adam adam{job.net.parameters(), {.learning_rate = 0.01}};
  adam.set_learning_rate_factor(0.5);
  auto loader = Job::loader();
  loader.next();
  fit(job.net, nn::MSELoss<float>{}, adam, Job::loader(), Job::loader().dataset(), {.max_steps = 3});
  const auto before = make_checkpoint(job.net, adam, loader.state(), {});
  find_learning_rate(job.net, nn::MSELoss<float>{}, adam, loader, {.steps = 15});
  const auto after = make_checkpoint(job.net, adam, loader.state(), {});
  for (const auto& [name, tensor] : before.network) EXPECT_TRUE(equal(tensor, after.network.at(name))) << name;
  for (const auto& [name, tensor] : before.optimizer.tensors)
    EXPECT_TRUE(equal(tensor, after.optimizer.tensors.at(name))) << name;
  EXPECT_EQ(before.optimizer.steps, after.optimizer.steps);
  EXPECT_EQ(before.optimizer.learning_rate_factor, after.optimizer.learning_rate_factor);
  EXPECT_EQ(before.random_streams, after.random_streams);
  EXPECT_EQ(before.loader, after.loader);
  for (const Parameter<float>* p : job.net.parameters()) EXPECT_FALSE(p->has_grad());
}

TEST(FindLearningRate, EndsWhenTheLossExplodes) {
  Job job;
  optim::SGD sgd{job.net.parameters()};
  const auto range =
      find_learning_rate(job.net, nn::MSELoss<float>{}, sgd, Job::loader(), {.min = 1.0, .max = 1e6, .steps = 50});
  EXPECT_LT(range.rates.size(), 50U);
  for (const double loss : range.losses) EXPECT_TRUE(std::isfinite(loss));
}

TEST(LearningRateRange, SuggestsTheSteepestFallBeforeTheMinimum) {
  LearningRateRange range;
  for (int i = 0; i < 100; ++i) {
    range.rates.push_back(std::pow(10.0, -6.0 + 0.06 * i));
    // Falls from 2 to 1 around 10^-3 and rises behind 10^-1.
    const double logarithm = -6.0 + 0.06 * i;
    range.losses.push_back(1.0 + 1.0 / (1.0 + std::exp(4.0 * (logarithm + 3.0))) + std::exp(6.0 * (logarithm + 0.8)));
  }
  EXPECT_NEAR(std::log10(range.suggestion()), -3.0, 0.1);
  EXPECT_NE(range.to_svg().find("suggestion: 0.001"), std::string::npos);

  LearningRateRange flat{range.rates, std::vector<double>(100, 1.0)};
  EXPECT_TRUE(std::isnan(flat.suggestion()));
  EXPECT_EQ(flat.to_svg().find("suggestion"), std::string::npos);
  EXPECT_TRUE(std::isnan(LearningRateRange{}.suggestion()));
}

TEST(FindLearningRate, RefusesOptionsOutOfRange) {
  Job job;
  optim::SGD sgd{job.net.parameters()};
  const auto problem = [&](const FindLearningRateOptions& options) {
    return message_of([&] { find_learning_rate(job.net, nn::MSELoss<float>{}, sgd, Job::loader(), options); });
  };
  EXPECT_NE(problem({.min = 0.0}).find("find_learning_rate: min is 0"), std::string::npos);
  EXPECT_NE(problem({.min = 1.0, .max = 1.0}).find("find_learning_rate: max - min is 0"), std::string::npos);
  EXPECT_NE(problem({.steps = 9}).find("find_learning_rate: steps is 9"), std::string::npos);
  EXPECT_NE(problem({.divergence = 1.0}).find("divergence - 1 is 0"), std::string::npos);
  sgd.set_learning_rate(0.0);
  EXPECT_NE(problem({}).find("learning_rate is 0"), std::string::npos);
}

}  // namespace find_learning_rate_test
}  // namespace eigengrad::EIGENGRAD_ISA::train
