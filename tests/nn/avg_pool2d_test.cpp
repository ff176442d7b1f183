// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/avg_pool2d.hpp>

#include "support/layer_parity.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<AvgPool2d<float>> && Layer<GlobalAvgPool2d<double>>);

TEST(AvgPool2d, Gradcheck) {
  EXPECT_TRUE(gradcheck(AvgPool2d<double>{{.kernel = 2}}, {2, 4, 4, 3}));
  EXPECT_TRUE(gradcheck(AvgPool2d<double>{{.kernel = 3, .stride = 2, .padding = 1}}, {2, 5, 4, 2}));
  EXPECT_TRUE(gradcheck(
      AvgPool2d<double>{{.kernel = {3, 2}, .stride = 1, .padding = {1, 0}, .count_include_pad = false}}, {1, 3, 4, 1}));
  EXPECT_TRUE(gradcheck(AvgPool2d<double>{{.kernel = 1}}, {2, 1, 1, 3}, {.mode = Mode::eval}));
}

TEST(AvgPool2d, MatchesPyTorch) {
  const testing::Golden golden("pooling");
  using testing::expect_matches_pytorch;
  expect_matches_pytorch(golden, "avg", []<class T>() { return AvgPool2d<T>{{.kernel = 2}}; });
  expect_matches_pytorch(golden, "avg_overlapping",
                         []<class T>() { return AvgPool2d<T>{{.kernel = 3, .stride = 2, .padding = 1}}; });
  expect_matches_pytorch(golden, "avg_without_pad", []<class T>() {
    return AvgPool2d<T>{{.kernel = {3, 4}, .stride = {{2, 1}}, .padding = {1, 2}, .count_include_pad = false}};
  });
}

TEST(AvgPool2d, RefusesWrongUse) {
  using testing::message_of;
  EXPECT_EQ(message_of([] {
              AvgPool2d<float>{{.kernel = 3, .stride = {{1, 0}}}};
            }),
            "AvgPool2d 3x3 stride 1x0: stride is 1x0, expected 1 or more");
  AvgPool2d<float> layer{{.kernel = 3}};
  EXPECT_THROW(layer.output_shape({2, 2, 5, 1}), ShapeError);
  EXPECT_THROW(AvgPool2d<float>{{}}, ValueError);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1, 1, 1})), StateError);
  layer.forward(Tensor<float>::ones({1, 3, 3, 1}), Mode::inference);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1, 1, 1})), StateError);
  layer.forward(Tensor<float>::ones({1, 3, 3, 1}), Mode::train);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1, 2, 1})), ShapeError);
}

TEST(GlobalAvgPool2d, Gradcheck) {
  EXPECT_TRUE(gradcheck(GlobalAvgPool2d<double>{}, {2, 3, 4, 5}));
  EXPECT_TRUE(gradcheck(GlobalAvgPool2d<double>{}, {1, 1, 1, 2}, {.mode = Mode::eval}));
}

TEST(GlobalAvgPool2d, MatchesPyTorch) {
  testing::expect_matches_pytorch(testing::Golden("pooling"), "global", []<class T>() { return GlobalAvgPool2d<T>{}; });
}

TEST(GlobalAvgPool2d, RefusesWrongUse) {
  GlobalAvgPool2d<float> layer;
  EXPECT_EQ(testing::message_of([&] {
              layer.output_shape({2, 3});
            }),
            "GlobalAvgPool2d: input has shape (2, 3), expected (N, H, W, C) with pixels");
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1})), StateError);
  layer.forward(Tensor<float>::ones({1, 3, 3, 1}), Mode::inference);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1})), StateError);
  layer.forward(Tensor<float>::ones({1, 3, 3, 1}), Mode::train);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 2})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
