// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/adamw.hpp>
#include <eigengrad/optim/averaged_weights.hpp>
#include <eigengrad/optim/clip_grad.hpp>
#include <eigengrad/optim/lookahead.hpp>
#include <eigengrad/optim/rmsprop.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/special_values.hpp"

// Every optimiser with gradients of every size, in every place of a parameter.

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

using testing::Wide;

constexpr double kRate = 0.1;
constexpr double kDecay = 0.25;
constexpr int kSteps = 3;

/// Parameters of 1, which get the same gradient in each of three steps; `definition` makes one step of `p`.
template <class T, class Make, class Definition>
void expect_steps(const std::string& name, const Make& make, const Definition& definition) {
  testing::expect_same_everywhere<T>(
      name, 32,
      [&](const Tensor<T>& gradient) {
        Parameter<T> parameter{Tensor<T>::ones(gradient.shape())};
        auto optimizer = make(std::vector<Parameter<T>*>{&parameter});
        for (int step = 0; step < kSteps; ++step) {
          parameter.add_grad(gradient);
          optimizer.step();
        }
        if constexpr (requires { optimizer.eval(); }) optimizer.eval();
        return parameter.value;
      },
      [&](Wide g) {
        Wide p = 1, m = 0, v = 0, b = 0;
        for (int step = 1; step <= kSteps; ++step) definition(step, g, p, m, v, b);
        return p;
      });
}

template <class T>
class SpecialGradients : public ::testing::Test {};
using Numbers = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SpecialGradients, Numbers);

TYPED_TEST(SpecialGradients, OfSGD) {
  using T = TypeParam;
  for (const bool nesterov : {false, true}) {
    for (const double momentum : {0.0, 0.9}) {
      if (nesterov && momentum == 0.0) continue;
      const SGDOptions options{
          .learning_rate = kRate, .momentum = momentum, .weight_decay = kDecay, .nesterov = nesterov};
      expect_steps<T>(
          "SGD",
          [&](const std::vector<Parameter<T>*>& p) {
            return SGD{p, options};
          },
          [&](int, Wide g, Wide& p, Wide& m, Wide&, Wide&) {
            g = T(g + kDecay * p);
            m = T(momentum * m + g);
            p = T(p - kRate * (nesterov ? g + momentum * m : m));
          });
    }
  }
}

TYPED_TEST(SpecialGradients, OfAdam) {
  using T = TypeParam;
  const auto adam = [](int step, Wide g, Wide& p, Wide& m, Wide& v, Wide&) {
    m = 0.9L * m + 0.1L * g;
    v = 0.999L * v + 0.001L * g * g;
    const Wide mean = m / (1 - std::pow(0.9L, Wide(step)));
    const Wide mean_square = v / (1 - std::pow(0.999L, Wide(step)));
    p -= kRate * mean / (std::sqrt(mean_square) + 1e-8L);
  };
  expect_steps<T>(
      "Adam",
      [](const std::vector<Parameter<T>*>& p) {
        return Adam{p, {.learning_rate = kRate}};
      },
      adam);
  expect_steps<T>(
      "AdamW",
      [](const std::vector<Parameter<T>*>& p) {
        return AdamW{p, {.learning_rate = kRate, .weight_decay = kDecay}};
      },
      [&](int step, Wide g, Wide& p, Wide& m, Wide& v, Wide& b) {
        p *= 1 - kRate * kDecay;
        adam(step, g, p, m, v, b);
      });
}

TYPED_TEST(SpecialGradients, OfRMSprop) {
  using T = TypeParam;
  for (const double momentum : {0.0, 0.9}) {
    expect_steps<T>(
        "RMSprop",
        [&](const std::vector<Parameter<T>*>& p) {
          return RMSprop{p, {.learning_rate = kRate, .momentum = momentum}};
        },
        [&](int, Wide g, Wide& p, Wide&, Wide& v, Wide& b) {
          v = 0.99L * v + 0.01L * g * g;
          b = momentum * b + g / (std::sqrt(v) + 1e-8L);
          p -= kRate * b;
        });
    expect_steps<T>(
        "RMSprop, centered",
        [&](const std::vector<Parameter<T>*>& p) {
          return RMSprop{p, {.learning_rate = kRate, .momentum = momentum, .centered = true}};
        },
        [&](int, Wide g, Wide& p, Wide& m, Wide& v, Wide& b) {
          v = 0.99L * v + 0.01L * g * g;
          m = 0.99L * m + 0.01L * g;
          b = momentum * b + g / (std::sqrt(v - m * m) + 1e-8L);
          p -= kRate * b;
        });
  }
}

