// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/nn/tanh.hpp>

#include "support/tensors.hpp"

// Layers that Sequential folds into the one before them in inference.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using testing::difference;
using testing::random;

/// A batch norm whose parameters and running statistics are not those it starts with.
template <class Norm>
Norm used(Norm norm, std::uint64_t seed) {
  const Shape channels = norm.running_mean.shape();
  Rng rng(seed);
  norm.running_mean = Tensor<double>::randn(channels, rng);
  norm.running_var = Tensor<double>::rand(channels, rng, 0.5, 2.0);
  if (norm.weight.value.empty()) return norm;
  norm.weight.value = Tensor<double>::randn(channels, rng);
  norm.bias.value = Tensor<double>::randn(channels, rng);
  return norm;
}

/// Inference agrees with the layers one by one.
void expect_same(Sequential<double> net, const Shape& shape) {
  const auto x = random<double>(shape, 1);
  const Tensor<double> expected = net.forward(x, Mode::eval);
  EXPECT_LT(difference(net.forward(x, Mode::inference), expected), 1e-12) << net.summary(shape);
}

TEST(Fold, InferenceGivesWhatTheLayersGiveOneByOne) {
  const auto conv = [](bool bias) { return Conv2d<double>{6, 5, {.kernel = 3, .padding = 1, .bias = bias}}; };
  const auto norm = [] { return used(BatchNorm2d<double>{5}, 2); };
  const Shape images{2, 7, 6, 6};
  expect_same(Sequential<double>{conv(true)}, images);
  expect_same(Sequential{conv(true), ReLU<double>{}}, images);
  expect_same(Sequential{conv(true), norm()}, images);
  expect_same(Sequential{conv(false), norm(), ReLU<double>{}}, images);
  expect_same(Sequential{conv(true), norm(), ReLU<double>{}, MaxPool2d<double>{{.kernel = 2}}}, images);
  expect_same(Sequential{conv(true), norm(), norm(), ReLU<double>{}, ReLU<double>{}}, images);
  expect_same(Sequential{conv(true), used(BatchNorm2d<double>{5, {.affine = false}}, 3), Tanh<double>{}}, images);
  expect_same(Sequential{Conv2d<double>{6, 4, {.kernel = 3, .stride = 2, .groups = 2}}, used(BatchNorm2d<double>{4}, 4),
                         ReLU<double>{}},
              images);
}

TEST(Fold, ANormBehindAReluStaysALayer) {
  expect_same(Sequential{Conv2d<double>{6, 5, {.kernel = 1}}, ReLU<double>{}, used(BatchNorm2d<double>{5}, 2)},
              {2, 3, 3, 6});
}

TEST(Fold, LayersWithoutOneToFoldIntoStay) {
  expect_same(Sequential{used(BatchNorm2d<double>{6}, 2), ReLU<double>{}, Dropout<double>{}}, {2, 3, 3, 6});
}

TEST(Fold, LinearLayersTakeWhatFollowsToo) {
  expect_same(Sequential{Linear<double>{9, 20}, used(BatchNorm1d<double>{20}, 2), ReLU<double>{}, Dropout<double>{},
                         Linear<double>{20, 3}},
              {4, 9});
  expect_same(Sequential{Linear<double>{9, 20, {.bias = false}}, ReLU<double>{}}, {2, 5, 9});
}

TEST(Fold, AFoldedLayerForgetsItsLastForward) {
  Sequential net{Linear<double>{3, 4}, BatchNorm1d<double>{4}, ReLU<double>{}, Dropout<double>{}};
  const auto x = random<double>({5, 3}, 1);
  net.forward(x);
  net.forward(x, Mode::inference);
  for (Index i = 0; i < net.size(); ++i) EXPECT_THROW(net[i].backward(random<double>({5, 4}, 2)), StateError) << i;
}

TEST(Fold, TheNetworkItselfStaysAsItIs) {
  Sequential net{Linear<double>{3, 4}, used(BatchNorm1d<double>{4}, 2), ReLU<double>{}};
  const auto x = random<double>({5, 3}, 1);
  const Tensor<double> weight = net.parameters()[0]->value;
  const Tensor<double> bias = net.parameters()[1]->value;
  const Tensor<double> once = net.forward(x, Mode::inference);
  EXPECT_TRUE(equal(net.forward(x, Mode::inference), once));
  EXPECT_TRUE(equal(net.parameters()[0]->value, weight) && equal(net.parameters()[1]->value, bias));
}

TEST(Fold, NaNPassesAReluAsItDoesInTraining) {
  Sequential net{Conv2d<float>{2, 3, {.kernel = 3, .padding = 1}}, ReLU<float>{}};
  const auto x = Tensor<float>::full({1, 4, 4, 2}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(net.forward(x, Mode::inference).array().isNaN().all());
  Sequential dense{Linear<float>{2, 3}, ReLU<float>{}};
  EXPECT_TRUE(dense.forward(x, Mode::inference).array().isNaN().all());
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
