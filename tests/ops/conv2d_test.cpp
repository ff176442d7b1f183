// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/conv2d.hpp>

#include "support/conv2d_algorithms.hpp"
#include "support/direct_conv2d.hpp"
#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::conv2d_test {
namespace {

using testing::Conv2dCase;
using testing::difference;
using testing::message_of;
using testing::random;

const Conv2dCase kConvolutions[] = {
    {"3x3", {2, 7, 6, 5}, {4, 3, 3, 5}, {.padding = 1}},
    {"one_pixel", {1, 1, 1, 1}, {1, 1, 1, 1}, {}},
    {"pointwise", {3, 5, 4, 17}, {33, 1, 1, 17}, {}},
    {"no_padding", {1, 9, 8, 3}, {16, 3, 3, 3}, {}},
    {"stride", {2, 9, 10, 6}, {7, 3, 3, 6}, {.stride = 2, .padding = 1}},
    {"stride_beyond_the_kernel", {2, 11, 11, 3}, {5, 2, 2, 3}, {.stride = 3}},
    {"rectangular", {2, 8, 11, 4}, {6, 2, 5, 4}, {.stride = {2, 1}, .padding = {0, 3}, .dilation = {3, 1}}},
    {"dilation", {1, 12, 10, 4}, {5, 3, 3, 4}, {.stride = {1, 2}, .padding = 2, .dilation = {2, 3}}},
    {"groups", {2, 6, 6, 12}, {8, 3, 3, 3}, {.padding = 1, .groups = 4}},
    {"depthwise", {2, 6, 5, 20}, {20, 3, 3, 1}, {.stride = 2, .padding = 1, .groups = 20}},
    {"smaller_than_the_kernel", {3, 2, 2, 40}, {50, 3, 3, 40}, {.padding = 1}},
    {"5x5", {1, 6, 6, 32}, {48, 5, 5, 32}, {.padding = 2}},
    {"one_pixel_under_3x3", {5, 1, 1, 18}, {7, 3, 3, 18}, {.padding = 1}},
    {"few_pixels_and_a_stride", {2, 2, 3, 9}, {17, 3, 3, 9}, {.stride = 2, .padding = 1}},
    {"pointwise_and_a_stride", {2, 7, 6, 19}, {18, 1, 1, 19}, {.stride = {2, 3}}},
    {"pointwise_and_padding", {2, 3, 4, 5}, {6, 1, 1, 5}, {.padding = 1}},
    {"pointwise_groups", {3, 5, 4, 34}, {51, 1, 1, 2}, {.groups = 17}},
    {"stride_and_dilation", {2, 13, 12, 20}, {17, 3, 3, 20}, {.stride = {3, 2}, .padding = 3, .dilation = {2, 3}}},
    {"stride_beyond_the_image", {2, 3, 3, 4}, {5, 2, 3, 4}, {.stride = {4, 7}, .padding = {0, 2}}},
    {"stride_and_groups", {2, 8, 7, 12}, {15, 3, 3, 4}, {.stride = 2, .padding = 1, .groups = 3}},
    {"padding_beyond_the_kernel", {1, 3, 4, 6}, {5, 2, 2, 6}, {.stride = 2, .padding = 4}},
    {"depthwise_3x3", {2, 9, 13, 37}, {37, 3, 3, 1}, {.padding = 1, .groups = 37}},
    {"depthwise_few_channels", {2, 5, 7, 3}, {3, 3, 3, 1}, {.padding = 1, .groups = 3}},
    {"depthwise_5x3", {1, 8, 21, 16}, {16, 5, 3, 1}, {.stride = {1, 3}, .padding = {4, 2}, .groups = 16}},
    {"depthwise_dilation", {2, 11, 10, 9}, {9, 3, 4, 1}, {.padding = 2, .dilation = {2, 3}, .groups = 9}},
    {"depthwise_stride_and_dilation",
     {2, 9, 11, 6},
     {6, 3, 3, 1},
     {.stride = {2, 3}, .padding = 3, .dilation = {3, 2}, .groups = 6}},
    {"depthwise_two_outputs", {2, 6, 5, 11}, {22, 3, 3, 1}, {.padding = 1, .groups = 11}},
    {"depthwise_three_outputs_and_a_stride", {2, 6, 5, 5}, {15, 2, 3, 1}, {.stride = 2, .padding = 1, .groups = 5}},
    {"depthwise_pointwise", {2, 4, 5, 18}, {18, 1, 1, 1}, {.groups = 18}},
    {"depthwise_one_pixel", {3, 1, 1, 20}, {20, 3, 3, 1}, {.padding = 1, .groups = 20}},
    {"merged_groups", {2, 7, 6, 12}, {24, 3, 3, 2}, {.padding = 1, .groups = 6}},
    {"merged_groups_and_a_stride", {2, 7, 6, 15}, {10, 3, 2, 3}, {.stride = 2, .padding = 1, .groups = 5}},
    {"few_channels_and_a_stride", {2, 11, 13, 3}, {35, 5, 3, 3}, {.stride = {2, 3}, .padding = {2, 1}}},
    {"few_channels_and_dilation", {2, 9, 10, 2}, {64, 3, 3, 2}, {.padding = {4, 2}, .dilation = {2, 3}}},
    {"few_channels_and_many_outputs", {1, 6, 9, 1}, {150, 3, 4, 1}, {.padding = 2}},
    {"few_channels_7x7", {1, 17, 19, 3}, {64, 7, 7, 3}, {.stride = 2, .padding = 3}},
    {"few_channels_pointwise", {2, 3, 5, 3}, {7, 1, 1, 3}, {}},
    {"few_channels_in_many_bands", {4, 40, 33, 3}, {48, 3, 3, 3}, {.padding = 1}},
    {"many_channels", {2, 4, 4, 130}, {70, 3, 3, 130}, {.padding = 1}},
    {"many_pixels", {8, 20, 20, 3}, {16, 3, 3, 3}, {.padding = 1}},
};

/// The options with each algorithm that computes a convolution, and with the fastest.
template <class T>
std::vector<Conv2dOptions> ways(const Tensor<T>& x, const Tensor<T>& weight, const Conv2dOptions& options) {
  std::vector<Conv2dOptions> result = testing::with_each_algorithm<T>(x.shape(), weight.shape(), options);
  result.push_back(options);
  return result;
}

class Conv2dOp : public ::testing::TestWithParam<Conv2dCase> {};

TEST_P(Conv2dOp, MatchesLoops) {
  const auto& [name, x_shape, weight_shape, options] = GetParam();
  const auto x = random<double>(x_shape, 1);
  const auto weight = random<double>(weight_shape, 2);
  const auto bias = random<double>({weight_shape[0]}, 3);
  const Tensor<double> expected = testing::direct_conv2d(x, weight, bias, options);
  const Tensor<double> without_bias = testing::direct_conv2d(x, weight, {}, options);
  for (const Conv2dOptions& way : ways(x, weight, options)) {
    SCOPED_TRACE(way.algorithm);
    testing::poison<double>(expected.shape());
    EXPECT_LT(difference(conv2d(x, weight, bias, way), expected), 1e-13);
    testing::poison<double>(expected.shape());
    EXPECT_LT(difference(conv2d(x, weight, {}, way), without_bias), 1e-13);
    testing::poison<float>(expected.shape());
    const auto y = conv2d(x.cast<float>(), weight.cast<float>(), bias.cast<float>(), way);
    EXPECT_LT(difference(y.cast<double>(), expected), 1e-5);
  }
}

TEST_P(Conv2dOp, BackwardMatchesLoops) {
  const auto& [name, x_shape, weight_shape, options] = GetParam();
  const auto x = random<double>(x_shape, 1);
  const auto weight = random<double>(weight_shape, 2);
  const auto dy = random<double>(testing::direct_conv2d(x, weight, {}, options).shape(), 4);
  const auto expected = testing::direct_conv2d_backward(dy, x, weight, options);
  const Size2d kernel{weight.size(1), weight.size(2)};
  for (const Conv2dOptions& way : ways(x, weight, options)) {
    SCOPED_TRACE(way.algorithm);
    testing::poison<double>(x.shape());
    EXPECT_LT(difference(conv2d_backward_input(dy, weight, x.shape(), way), expected.dx), 1e-13);
    testing::poison<double>(weight.shape());
    EXPECT_LT(difference(conv2d_backward_weight(dy, x, kernel, way), expected.dw), 1e-13);
    testing::poison<float>(x.shape());
    const auto dx = conv2d_backward_input(dy.cast<float>(), weight.cast<float>(), x.shape(), way);
    EXPECT_LT(difference(dx.cast<double>(), expected.dx), 1e-5);
    testing::poison<float>(weight.shape());
    const auto dw = conv2d_backward_weight(dy.cast<float>(), x.cast<float>(), kernel, way);
    EXPECT_LT(difference(dw.cast<double>(), expected.dw), 1e-5);
  }
  testing::poison<double>({weight.size(0)});
  EXPECT_LT(difference(conv2d_backward_bias(dy), expected.db), 1e-13);
}

TEST_P(Conv2dOp, GivesTheSameBitsForAnyNumberOfThreads) {
  const auto& [name, x_shape, weight_shape, options] = GetParam();
  const auto x = random<float>(x_shape.with(0, 16), 1);
  const auto weight = random<float>(weight_shape, 2);
  const auto bias = random<float>({weight_shape[0]}, 3);
  Tensor<float> y, dx, dw, db;
  for (const Conv2dOptions& way : ways(x, weight, options)) {
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      const Tensor<float> out = conv2d(x, weight, bias, way);
      const auto dy = random<float>(out.shape(), 4);
      const Tensor<float> by_x = conv2d_backward_input(dy, weight, x.shape(), way);
      const Tensor<float> by_w = conv2d_backward_weight(dy, x, {weight.size(1), weight.size(2)}, way);
      const Tensor<float> by_b = conv2d_backward_bias(dy);
      if (threads > 1) {
        EXPECT_TRUE(equal(out, y) && equal(by_x, dx) && equal(by_w, dw) && equal(by_b, db))
            << way.algorithm << ", " << threads << " threads";
      }
      y = out, dx = by_x, dw = by_w, db = by_b;
    }
  }
  set_num_threads(0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Conv2dOp, ::testing::ValuesIn(kConvolutions),
                         [](const auto& conv) { return std::string("of_") + conv.param.name; });

TEST(Conv2dOp, NoImagesGiveNoOutputAndNoGradient) {
  const auto weight = random<double>({4, 3, 3, 2}, 2);
  EXPECT_EQ(conv2d(Tensor<double>({0, 5, 5, 2}), weight).shape(), (Shape{0, 3, 3, 4}));
  EXPECT_EQ(conv2d(Tensor<double>({0, 5, 5, 4}), weight, {}, {.groups = 2}).shape(), (Shape{0, 3, 3, 4}));
  EXPECT_TRUE(conv2d_backward_input(Tensor<double>({0, 3, 3, 4}), weight, {0, 5, 5, 4}, {.groups = 2}).empty());
  const Tensor<double> dw = conv2d_backward_weight(Tensor<double>({0, 3, 3, 4}), Tensor<double>({0, 5, 5, 2}), 3);
  EXPECT_TRUE(equal(dw, Tensor<double>::zeros({4, 3, 3, 2})));
}

TEST_P(Conv2dOp, TakesNoImages) {
  const auto& [name, x_shape, weight_shape, options] = GetParam();
  const auto weight = random<double>(weight_shape, 2);
  const Tensor<double> x(x_shape.with(0, 0));
  for (const Conv2dOptions& way : ways(x, weight, options)) {
    SCOPED_TRACE(way.algorithm);
    const Tensor<double> dy = conv2d(x, weight, random<double>({weight_shape[0]}, 3), way);
    EXPECT_EQ(dy.shape(), testing::direct_conv2d(x, weight, {}, options).shape());
    EXPECT_EQ(conv2d_backward_input(dy, weight, x.shape(), way).shape(), x.shape());
    testing::poison<double>(weight_shape);
    const Tensor<double> dw = conv2d_backward_weight(dy, x, {weight.size(1), weight.size(2)}, way);
    EXPECT_TRUE(equal(dw, Tensor<double>::zeros(weight_shape)));
  }
}

TEST(Conv2dOp, RefusesWhatDoesNotFit) {
  const auto x = random<float>({2, 6, 6, 4}, 1);
  const auto weight = random<float>({8, 3, 3, 4}, 2);
  EXPECT_EQ(message_of([&] {
              conv2d(random<float>({2, 6, 6, 3}, 1), weight);
            }),
            "conv2d: input has 3 channels, expected 4; input shape (2, 6, 6, 3)");
  EXPECT_EQ(message_of([&] {
              conv2d(random<float>({2, 6, 4}, 1), weight);
            }),
            "conv2d: input has 3 axes, expected 4: (N, H, W, C); input shape (2, 6, 4)");
  EXPECT_EQ(message_of([&] {
              conv2d(random<float>({1, 2, 6, 4}, 1), weight);
            }),
            "conv2d: window of 3x3 pixels, expected at most 2x6, the padded image; input shape (1, 2, 6, 4)");
  EXPECT_EQ(message_of([&] { conv2d(x, weight, {}, {.stride = 0}); }), "conv2d: stride is 0x0, expected 1 or more");
  EXPECT_EQ(message_of([&] {
              conv2d(x, weight, {}, {.padding = {0, -1}});
            }),
            "conv2d: padding is 0x-1, expected 0 or more");
  EXPECT_EQ(message_of([&] { conv2d(x, weight, {}, {.dilation = 0}); }), "conv2d: dilation is 0x0, expected 1 or more");
  EXPECT_EQ(message_of([&] {
              conv2d(x, random<float>({9, 3, 3, 2}, 2), {}, {.groups = 2});
            }),
            "conv2d: output channels are 9, expected a multiple of groups, 2");
  EXPECT_EQ(message_of([&] { conv2d(x, weight, {}, {.dilation = Index{1} << 62}); }),
            "conv2d: dilation is 4611686018427387904x4611686018427387904, expected 1073741824 or less");
  EXPECT_EQ(message_of([&] {
              conv2d_backward_weight(x, x, {-3, 3});
            }),
            "conv2d_backward_weight: kernel is -3x3, expected 1 or more");
  EXPECT_THROW(conv2d(x, weight, {}, {.groups = 0}), ValueError);
  EXPECT_THROW(conv2d(x, weight, random<float>({4}, 1)), ShapeError);
  EXPECT_THROW(conv2d(x, random<float>({8, 3, 4}, 2)), ShapeError);
  EXPECT_THROW(conv2d_backward_input(random<float>({2, 4, 4, 7}, 1), weight, x.shape()), ShapeError);
  EXPECT_THROW(conv2d_backward_weight(random<float>({2, 5, 4, 8}, 1), x, 3), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::conv2d_test