// Around SGD: p is what it trains, and what they add begins with it.
TYPED_TEST(SpecialGradients, OfAveragesAndLookahead) {
  using T = TypeParam;
  const auto sgd = [](const std::vector<Parameter<T>*>& p) { return SGD{p, {.learning_rate = kRate}}; };
  const auto average_by = [](const auto& weight) {
    return [weight](int step, Wide g, Wide& p, Wide& trained, Wide&, Wide&) {
      trained = T((step == 1 ? Wide(1) : trained) - kRate * g);
      p = step == 1 ? trained : T(p + weight(step) * (trained - p));
    };
  };
  expect_steps<T>(
      "ExponentialMovingAverage",
      [&](const auto& p) {
        return ExponentialMovingAverage{sgd(p), {.decay = 0.75}};
      },
      average_by([](int) { return Wide(0.25); }));
  expect_steps<T>(
      "StochasticWeightAveraging", [&](const auto& p) { return StochasticWeightAveraging{sgd(p)}; },
      average_by([](int step) { return 1 / Wide(step); }));
  expect_steps<T>(
      "Lookahead",
      [&](const auto& p) {
        return Lookahead{sgd(p), {.k = 2, .alpha = 0.25}};
      },
      [](int step, Wide g, Wide& p, Wide& slow, Wide&, Wide&) {
        if (step == 1) slow = 1;
        p = T(p - kRate * (g + 0 * p));  // SGD's weight decay of 0 times an infinite parameter
        if (step % 2 == 0) p = slow = T(slow + 0.25 * (p - slow));
      });
}

// An infinite gradient must be noticed: the parameter is NaN, as PyTorch's, in every place.
TYPED_TEST(SpecialGradients, WhichAreInfiniteMakeAdamNaN) {
  using T = TypeParam;
  Parameter<T> parameter{Tensor<T>::ones({17})};
  Adam adam{std::vector<Parameter<T>*>{&parameter}, {.learning_rate = kRate}};
  parameter.add_grad(Tensor<T>::full({17}, std::numeric_limits<T>::infinity()));
  adam.step();
  for (const T value : parameter.value.span()) EXPECT_TRUE(std::isnan(value));
}

TYPED_TEST(SpecialGradients, OfAVariedSizeMakeStepsOfTheSizeTheyShould) {
  using T = TypeParam;
  Parameter<T> parameter{Tensor<T>::ones({19})};
  Adam adam{std::vector<Parameter<T>*>{&parameter}, {.learning_rate = kRate}};
  for (const double size : {1e30, -1.0, 1e38, 1e-3, 2e19}) {
    parameter.add_grad(Tensor<T>::full({19}, T(size)));
    adam.step();
    EXPECT_TRUE(testing::all_same(parameter.value));
    EXPECT_LT(std::abs(parameter.value(0)), 2.0) << size;
  }
}

TYPED_TEST(SpecialGradients, AreClipped) {
  using T = TypeParam;
  for (const T value : testing::special_values<T>()) {
    if (!(std::abs(value) < T(1e100L)) || value == T(0)) continue;
    for (Index count = 1; count <= 40; ++count) {
      Parameter<T> parameter{Tensor<T>::ones({count})};
      parameter.add_grad(Tensor<T>::full({count}, value));
      const double norm = clip_grad_norm(std::vector<Parameter<T>*>{&parameter}, 1.0);
      ASSERT_TRUE(testing::all_same(parameter.grad)) << value;
      EXPECT_NEAR(norm, std::abs(static_cast<double>(value)) * std::sqrt(static_cast<double>(count)),
                  norm * 1e-12 + 1e-160);
    }
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
