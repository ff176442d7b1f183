// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/nn/gelu.hpp>
#include <eigengrad/nn/leaky_relu.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sigmoid.hpp>
#include <eigengrad/nn/silu.hpp>
#include <eigengrad/nn/softmax.hpp>
#include <eigengrad/nn/tanh.hpp>

#include "support/layer_parity.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

template <class L>
class Activations : public ::testing::Test {};
using AllActivations = ::testing::Types<ReLU<>, LeakyReLU<>, GELU<>, SiLU<>, Sigmoid<>, Tanh<>, Softmax<>>;
TYPED_TEST_SUITE(Activations, AllActivations);

TYPED_TEST(Activations, RefusesWrongUse) {
  TypeParam layer;
  const auto zeros = [](const Shape& shape) { return Tensor<float>::zeros(shape); };
  EXPECT_THROW(layer.backward(zeros({2})), StateError);
  layer.forward(zeros({2}), Mode::train);
  EXPECT_EQ(testing::message_of([&] { layer.backward(zeros({3})); }),
            layer.description() + ": gradient of the output has shape (3,), expected (2,)");
  layer.forward(zeros({2}), Mode::inference);
  EXPECT_THROW(layer.backward(zeros({2})), StateError);
}

TYPED_TEST(Activations, InferenceWorksInPlaceAndKeepsNothing) {
  TypeParam layer;
  auto x = testing::random<float>({40}, 1);
  const float* memory = x.data();
  const Tensor<float> y = layer.forward(std::move(x), Mode::inference);
  EXPECT_EQ(y.data(), memory);
  EXPECT_TRUE(y.unique());
}

TYPED_TEST(Activations, TrainingAndInferenceComputeTheSame) {
  TypeParam layer;
  const auto x = testing::random<float>({3, 41}, 1);
  const Tensor<float> before(x.shape(), x.span());
  const Tensor<float> y = layer.forward(x, Mode::train);
  EXPECT_TRUE(equal(layer.forward(x, Mode::inference), y));
  EXPECT_TRUE(equal(layer.forward(x, Mode::eval), y));
  EXPECT_TRUE(equal(x, before));
}

TYPED_TEST(Activations, BackwardMayBeCalledTwice) {
  TypeParam layer;
  layer.forward(testing::random<float>({3, 41}, 1), Mode::train);
  const auto dy = testing::random<float>({3, 41}, 2);
  const Tensor<float> dx = layer.backward(dy);
  EXPECT_TRUE(equal(layer.backward(dy), dx));
}

TYPED_TEST(Activations, ABatchOfNoRowsPasses) {
  TypeParam layer;
  EXPECT_EQ(layer.forward(Tensor<float>::zeros({0, 3}), Mode::train).shape(), (Shape{0, 3}));
  EXPECT_EQ(layer.backward(Tensor<float>::zeros({0, 3})).shape(), (Shape{0, 3}));
}

TEST(Activation, ReluAndSoftmaxMatchPyTorch) {
  const testing::Golden golden("activations");
  testing::expect_matches_pytorch(golden, "relu", []<class T>() { return ReLU<T>{}; });
  testing::expect_matches_pytorch(golden, "softmax", []<class T>() { return Softmax<T>{}; });
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
