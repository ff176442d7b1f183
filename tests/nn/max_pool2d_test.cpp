// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/max_pool2d.hpp>

#include "support/layer_parity.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<MaxPool2d<float>> && Layer<MaxPool2d<double>>);

TEST(MaxPool2d, Gradcheck) {
  EXPECT_TRUE(gradcheck(MaxPool2d<double>{{.kernel = 2}}, {2, 4, 4, 3}));
  EXPECT_TRUE(gradcheck(MaxPool2d<double>{{.kernel = 3, .stride = 2, .padding = 1}}, {2, 5, 4, 2}));
  EXPECT_TRUE(gradcheck(MaxPool2d<double>{{.kernel = {3, 2}, .stride = 1}}, {1, 3, 4, 1}));
  EXPECT_TRUE(gradcheck(MaxPool2d<double>{{.kernel = 2}}, {1, 3, 3, 2}, {.mode = Mode::eval}));
}

TEST(MaxPool2d, MatchesPyTorch) {
  const testing::Golden golden("pooling");
  using testing::expect_matches_pytorch;
  expect_matches_pytorch(golden, "max", []<class T>() { return MaxPool2d<T>{{.kernel = 2}}; });
  expect_matches_pytorch(golden, "max_overlapping",
                         []<class T>() { return MaxPool2d<T>{{.kernel = 3, .stride = 2, .padding = 1}}; });
  expect_matches_pytorch(golden, "max_rectangular", []<class T>() {
    return MaxPool2d<T>{{.kernel = {3, 2}, .stride = {{1, 3}}, .padding = {1, 0}}};
  });
}

TEST(MaxPool2d, RefusesWrongUse) {
  using testing::message_of;
  EXPECT_EQ(message_of([] { MaxPool2d<float>{{.kernel = 3, .stride = 0}}; }),
            "MaxPool2d 3x3 stride 0x0: stride is 0x0, expected 1 or more");
  EXPECT_THROW(MaxPool2d<float>{{}}, ValueError);
  EXPECT_EQ(message_of([] { MaxPool2d<float>{{.kernel = 2, .padding = 2}}; }),
            "MaxPool2d 2x2 stride 2x2: padding is 2x2, expected at most half the kernel, which is 2x2");
  EXPECT_EQ(message_of([] {
              MaxPool2d<float>{{.kernel = {4096, 4097}}};
            }),
            "MaxPool2d 4096x4097 stride 4096x4097: kernel is 4096x4097, expected at most 16777216 taps");
  EXPECT_NO_THROW((MaxPool2d<float>{{.kernel = 4096}}));
  EXPECT_NO_THROW((MaxPool2d<double>{{.kernel = {4096, 4097}}}));
  MaxPool2d<float> layer{{.kernel = 3}};
  EXPECT_EQ(message_of([&] {
              layer.output_shape({2, 2, 5, 1});
            }),
            "MaxPool2d 3x3 stride 3x3: window of 3x3 pixels, expected at most 2x5, the padded image; "
            "input shape (2, 2, 5, 1)");
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1, 1, 1})), StateError);
  layer.forward(Tensor<float>::ones({1, 3, 3, 1}), Mode::inference);
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1, 1, 1})), StateError);
  layer.forward(Tensor<float>::ones({1, 3, 3, 1}), Mode::train);
  EXPECT_THROW(layer.forward(Tensor<float>::ones({1, 2, 3, 1}), Mode::train), ShapeError);
  EXPECT_EQ(layer.backward(Tensor<float>::ones({1, 1, 1, 1})).shape(), (Shape{1, 3, 3, 1}));  // forgot nothing
  EXPECT_THROW(layer.backward(Tensor<float>::ones({1, 1, 2, 1})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
