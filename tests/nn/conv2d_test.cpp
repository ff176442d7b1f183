// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/conv2d.hpp>

#include "support/conv2d_algorithms.hpp"
#include "support/layer_parity.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using testing::message_of;

static_assert(Layer<Conv2d<float>> && Layer<Conv2d<double>>);

TEST(Conv2d, Gradcheck) {
  EXPECT_TRUE(gradcheck(Conv2d<double>{3, 4, {.kernel = 3, .padding = 1}}, {2, 5, 4, 3}));
  EXPECT_TRUE(gradcheck(Conv2d<double>{3, 4, {.kernel = 3, .padding = 1}}, {1, 1, 1, 3}));
  EXPECT_TRUE(gradcheck(Conv2d<double>{5, 2, {.kernel = 1, .bias = false}}, {2, 3, 2, 5}));
  EXPECT_TRUE(gradcheck(Conv2d<double>{2, 3, {.kernel = 3, .stride = 2, .padding = 1}}, {2, 6, 7, 2}));
  EXPECT_TRUE(gradcheck(
      Conv2d<double>{2, 3, {.kernel = {2, 5}, .stride = {2, 1}, .padding = {0, 3}, .dilation = {3, 1}}}, {1, 6, 5, 2}));
  EXPECT_TRUE(gradcheck(Conv2d<double>{6, 4, {.kernel = 3, .padding = 1, .groups = 2}}, {2, 3, 4, 6}));
  EXPECT_TRUE(gradcheck(Conv2d<double>{4, 4, {.kernel = 3, .padding = 1, .groups = 4}}, {1, 4, 4, 4}));
  EXPECT_TRUE(gradcheck(Conv2d<double>{3, 2, {.kernel = 2}}, {2, 3, 3, 3}, {.mode = Mode::eval}));
}

TEST(Conv2d, GradcheckOfEveryAlgorithm) {
  struct Case {
    Index inputs, outputs;
    Conv2dOptions options;
    Shape x;
  };
  for (const Case& conv :
       {Case{3, 4, {.kernel = 3}, {2, 5, 7, 3}}, Case{3, 4, {.kernel = 3, .padding = 1}, {2, 5, 7, 3}},
        Case{3, 4, {.kernel = 3, .padding = 2}, {2, 5, 7, 3}}, Case{20, 4, {.kernel = 3, .padding = 1}, {2, 2, 2, 20}},
        Case{6, 4, {.kernel = 3, .padding = 1, .groups = 2}, {2, 3, 4, 6}}, Case{5, 3, {.kernel = 1}, {2, 3, 2, 5}},
        Case{4, 4, {.kernel = 3, .padding = 1, .groups = 4}, {2, 4, 3, 4}}}) {
    const Conv2d<double> layer{conv.inputs, conv.outputs, conv.options};
    const ops::Conv2dOptions options{.padding = conv.options.padding, .groups = conv.options.groups};
    for (const auto& way : testing::with_each_algorithm<double>(conv.x, layer.weight.value.shape(), options)) {
      Conv2dOptions with_way = conv.options;
      with_way.algorithm = way.algorithm;
      EXPECT_TRUE(gradcheck(Conv2d<double>{conv.inputs, conv.outputs, with_way}, conv.x))
          << layer.description() << ' ' << way.algorithm;
    }
  }
}

TEST(Conv2d, MatchesPyTorch) {
  const testing::Golden golden("conv2d");
  using testing::expect_matches_pytorch;
  expect_matches_pytorch(golden, "padded", []<class T>() { return Conv2d<T>{3, 5, {.kernel = 3, .padding = 1}}; });
  expect_matches_pytorch(golden, "pointwise", []<class T>() { return Conv2d<T>{6, 4, {.kernel = 1}}; });
  expect_matches_pytorch(golden, "stride", []<class T>() {
    return Conv2d<T>{4, 3, {.kernel = 3, .stride = 2, .padding = 1}};
  });
  expect_matches_pytorch(golden, "rectangular", []<class T>() {
    return Conv2d<T>{2, 4, {.kernel = {2, 5}, .stride = {2, 1}, .padding = {0, 3}, .dilation = {3, 1}}};
  });
  expect_matches_pytorch(golden, "dilation", []<class T>() {
    return Conv2d<T>{3, 2, {.kernel = 3, .stride = {1, 2}, .padding = 2, .dilation = {2, 3}}};
  });
  expect_matches_pytorch(golden, "groups", []<class T>() {
    return Conv2d<T>{6, 4, {.kernel = 3, .padding = 1, .groups = 2}};
  });
  expect_matches_pytorch(golden, "depthwise", []<class T>() {
    return Conv2d<T>{4, 8, {.kernel = 3, .stride = 2, .padding = 1, .groups = 4}};
  });
  expect_matches_pytorch(golden, "without_bias", []<class T>() {
    return Conv2d<T>{3, 4, {.kernel = 5, .padding = 2, .bias = false}};
  });
}

