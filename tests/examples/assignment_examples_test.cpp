// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "support/process.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::Outcome;

class MlpByHand : public testing::ProcessTest {
 protected:
  MlpByHand() : ProcessTest(EIGENGRAD_MLP_BY_HAND) {}
};

TEST_F(MlpByHand, LearnsWithTheLossesOfTheLibrary) {
  const Outcome outcome = run("--data-dir nowhere --max-steps 120");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  std::smatch match;
  ASSERT_TRUE(std::regex_search(outcome.output, match,
                                std::regex("step 100  loss 1.*\nstep 120  loss 1.*\nfinal test accuracy 0.*\nthe "
                                           "library's.*losses differ by at most (.*)\n")))
      << outcome.output;
  EXPECT_LT(std::stod(match[1]), 1e-10) << outcome.output;
}

TEST_F(MlpByHand, SaysThatItsLossesDiffer) {
  // No network survives such a step, and NaN is not near anything.
  const Outcome outcome = run("--data-dir nowhere --max-steps 30 --learning-rate 1e9");
  EXPECT_EQ(outcome.status, 1) << outcome.output;
}

TEST_F(MlpByHand, RefusesWrongFlags) {
  for (const std::string arguments : {"--max-steps 0", "--learning-rate fast", "--seed -1", "--momentum 0.9"}) {
    EXPECT_GT(run(arguments).status, 0) << arguments;
  }
}

class BatchNormExercise : public testing::ProcessTest {
 protected:
  BatchNormExercise() : ProcessTest(EIGENGRAD_BATCH_NORM) {}
};

TEST_F(BatchNormExercise, AllWaysAgree) {
  for (const std::string arguments :
       {"", "--batch 1 --size 3 --channels 1", "--batch 5 --size 7 --channels 19 --seed 9"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    const std::regex row("\n(3\\.1   by autodiff|3\\.2 [bc] [a-z]+) +([0-9].*) ([0-9].*) ([0-9].*) ([0-9].*)");
    int rows = 0;
    double sum = 0.0;
    for (std::sregex_iterator match(outcome.output.begin(), outcome.output.end(), row), end; match != end; ++match) {
      ++rows;
      for (const std::size_t i : {2U, 3U, 4U, 5U}) {
        EXPECT_LT(std::stod((*match)[i]), 1e-12) << outcome.output;
        sum += std::stod((*match)[i]);
      }
    }
    EXPECT_EQ(rows, 3) << outcome.output;
    // They do not agree because they are the same: sums are taken in another order.
    if (arguments.empty()) {
      EXPECT_GT(sum, 0.0) << outcome.output;
    }
  }
}

TEST_F(BatchNormExercise, RefusesWrongFlags) {
  for (const std::string arguments : {"--batch 0", "--size -3", "--channels many", "--momentum 0.1", "--seed"}) {
    const Outcome outcome = run(arguments);
    EXPECT_GT(outcome.status, 0) << arguments;
    EXPECT_EQ(outcome.output.find("dweight"), std::string::npos) << outcome.output;
  }
  const Outcome outcome = run("--batch 1 --size 1");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.output.find("error: BatchNorm2d 32: input has 1 value a channel"), std::string::npos)
      << outcome.output;
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
