// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/data/mixup.hpp>
#include <eigengrad/data/synthetic.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/sgd.hpp>
#include <eigengrad/train/fit.hpp>

namespace eigengrad::EIGENGRAD_ISA::train {
namespace mixup_test {
namespace {

TEST(FitWithMixUp, LearnsFromBlendsAndIsMeasuredWithLabels) {
  const auto split = data::synthetic_cifar10(1, {.train = 2000, .test = 500});
  nn::Sequential<> net{nn::Flatten{}, nn::Linear{3072, 10}};
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.001}};
  data::Loader loader{data::MixUp{split.train, 1, {.alpha = 0.2, .num_classes = 10}}, {.batch_size = 50, .epochs = 4}};
  const auto history = fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, split.test);
  ASSERT_FALSE(history.empty());
  EXPECT_TRUE(std::isfinite(history.back().train_loss));
  EXPECT_GT(history.back().validation_accuracy, 0.15);
}

}  // namespace
}  // namespace mixup_test
}  // namespace eigengrad::EIGENGRAD_ISA::train