TEST(Conv2d, StartsAsPyTorchDoes) {
  manual_seed(1);
  const Conv2d<float> layer{32, 64, {.kernel = 3}};
  EXPECT_EQ(layer.weight.value.shape(), (Shape{64, 3, 3, 32}));
  for (const Parameter<float>* parameter : {&layer.weight, &layer.bias}) {
    const auto values = parameter->value.array();
    EXPECT_LE(values.abs().maxCoeff(), 1.0F / std::sqrt(288.0F));
    EXPECT_GT(values.abs().maxCoeff(), 0.9F / std::sqrt(288.0F));
  }
  const Conv2d<float> grouped{32, 64, {.kernel = 3, .groups = 8}};  // fan_in counts the inputs of one group
  EXPECT_GT(grouped.weight.value.array().abs().maxCoeff(), 0.9F / std::sqrt(36.0F));
}

TEST(Conv2d, InferenceRemembersNothing) {
  Conv2d<float> layer{3, 2, {.kernel = 3}};
  auto x = testing::random<float>({1, 5, 5, 3}, 1);
  layer.forward(x, Mode::inference);
  EXPECT_TRUE(x.unique());
  EXPECT_THROW(layer.backward(testing::random<float>({1, 3, 3, 2}, 2)), StateError);
}

TEST(Conv2d, RefusesWrongOptionsWhenItIsBuilt) {
  EXPECT_EQ(message_of([] {
              Conv2d<float>{6, 8, {.kernel = 3, .groups = 4}};
            }),
            "Conv2d 6->8 3x3 groups 4: input channels are 6, expected a multiple of groups, 4");
  EXPECT_EQ(message_of([] {
              Conv2d<float>{8, 6, {.kernel = 3, .groups = 4}};
            }),
            "Conv2d 8->6 3x3 groups 4: output channels are 6, expected a multiple of groups, 4");
  EXPECT_EQ(message_of([] {
              Conv2d<float>{3, 8, {.kernel = 3, .stride = 0}};
            }),
            "Conv2d 3->8 3x3 stride 0x0: stride is 0x0, expected 1 or more");
  EXPECT_EQ(message_of([] {
              Conv2d<float>{3, 8, {.kernel = {3, 0}}};
            }),
            "Conv2d 3->8 3x0: kernel is 3x0, expected 1 or more");
  EXPECT_EQ(message_of([] { Conv2d<float>{3, 8, {}}; }), "Conv2d 3->8 0x0: kernel is 0x0, expected 1 or more");
  EXPECT_THROW((Conv2d<float>{3, 8, {.kernel = 3, .padding = -1}}), ValueError);
  EXPECT_THROW((Conv2d<float>{3, 8, {.kernel = 3, .dilation = 0}}), ValueError);
  EXPECT_THROW((Conv2d<float>{3, 8, {.kernel = 3, .groups = 0}}), ValueError);
  EXPECT_THROW((Conv2d<float>{0, 8, {.kernel = 3}}), ValueError);
  EXPECT_THROW((Conv2d<float>{3, -8, {.kernel = 3}}), ValueError);
}

TEST(Conv2d, RefusesInputsThatDoNotFit) {
  Conv2d<float> layer{3, 8, {.kernel = 5, .padding = 1}};
  EXPECT_EQ(message_of([&] {
              layer.output_shape({2, 8, 8, 4});
            }),
            "Conv2d 3->8 5x5 padding 1x1: input has 4 channels, expected 3; input shape (2, 8, 8, 4)");
  EXPECT_EQ(message_of([&] {
              layer.output_shape({2, 2, 8, 3});
            }),
            "Conv2d 3->8 5x5 padding 1x1: window of 5x5 pixels, expected at most 4x10, the padded image; input shape "
            "(2, 2, 8, 3)");
  EXPECT_THROW(layer.output_shape({8, 8, 3}), ShapeError);
  EXPECT_THROW(layer.forward(Tensor<float>::ones({2, 8, 8, 4}), Mode::train), ShapeError);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({2, 6, 6, 8})), StateError);
  layer.forward(Tensor<float>::ones({2, 8, 8, 3}), Mode::train);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({2, 6, 6, 7})), ShapeError);
  EXPECT_FALSE(layer.weight.has_grad());
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
