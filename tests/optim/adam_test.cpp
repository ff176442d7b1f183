// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/schedule.hpp>

#include "support/optimizer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

template <class T>
void compare_adam_with_pytorch(double tolerance) {
  const testing::Golden golden("adam");
  const auto with = [](const AdamOptions& options) {
    return [options](const std::vector<Parameter<T>*>& p) { return Adam{p, options}; };
  };
  testing::expect_steps_match<T>(golden, "default", tolerance, with({}));
  testing::expect_steps_match<T>(golden, "betas", tolerance,
                                 with({.learning_rate = 0.1, .beta1 = 0.6, .beta2 = 0.9, .eps = 1e-2}));
  testing::expect_steps_match<T>(golden, "decay", tolerance, with({.learning_rate = 0.1, .weight_decay = 0.3}));
  const auto grouped = [](const std::vector<Parameter<T>*>& p) {
    return Adam{testing::golden_groups(p), {.learning_rate = 0.1, .weight_decay = 0.1}};
  };
  testing::expect_steps_match<T>(golden, "groups", tolerance, grouped);
  testing::expect_steps_match<T>(golden, "scheduled", tolerance, grouped, [](Adam<T>& adam, Index step) {
    adam.set_learning_rate_factor(StepLR{.step_size = 2, .gamma = 0.3}(step));
  });
}

TEST(Adam, MatchesPyTorch) {
  compare_adam_with_pytorch<double>(1e-14);
  compare_adam_with_pytorch<float>(2e-6);
}

// The first step of any parameter is learning_rate sign(g), whatever steps others have made before.
TEST(Adam, CountsTheStepsOfEachParameter) {
  std::vector<Parameter<double>> parameters(3, Parameter<double>(Tensor<double>::zeros({2})));
  Adam<double> adam{{&parameters[0], &parameters[1], &parameters[2]}, {.learning_rate = 0.5}};
  for (std::size_t step = 0; step < 3; ++step) {
    for (std::size_t i = 0; i <= step; ++i) parameters[i].add_grad(Tensor<double>::full({2}, 3.0));
    adam.step();
    EXPECT_NEAR(parameters[step].value(0), -0.5, 1e-8) << step;
  }
  EXPECT_NEAR(parameters[0].value(1), -1.5, 1e-8);
}

TEST(Adam, RefusesOptionsOutOfRange) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  const std::vector<Parameter<float>*> parameters{&parameter};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW((Adam{parameters, {.learning_rate = -1e-3}}), ValueError);
  EXPECT_THROW((Adam{parameters, {.beta1 = -0.1}}), ValueError);
  EXPECT_THROW((Adam{parameters, {.beta1 = 1.0}}), ValueError);
  EXPECT_THROW((Adam{parameters, {.beta2 = -0.1}}), ValueError);
  EXPECT_THROW((Adam{parameters, {.beta2 = 1.0}}), ValueError);
  EXPECT_THROW((Adam{parameters, {.beta2 = nan}}), ValueError);
  EXPECT_THROW((Adam{parameters, {.eps = -1e-9}}), ValueError);
  EXPECT_THROW((Adam{parameters, {.weight_decay = -0.1}}), ValueError);
  EXPECT_NO_THROW((Adam{parameters, {.learning_rate = 0.0, .beta1 = 0.0, .beta2 = 0.0, .eps = 0.0}}));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
