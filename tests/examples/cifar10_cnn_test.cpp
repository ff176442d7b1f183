// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "support/trainer_process.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

class Cifar10Cnn : public testing::TrainerTest {
 protected:
  Cifar10Cnn() : TrainerTest(EIGENGRAD_CIFAR10_CNN) {}
};

TEST_F(Cifar10Cnn, LearnsTheSyntheticImages) {
  const testing::Outcome outcome =
      run("--dataset synthetic --width 4 --max-steps 150 --eval-freq 75 --learning-rate 3e-3 --run-dir " + run_dir());
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("Conv2d 3->4 3x3"), std::string::npos) << outcome.output;
  std::smatch accuracy;
  ASSERT_TRUE(std::regex_search(outcome.output, accuracy, std::regex("\nfinal test accuracy (0\\.[0-9]{4})")))
      << outcome.output;
  EXPECT_GT(std::stod(accuracy[1]), 0.5);
  EXPECT_EQ(testing::lines_of(run_dir() + "/metrics.csv").size(), 3U);
  EXPECT_EQ(testing::lines_of(run_dir() + "/train_loss.csv").size(), 151U);
}

// Every source of random numbers and the thread that prepares batches are in this run.
TEST_F(Cifar10Cnn, TheSameSeedGivesTheSameLossesForAnyNumberOfThreads) {
  expect_same_losses_for_any_number_of_threads(
      "--width 2 --max-steps 8 --batch-size 20 --augment crop,flip,cutout --optimizer adamw "
      "--weight-decay 0.05 --schedule one-cycle --clip-grad-norm 1 --label-smoothing 0.1",
      8);
}

TEST_F(Cifar10Cnn, RefusesWrongFlags) {
  expect_refused("--width 0", "--width");
  expect_refused("--augment crop,rotate", "--augment");
  expect_refused("--schedule never", "--schedule");
  expect_refused("--label-smoothing 1.5", "--label-smoothing");
  expect_refused("--warmup-steps -1", "--warmup-steps");
  expect_refused("--clip-grad-norm -1", "--clip-grad-norm");
  expect_refused("--normalization none", "--normalization");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
