// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/sgd.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

template <class T>
void compare_sgd_with_pytorch(double tolerance) {
  const testing::Golden golden("sgd");
  const std::vector<std::pair<std::string, SGDOptions>> runs{
      {"plain", {.learning_rate = 0.1}},
      {"momentum", {.learning_rate = 0.1, .momentum = 0.9}},
      {"decay", {.learning_rate = 0.1, .weight_decay = 0.1}},
      {"nesterov", {.learning_rate = 0.1, .momentum = 0.8, .weight_decay = 0.05, .nesterov = true}}};
  for (const auto& [name, options] : runs) {
    std::vector<Parameter<T>> parameters(3);
    std::vector<Parameter<T>*> pointers;
    for (int i = 0; i < 3; ++i) {
      Parameter<T>& parameter = parameters[static_cast<std::size_t>(i)];
      parameter.value = golden["start." + std::to_string(i)].template cast<T>();
      pointers.push_back(&parameter);
    }
    SGD<T> sgd(pointers, options);
    for (int step = 0; step < 4; ++step) {
      const std::string s = std::to_string(step);
      for (int i = 0; i < 3; ++i) {
        if (step == 2 && i == 1) continue;  // a parameter without a gradient stays as it is
        pointers[static_cast<std::size_t>(i)]->add_grad(
            golden["grad." + s + "." + std::to_string(i)].template cast<T>());
      }
      sgd.step();
      for (int i = 0; i < 3; ++i) {
        const Tensor<T> expected = golden[name + "." + s + "." + std::to_string(i)].template cast<T>();
        EXPECT_LT(testing::difference(pointers[static_cast<std::size_t>(i)]->value, expected), tolerance)
            << name << ", step " << step << ", parameter " << i;
      }
    }
  }
}

TEST(SGD, MatchesPyTorch) {
  compare_sgd_with_pytorch<double>(1e-14);
  compare_sgd_with_pytorch<float>(1e-6);
}

TEST(SGD, StepUsesTheGradientsUp) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  SGD sgd{{&parameter}, {.learning_rate = 0.5}};
  parameter.add_grad(Tensor<float>::ones({3}));
  sgd.step();
  EXPECT_FALSE(parameter.has_grad());
  EXPECT_EQ(parameter.value(0), 0.5F);
  EXPECT_THROW(sgd.step(), StateError);
  EXPECT_EQ(parameter.value(0), 0.5F);
  parameter.add_grad(Tensor<float>::ones({3}));
  sgd.zero_grad();
  EXPECT_THROW(sgd.step(), StateError);
  EXPECT_EQ(parameter.value(0), 0.5F);
}

TEST(SGD, LeavesASharedValueAlone) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  const Tensor<float> saved = parameter.value;
  SGD sgd{{&parameter}, {.learning_rate = 0.5}};
  parameter.add_grad(Tensor<float>::ones({3}));
  sgd.step();
  EXPECT_EQ(saved(0), 1.0F);
}

TEST(SGD, RefusesGradientsThatDoNotFitBeforeItChangesAnything) {
  Parameter<float> first{Tensor<float>::ones({3})};
  Parameter<float> second{Tensor<float>::ones({4000})};
  SGD sgd{{&first, &second}, {.learning_rate = 0.5, .momentum = 0.9}};
  first.add_grad(Tensor<float>::ones({3}));
  second.grad = Tensor<float>::ones({4});
  EXPECT_THROW(sgd.step(), ShapeError);
  EXPECT_EQ(first.value(0), 1.0F);
  second.grad = Tensor<float>::ones({4000});
  sgd.step();
  second.value = Tensor<float>::ones({5000});
  second.grad = Tensor<float>::ones({5000});
  EXPECT_THROW(sgd.step(), ShapeError);  // the momentum is that of another shape
}

TEST(SGD, RefusesOptionsOutOfRange) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  const std::vector<Parameter<float>*> parameters{&parameter};
  EXPECT_THROW((SGD{parameters, {.learning_rate = -1e-3}}), ValueError);
  EXPECT_THROW((SGD{parameters, {.learning_rate = std::numeric_limits<double>::quiet_NaN()}}), ValueError);
  EXPECT_THROW((SGD{parameters, {.momentum = -0.1}}), ValueError);
  EXPECT_THROW((SGD{parameters, {.weight_decay = -0.1}}), ValueError);
  EXPECT_THROW((SGD{parameters, {.nesterov = true}}), ValueError);
  EXPECT_THROW((SGD{std::vector<Parameter<float>*>{}, {}}), ValueError);
  SGD sgd{parameters, {}};
  sgd.set_learning_rate(0.25);
  EXPECT_EQ(sgd.learning_rate(), 0.25);
  EXPECT_THROW(sgd.set_learning_rate(-1.0), ValueError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
