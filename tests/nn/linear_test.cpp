// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/linear.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Linear<float>> && Layer<Linear<double>>);

TEST(Linear, Gradcheck) {
  EXPECT_TRUE(gradcheck(Linear<double>{8, 3}, {4, 8}));
  EXPECT_TRUE(gradcheck(Linear<double>{8, 3, {.bias = false}}, {4, 8}));
  EXPECT_TRUE(gradcheck(Linear<double>{1, 1}, {1, 1}));
  EXPECT_TRUE(gradcheck(Linear<double>{5, 33}, {2, 3, 5}));
  EXPECT_TRUE(gradcheck(Linear<double>{5, 33}, {2, 3, 5}, {.mode = Mode::eval}));
}

TEST(Linear, StartsAsPyTorchDoes) {
  manual_seed(1);
  const Linear<float> layer{400, 500};
  EXPECT_EQ(layer.weight.value.shape(), (Shape{500, 400}));
  for (const Parameter<float>* parameter : {&layer.weight, &layer.bias}) {
    const auto values = parameter->value.array();
    EXPECT_LE(values.abs().maxCoeff(), 0.05F);  // 1 / sqrt(400)
    EXPECT_NEAR(values.square().mean(), 0.05 * 0.05 / 3.0, 1e-4);
  }
  manual_seed(1);
  EXPECT_TRUE(equal((Linear<float>{400, 500}.weight.value), layer.weight.value));
}

TEST(Linear, BackwardAddsToGradientsThatAreThere) {
  Linear<double> layer{3, 2};
  const auto x = testing::random<double>({5, 3}, 1);
  const auto dy = testing::random<double>({5, 2}, 2);
  layer.forward(x, Mode::train);
  layer.backward(dy);
  const Tensor<double> once = layer.weight.grad;
  layer.backward(dy);
  EXPECT_LT((layer.weight.grad.array() - 2.0 * once.array()).abs().maxCoeff(), 1e-14);
}

TEST(Linear, InferenceRemembersNothing) {
  Linear<float> layer{3, 2};
  auto x = testing::random<float>({5, 3}, 1);
  layer.forward(x, Mode::inference);
  EXPECT_TRUE(x.unique());
  EXPECT_THROW(layer.backward(testing::random<float>({5, 2}, 2)), StateError);
}

TEST(Linear, RefusesWrongUse) {
  EXPECT_THROW((Linear<float>{0, 3}), ValueError);
  EXPECT_THROW((Linear<float>{3, -1}), ValueError);
  Linear<float> layer{3, 2};
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({5, 2})), StateError);
  EXPECT_THROW(layer.forward(Tensor<float>::zeros({5, 4}), Mode::train), ShapeError);
  layer.forward(Tensor<float>::zeros({5, 3}), Mode::train);
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({4, 2})), ShapeError);
  EXPECT_FALSE(layer.weight.has_grad());
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
