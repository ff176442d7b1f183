// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/adamw.hpp>
#include <eigengrad/optim/schedule.hpp>

#include "support/optimizer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

template <class T>
void compare_adamw_with_pytorch(double tolerance) {
  const testing::Golden golden("adamw");
  const auto with = [](const AdamWOptions& options) {
    return [options](const std::vector<Parameter<T>*>& p) { return AdamW{p, options}; };
  };
  testing::expect_steps_match<T>(golden, "default", tolerance, with({}));
  testing::expect_steps_match<T>(golden, "betas", tolerance,
                                 with({.learning_rate = 0.1, .beta1 = 0.6, .beta2 = 0.9, .eps = 1e-2}));
  testing::expect_steps_match<T>(golden, "decay", tolerance, with({.learning_rate = 0.1, .weight_decay = 0.3}));
  const auto grouped = [](const std::vector<Parameter<T>*>& p) {
    return AdamW{testing::golden_groups(p), {.learning_rate = 0.1, .weight_decay = 0.1}};
  };
  testing::expect_steps_match<T>(golden, "groups", tolerance, grouped);
  testing::expect_steps_match<T>(golden, "scheduled", tolerance, grouped, [](AdamW<T>& adam, Index step) {
    adam.set_learning_rate_factor(StepLR{.step_size = 2, .gamma = 0.3}(step));
  });
}

TEST(AdamW, MatchesPyTorch) {
  compare_adamw_with_pytorch<double>(1e-14);
  compare_adamw_with_pytorch<float>(2e-6);
}

TEST(AdamW, DecayDoesNotPassThroughTheMoments) {
  Parameter<double> parameter{Tensor<double>::full({1}, 2.0)};
  AdamW<double> adam{{&parameter}, {.learning_rate = 0.1, .weight_decay = 0.5}};
  parameter.add_grad(Tensor<double>::zeros({1}));
  adam.step();
  EXPECT_DOUBLE_EQ(parameter.value.item(), 2.0 * (1.0 - 0.1 * 0.5));
}

TEST(AdamW, RefusesOptionsOutOfRangeUnderItsOwnName) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  const std::vector<Parameter<float>*> parameters{&parameter};
  EXPECT_THROW((AdamW{parameters, {.weight_decay = -0.1}}), ValueError);
  try {
    AdamW adam{parameters, {.beta1 = 1.0}};
    FAIL() << "beta1 = 1 was accepted";
  } catch (const ValueError& error) {
    EXPECT_EQ(std::string(error.what()), "AdamW: beta1 is 1, expected less than 1");
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
