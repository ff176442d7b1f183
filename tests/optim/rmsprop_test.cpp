// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/rmsprop.hpp>

#include "support/optimizer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

template <class T>
void compare_rmsprop_with_pytorch(double tolerance) {
  const testing::Golden golden("rmsprop");
  const auto with = [](const RMSpropOptions& options) {
    return [options](const std::vector<Parameter<T>*>& p) { return RMSprop{p, options}; };
  };
  testing::expect_steps_match<T>(golden, "default", tolerance, with({}));
  testing::expect_steps_match<T>(golden, "alpha", tolerance, with({.learning_rate = 0.1, .alpha = 0.8, .eps = 1e-2}));
  testing::expect_steps_match<T>(golden, "momentum", tolerance,
                                 with({.learning_rate = 0.05, .weight_decay = 0.2, .momentum = 0.9}));
  testing::expect_steps_match<T>(golden, "centered", tolerance,
                                 with({.learning_rate = 0.01, .alpha = 0.7, .centered = true}));
  testing::expect_steps_match<T>(
      golden, "all", tolerance,
      with({.learning_rate = 0.02, .alpha = 0.7, .eps = 1e-3, .weight_decay = 0.1, .momentum = 0.8, .centered = true}));
  testing::expect_steps_match<T>(golden, "groups", tolerance, [](const std::vector<Parameter<T>*>& p) {
    return RMSprop{testing::golden_groups(p), {.learning_rate = 0.1, .weight_decay = 0.1}};
  });
}

TEST(RMSprop, MatchesPyTorch) {
  compare_rmsprop_with_pytorch<double>(1e-14);
  compare_rmsprop_with_pytorch<float>(2e-6);
}

TEST(RMSprop, CenteredStaysFiniteWhereAllGradientsAreEqual) {
  Parameter<float> parameter{Tensor<float>::zeros({1000})};
  const Tensor<float> gradient = testing::random<float>({1000}, 1);
  RMSprop rmsprop{{&parameter}, {.learning_rate = 1e-9, .alpha = 0.5, .centered = true}};
  for (int step = 0; step < 200; ++step) {
    parameter.add_grad(gradient);
    rmsprop.step();
  }
  EXPECT_TRUE(parameter.value.array().isFinite().all());
}

TEST(RMSprop, RefusesOptionsOutOfRange) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  const std::vector<Parameter<float>*> parameters{&parameter};
  EXPECT_THROW((RMSprop{parameters, {.learning_rate = -1e-3}}), ValueError);
  EXPECT_THROW((RMSprop{parameters, {.alpha = -0.1}}), ValueError);
  EXPECT_THROW((RMSprop{parameters, {.alpha = 1.0}}), ValueError);
  EXPECT_THROW((RMSprop{parameters, {.eps = -1e-9}}), ValueError);
  EXPECT_THROW((RMSprop{parameters, {.weight_decay = -0.1}}), ValueError);
  EXPECT_THROW((RMSprop{parameters, {.momentum = -0.1}}), ValueError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
