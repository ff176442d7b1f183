// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/data/augment.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/init.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/leaky_relu.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/adamw.hpp>
#include <eigengrad/optim/rmsprop.hpp>
#include <eigengrad/optim/schedule.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::message_of;

/// Uses a number as an option.
struct Use {
  std::string option;
  std::function<void(double)> with;
};

/// Makes an optimiser of that kind with an option set to the number.
template <class Optimizer, class Options>
std::vector<Use> options_of(const std::string& name,
                            const std::vector<std::pair<std::string, double Options::*>>& options) {
  std::vector<Use> uses;
  for (const auto& [option, member] : options) {
    uses.push_back({name + ": " + option, [member = member](double value) {
                      Parameter<float> parameter(Tensor<float>::ones({3}));
                      Options own;
                      own.*member = value;
                      Optimizer(std::vector<Parameter<float>*>{&parameter}, own);
                    }});
  }
  return uses;
}

std::vector<Use> optimizers() {
  using namespace optim;
  std::vector<Use> uses;
  const auto add = [&](const std::vector<Use>& more) { uses.insert(uses.end(), more.begin(), more.end()); };
  add(options_of<SGD<float>, SGDOptions>("SGD", {{"learning_rate", &SGDOptions::learning_rate},
                                                 {"momentum", &SGDOptions::momentum},
                                                 {"weight_decay", &SGDOptions::weight_decay}}));
  add(options_of<Adam<float>, AdamOptions>("Adam", {{"learning_rate", &AdamOptions::learning_rate},
                                                    {"beta1", &AdamOptions::beta1},
                                                    {"beta2", &AdamOptions::beta2},
                                                    {"eps", &AdamOptions::eps},
                                                    {"weight_decay", &AdamOptions::weight_decay}}));
  add(options_of<AdamW<float>, AdamWOptions>("AdamW", {{"learning_rate", &AdamWOptions::learning_rate},
                                                       {"beta1", &AdamWOptions::beta1},
                                                       {"beta2", &AdamWOptions::beta2},
                                                       {"eps", &AdamWOptions::eps},
                                                       {"weight_decay", &AdamWOptions::weight_decay}}));
  add(options_of<RMSprop<float>, RMSpropOptions>("RMSprop", {{"learning_rate", &RMSpropOptions::learning_rate},
                                                             {"alpha", &RMSpropOptions::alpha},
                                                             {"eps", &RMSpropOptions::eps},
                                                             {"momentum", &RMSpropOptions::momentum},
                                                             {"weight_decay", &RMSpropOptions::weight_decay}}));
  const auto with_sgd = [](const auto& f) {
    Parameter<float> parameter(Tensor<float>::ones({3}));
    SGD<float> sgd({{{&parameter}, {}, {}}}, SGDOptions{});
    f(sgd, parameter);
  };
  uses.push_back(
      {"SGD: learning_rate", [=](double value) { with_sgd([&](auto& sgd, auto&) { sgd.set_learning_rate(value); }); }});
  uses.push_back({"SGD: learning_rate_factor",
                  [=](double value) { with_sgd([&](auto& sgd, auto&) { sgd.set_learning_rate_factor(value); }); }});
  uses.push_back({"SGD: learning_rate of group 0", [](double value) {
                    Parameter<float> parameter(Tensor<float>::ones({3}));
                    SGD<float>({{{&parameter}, value, {}}}, SGDOptions{});
                  }});
  uses.push_back({"SGD: weight_decay of group 0", [](double value) {
                    Parameter<float> parameter(Tensor<float>::ones({3}));
                    SGD<float>({{{&parameter}, {}, value}}, SGDOptions{});
                  }});
  return uses;
}

std::vector<Use> schedules() {
  using namespace optim;
  return {{"StepLR: gamma",
           [](double value) {
             StepLR{5, value}(0);
           }},
          {"CosineAnnealingLR: min_factor",
           [](double value) {
             CosineAnnealingLR{5, value}(0);
           }},
          {"LinearLR: start_factor",
           [](double value) {
             LinearLR{value, 1.0, 5}(0);
           }},
          {"LinearLR: end_factor",
           [](double value) {
             LinearLR{0.5, value, 5}(0);
           }},
          {"OneCycleLR: pct_start",
           [](double value) {
             OneCycleLR{5, value}(0);
           }},
          {"OneCycleLR: div_factor",
           [](double value) {
             OneCycleLR{5, 0.3, value}(0);
           }},
          {"OneCycleLR: final_div_factor", [](double value) {
             OneCycleLR{5, 0.3, 25.0, value}(0);
           }}};
}

std::vector<Use> layers() {
  const auto init = [](const nn::init::Scheme& scheme) {
    Rng rng(1);
    nn::init::weight<float>({4, 4}, {4.0, 4.0}, scheme, rng);
  };
  return {{"Dropout: p", [](double value) { nn::Dropout<>{{.p = value}}; }},
          {"BatchNorm1d: eps",
           [](double value) {
             nn::BatchNorm1d<>{3, {.eps = value}};
           }},
          {"BatchNorm2d: momentum",
           [](double value) {
             nn::BatchNorm2d<>{3, {.momentum = value}};
           }},
          {"LayerNorm: eps",
           [](double value) {
             nn::LayerNorm<>{3, {.eps = value}};
           }},
          {"LeakyReLU: negative_slope", [](double value) { nn::LeakyReLU<>{{.negative_slope = value}}; }},
          {"SoftmaxCrossEntropy: label_smoothing",
           [](double value) { nn::SoftmaxCrossEntropy<>{{.label_smoothing = value}}; }},
          {"RandomHorizontalFlip: p", [](double value) { data::RandomHorizontalFlip{.p = value}.validate(); }},
          {"init: ", [init](double value) { init(nn::init::Normal{value}); }},
          {"init: ", [init](double value) { init(nn::init::KaimingNormal{value}); }},
          {"init: ", [init](double value) { init(nn::init::KaimingUniform{value}); }},
          {"init: ", [init](double value) { init(nn::init::XavierNormal{value}); }},
          {"init: ", [init](double value) { init(nn::init::XavierUniform{value}); }},
          {"gradcheck: epsilon", [](double value) {
             gradcheck(nn::LeakyReLU<double>{}, {2, 2}, {.epsilon = value});
           }}};
}

TEST(Options, AreFinite) {
  for (const auto& uses : {optimizers(), schedules(), layers()}) {
    for (const Use& use : uses) {
      for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                                 -std::numeric_limits<double>::infinity()}) {
        const std::string message = message_of([&] { use.with(value); });
        EXPECT_EQ(message.rfind(use.option, 0), 0U) << message << " for " << use.option << " = " << value;
        EXPECT_LT(message.size(), 100U) << message;
        EXPECT_THROW(use.with(value), ValueError) << use.option << " = " << value;
      }
    }
  }
}

TEST(Options, AnInfiniteRateSaysSo) {
  Parameter<float> parameter(Tensor<float>::ones({3}));
  EXPECT_EQ(message_of([&] {
              optim::SGD<float>({{{&parameter}, {}, {}}}, {.learning_rate = std::numeric_limits<double>::infinity()});
            }),
            "SGD: learning_rate is inf, expected 0 or more and finite");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
