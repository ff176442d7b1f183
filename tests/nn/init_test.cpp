// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/nn/init.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/sequential.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

double deviation(const Tensor<double>& x) { return std::sqrt(x.array().square().mean()); }

TEST(Init, DeviationsAndBoundsAreThoseOfTheirPapers) {
  const Shape shape{500, 5, 5, 16};  // fan_in 400, fan_out 12500
  const init::Fans fans = init::fans(shape);
  EXPECT_EQ(fans.in, 400.0);
  EXPECT_EQ(fans.out, 12500.0);
  Rng rng(1);
  const auto make = [&](const init::Scheme& scheme) { return init::weight<double>(shape, fans, scheme, rng); };
  EXPECT_NEAR(deviation(make(init::Normal{1e-4})), 1e-4, 1e-6);
  EXPECT_NEAR(deviation(make(init::KaimingNormal{})), std::sqrt(2.0 / 400.0), 5e-4);
  EXPECT_NEAR(deviation(make(init::KaimingUniform{})), std::sqrt(2.0 / 400.0), 5e-4);
  EXPECT_NEAR(deviation(make(init::XavierNormal{})), std::sqrt(2.0 / 12900.0), 1e-4);
  EXPECT_NEAR(deviation(make(init::XavierUniform{})), std::sqrt(2.0 / 12900.0), 1e-4);
  const Tensor<double> pytorch = make(init::PyTorch{});
  EXPECT_LE(pytorch.array().abs().maxCoeff(), 0.05);
  EXPECT_GE(pytorch.array().abs().maxCoeff(), 0.0499);
}

TEST(Init, SetsWeightsAndTheirBiasesByName) {
  Sequential net{Linear<double>{30, 20}, Linear<double>{20, 10}};
  Rng rng(1);
  initialize(net, init::Normal{0.5}, rng);
  const auto parameters = net.parameters();
  EXPECT_NEAR(deviation(parameters[0]->value), 0.5, 0.05);
  EXPECT_EQ(deviation(parameters[1]->value), 0.0);
  EXPECT_NEAR(deviation(parameters[2]->value), 0.5, 0.07);
  initialize(net, init::PyTorch{}, rng);
  EXPECT_GT(deviation(parameters[1]->value), 0.0);
  EXPECT_LE(parameters[1]->value.array().abs().maxCoeff(), 1.0 / std::sqrt(30.0));
}

TEST(Init, LeavesALayerNormAlone) {
  Sequential net{Linear<double>{30, 20}, LayerNorm<double>{20}, Linear<double>{20, 10, {.bias = false}},
                 LayerNorm<double>{10}};
  Rng rng(1);
  for (const init::Scheme& scheme : {init::Scheme(init::Normal{0.5}), init::Scheme(init::PyTorch{})}) {
    initialize(net, scheme, rng);
    for (const Index i : {1, 3}) {
      const auto* norm = net[i].get_if<LayerNorm<double>>();
      EXPECT_TRUE(equal(norm->weight.value, Tensor<double>::ones(norm->weight.value.shape())));
      EXPECT_TRUE(equal(norm->bias.value, Tensor<double>::zeros(norm->bias.value.shape())));
    }
    EXPECT_GT(deviation(net[2].get_if<Linear<double>>()->weight.value), 0.1);
  }
}

TEST(Init, TheSameGeneratorGivesTheSameWeights) {
  Sequential a{Linear<float>{30, 20}};
  Sequential b{Linear<float>{30, 20}};
  Rng first(5);
  Rng second(5);
  initialize(a, init::KaimingNormal{}, first);
  initialize(b, init::KaimingNormal{}, second);
  EXPECT_TRUE(equal(a.parameters()[0]->value, b.parameters()[0]->value));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
