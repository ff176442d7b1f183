// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/layer_norm.hpp>

#include "support/layer_parity.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<LayerNorm<float>> && std::same_as<decltype(LayerNorm{3}), LayerNorm<float>>);

template <class T>
LayerNorm<T> with_random_parameters(Index features, const LayerNormOptions& options = {}) {
  LayerNorm<T> layer{features, options};
  if (layer.has_weight()) layer.weight.value = testing::random<T>({features}, 1);
  if (layer.has_bias()) layer.bias.value = testing::random<T>({features}, 2);
  return layer;
}

TEST(LayerNormLayer, Gradcheck) {
  EXPECT_TRUE(gradcheck(with_random_parameters<double>(9), {4, 9}));
  EXPECT_TRUE(gradcheck(with_random_parameters<double>(5, {.bias = false}), {2, 3, 5}));
  EXPECT_TRUE(gradcheck(with_random_parameters<double>(5, {.elementwise_affine = false}), {3, 5}));
  EXPECT_TRUE(gradcheck(with_random_parameters<double>(5, {.eps = 0.3}), {1, 5}, {.mode = Mode::eval}));
}

TEST(LayerNormLayer, MatchesPyTorch) {
  const testing::Golden golden("layer_norm");
  testing::expect_matches_pytorch(golden, "rank2", []<class T>() { return LayerNorm<T>{8}; });
  testing::expect_matches_pytorch(golden, "rank3", []<class T>() { return LayerNorm<T>{7}; });
  testing::expect_matches_pytorch(golden, "one_row", []<class T>() { return LayerNorm<T>{13}; });
  testing::expect_matches_pytorch(golden, "no_bias", []<class T>() { return LayerNorm<T>{9, {.bias = false}}; });
  testing::expect_matches_pytorch(golden, "no_affine", []<class T>() {
    return LayerNorm<T>{9, {.elementwise_affine = false}};
  });
  testing::expect_matches_pytorch(golden, "eps", []<class T>() { return LayerNorm<T>{3, {.eps = 0.1}}; });
}

TEST(LayerNormLayer, StartsAsTheNormalisationAlone) {
  LayerNorm layer{4};
  EXPECT_TRUE(equal(layer.weight.value, Tensor<float>::ones({4})));
  EXPECT_TRUE(equal(layer.bias.value, Tensor<float>::zeros({4})));
  EXPECT_EQ(parameters(layer).size(), 2U);
  LayerNorm without{4, {.elementwise_affine = false}};
  EXPECT_TRUE(parameters(without).empty());
}

TEST(LayerNormLayer, BackwardParametersGivesTheSameGradients) {
  auto layer = with_random_parameters<double>(5);
  layer.forward(testing::random<double>({6, 5}, 3), Mode::train);
  LayerNorm<double> other = layer;
  const auto dy = testing::random<double>({6, 5}, 4);
  layer.backward(dy);
  other.backward_parameters(dy);
  EXPECT_TRUE(equal(layer.weight.grad, other.weight.grad));
  EXPECT_TRUE(equal(layer.bias.grad, other.bias.grad));
  const Tensor<double> once = layer.weight.grad;
  layer.backward(dy);
  EXPECT_LT((layer.weight.grad.array() - 2.0 * once.array()).abs().maxCoeff(), 1e-14);
}

TEST(LayerNormLayer, InferenceComputesTheSameInPlace) {
  auto layer = with_random_parameters<float>(6);
  auto x = testing::random<float>({4, 6}, 3);
  const Tensor<float> y = layer.forward(x, Mode::train);
  const float* memory = x.data();
  const Tensor<float> again = layer.forward(std::move(x), Mode::inference);
  EXPECT_EQ(again.data(), memory);
  EXPECT_TRUE(equal(again, y));
}

TEST(LayerNormLayer, RefusesWrongUse) {
  EXPECT_THROW(LayerNorm<float>{0}, ValueError);
  EXPECT_THROW((LayerNorm<float>{3, {.eps = -1.0}}), ValueError);
  EXPECT_THROW((LayerNorm<float>{3, {.eps = std::nan("")}}), ValueError);
  LayerNorm<float> layer{3};
  const auto zeros = [](const Shape& shape) { return Tensor<float>::zeros(shape); };
  EXPECT_THROW(layer.backward(zeros({2, 3})), StateError);
  EXPECT_EQ(testing::message_of([&] {
              layer.forward(zeros({2, 4}), Mode::train);
            }),
            "LayerNorm 3: input has 4 features, expected 3; input shape (2, 4)");
  layer.forward(zeros({2, 3}), Mode::train);
  EXPECT_THROW(layer.backward(zeros({3, 3})), ShapeError);
  EXPECT_FALSE(layer.weight.has_grad());
  layer.forward(zeros({2, 3}), Mode::inference);
  EXPECT_THROW(layer.backward(zeros({2, 3})), StateError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
