// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/nn/avg_pool2d.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/gelu.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/leaky_relu.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sigmoid.hpp>
#include <eigengrad/nn/silu.hpp>
#include <eigengrad/nn/softmax.hpp>
#include <eigengrad/nn/tanh.hpp>

#include "support/message_of.hpp"

// A layer names itself when it is given a gradient that its last forward cannot have, and has none to take one after
// Mode::inference.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using testing::message_of;

template <class L>
void expect_refusals(L layer, const Shape& shape) {
  const std::string name = describe(layer);
  const std::string forgotten = name + ": backward without a forward before it (Mode::inference remembers nothing)";
  const auto x = Tensor<float>::ones(shape);
  const Shape y = layer.output_shape(shape);
  const auto dy = Tensor<float>::ones(y);
  EXPECT_EQ(message_of([&] { layer.backward(dy); }), forgotten);
  for (const Mode mode : {Mode::train, Mode::eval}) {
    layer.forward(x, mode);
    for (const Shape& wrong : {y.with(0, y[0] + 1), y.with(-1, y[-1] + 1), Shape{y.numel()}, Shape{}, Shape{0}}) {
      const std::string message = message_of([&] { layer.backward(Tensor<float>::ones(wrong)); });
      EXPECT_EQ(message,
                name + ": gradient of the output has shape " + to_string(wrong) + ", expected " + to_string(y));
    }
    EXPECT_EQ(layer.backward(dy).shape(), shape) << name;  // nothing is forgotten for a wrong gradient
    layer.forward(x, Mode::inference);
    EXPECT_EQ(message_of([&] { layer.backward(dy); }), forgotten);
  }
}

TEST(WrongGradient, IsRefusedByTheLayerThatGetsIt) {
  const Shape rows{4, 6}, images{2, 4, 4, 3};
  expect_refusals(Linear<float>(6, 5), rows);
  expect_refusals(ReLU<float>(), rows);
  expect_refusals(LeakyReLU<float>(), rows);
  expect_refusals(GELU<float>(), rows);
  expect_refusals(SiLU<float>(), rows);
  expect_refusals(Sigmoid<float>(), rows);
  expect_refusals(Tanh<float>(), rows);
  expect_refusals(Softmax<float>(), rows);
  expect_refusals(Dropout<float>({.p = 0.5}), rows);
  expect_refusals(LayerNorm<float>(6), rows);
  expect_refusals(BatchNorm1d<float>(6), rows);
  expect_refusals(BatchNorm2d<float>(3), images);
  expect_refusals(Flatten<float>(), images);
  expect_refusals(MaxPool2d<float>({.kernel = 2}), images);
  expect_refusals(AvgPool2d<float>({.kernel = 2}), images);
  expect_refusals(GlobalAvgPool2d<float>(), images);
}

TEST(SoftmaxLayer, TakesOneRowWithoutAFirstAxis) {
  Softmax<float> layer;
  EXPECT_EQ(layer.output_shape({3}), (Shape{3}));
  EXPECT_FLOAT_EQ(layer.forward(Tensor<float>::ones({4}), Mode::eval)(0), 0.25F);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
