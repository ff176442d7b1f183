// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/conv2d.hpp>

#include "support/direct_conv2d.hpp"
#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::ops {
namespace {

using testing::difference;
using testing::message_of;
using testing::random;

struct Case {
  const char* name;
  Shape x;
  Shape weight;
  Conv2dOptions options;
};

const Case kCases[] = {
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
    {"many_channels", {2, 4, 4, 130}, {70, 3, 3, 130}, {.padding = 1}},
    {"many_pixels", {8, 20, 20, 3}, {16, 3, 3, 3}, {.padding = 1}},
};

class Conv2dOp : public ::testing::TestWithParam<Case> {};

TEST_P(Conv2dOp, MatchesLoops) {
  const auto& [name, x_shape, weight_shape, options] = GetParam();
  const auto x = random<double>(x_shape, 1);
  const auto weight = random<double>(weight_shape, 2);
  const auto bias = random<double>({weight_shape[0]}, 3);
  const Tensor<double> expected = testing::direct_conv2d(x, weight, bias, options);
  testing::poison<double>(expected.shape());
  EXPECT_LT(difference(conv2d(x, weight, bias, options), expected), 1e-13);
  testing::poison<double>(expected.shape());
  EXPECT_LT(difference(conv2d(x, weight, {}, options), testing::direct_conv2d(x, weight, {}, options)), 1e-13);
}

TEST_P(Conv2dOp, BackwardMatchesLoops) {
  const auto& [name, x_shape, weight_shape, options] = GetParam();
  const auto x = random<double>(x_shape, 1);
  const auto weight = random<double>(weight_shape, 2);
  const auto dy = random<double>(testing::direct_conv2d(x, weight, {}, options).shape(), 4);
  const auto expected = testing::direct_conv2d_backward(dy, x, weight, options);
  testing::poison<double>(x.shape());
  EXPECT_LT(difference(conv2d_backward_input(dy, weight, x.shape(), options), expected.dx), 1e-13);
  testing::poison<double>(weight.shape());
  const Size2d kernel{weight.size(1), weight.size(2)};
  EXPECT_LT(difference(conv2d_backward_weight(dy, x, kernel, options), expected.dw), 1e-13);
  testing::poison<double>({weight.size(0)});
  EXPECT_LT(difference(conv2d_backward_bias(dy), expected.db), 1e-13);
}

TEST_P(Conv2dOp, GivesTheSameBitsForAnyNumberOfThreads) {
  const auto& [name, x_shape, weight_shape, options] = GetParam();
  const auto x = random<float>(x_shape.with(0, 16), 1);
  const auto weight = random<float>(weight_shape, 2);
  const auto bias = random<float>({weight_shape[0]}, 3);
  Tensor<float> y, dx, dw, db;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const Tensor<float> out = conv2d(x, weight, bias, options);
    const auto dy = random<float>(out.shape(), 4);
    const Tensor<float> by_x = conv2d_backward_input(dy, weight, x.shape(), options);
    const Tensor<float> by_w = conv2d_backward_weight(dy, x, {weight.size(1), weight.size(2)}, options);
    const Tensor<float> by_b = conv2d_backward_bias(dy);
    if (threads > 1) {
      EXPECT_TRUE(equal(out, y) && equal(by_x, dx) && equal(by_w, dw) && equal(by_b, db)) << threads;
    }
    y = out, dx = by_x, dw = by_w, db = by_b;
  }
  set_num_threads(0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Conv2dOp, ::testing::ValuesIn(kCases),
                         [](const auto& conv) { return std::string("of_") + conv.param.name; });

TEST(Conv2dOp, NoImagesGiveNoOutputAndNoGradient) {
  const auto weight = random<double>({4, 3, 3, 2}, 2);
  EXPECT_EQ(conv2d(Tensor<double>({0, 5, 5, 2}), weight).shape(), (Shape{0, 3, 3, 4}));
  EXPECT_EQ(conv2d(Tensor<double>({0, 5, 5, 4}), weight, {}, {.groups = 2}).shape(), (Shape{0, 3, 3, 4}));
  EXPECT_TRUE(conv2d_backward_input(Tensor<double>({0, 3, 3, 4}), weight, {0, 5, 5, 4}, {.groups = 2}).empty());
  const Tensor<double> dw = conv2d_backward_weight(Tensor<double>({0, 3, 3, 4}), Tensor<double>({0, 5, 5, 2}), 3);
  EXPECT_TRUE(equal(dw, Tensor<double>::zeros({4, 3, 3, 2})));
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
}  // namespace eigengrad::ops
