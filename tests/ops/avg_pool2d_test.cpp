// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/avg_pool2d.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::avg_pool2d_test {
namespace {

using testing::message_of;
using testing::random;

const std::pair<Shape, Window> kAveragePools[] = {
    {{2, 4, 4, 3}, {.kernel = 2, .stride = 2}},
    {{2, 7, 6, 5}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{1, 1, 1, 1}, {.kernel = 1}},
    {{3, 9, 5, 17}, {.kernel = {3, 4}, .stride = {1, 3}, .padding = {1, 2}}},
    {{1, 5, 5, 4}, {.kernel = 2, .stride = 4}},
    {{5, 40, 30, 16}, {.kernel = 3, .stride = 2, .padding = 1}},
};

TEST(AvgPool2dOp, MatchesLoops) {
  for (const auto& [shape, window] : kAveragePools) {
    for (const bool count_include_pad : {true, false}) {
      const auto x = random<double>(shape, 1);
      const Shape out = window.output("test", shape);
      const auto dy = random<double>(out, 2);
      Tensor<double> y = Tensor<double>::zeros(out);
      Tensor<double> dx = Tensor<double>::zeros(shape);
      Index at = 0;
      for (Index n = 0; n < out[0]; ++n)
        for (Index p = 0; p < out[1]; ++p)
          for (Index q = 0; q < out[2]; ++q)
            for (Index c = 0; c < out[3]; ++c, ++at) {
              std::vector<Index> pixels;
              for (Index r = 0; r < window.kernel.height; ++r)
                for (Index s = 0; s < window.kernel.width; ++s) {
                  const Index h = p * window.stride.height - window.padding.height + r;
                  const Index w = q * window.stride.width - window.padding.width + s;
                  if (h < 0 || h >= shape[1] || w < 0 || w >= shape[2]) continue;
                  pixels.push_back(((n * shape[1] + h) * shape[2] + w) * shape[3] + c);
                }
              const double count =
                  count_include_pad ? static_cast<double>(window.kernel.area()) : static_cast<double>(pixels.size());
              for (const Index pixel : pixels) {
                y.mutable_data()[at] += x.data()[pixel] / count;
                dx.mutable_data()[pixel] += dy.data()[at] / count;
              }
            }
      const AvgPool2dOptions options{count_include_pad};
      testing::poison<double>(out);
      EXPECT_LT(testing::difference(avg_pool2d(x, window, options), y), 1e-14) << shape;
      testing::poison<double>(shape);
      EXPECT_LT(testing::difference(avg_pool2d_backward(dy, shape, window, options), dx), 1e-14) << shape;
    }
  }
}

TEST(AvgPool2dOp, RefusesWhatDoesNotFit) {
  const auto x = random<float>({2, 4, 4, 3}, 1);
  EXPECT_EQ(message_of([&] {
              avg_pool2d(x, {.kernel = {2, 5}});
            }),
            "avg_pool2d: window of 2x5 pixels, expected at most 4x4, the padded image; input shape (2, 4, 4, 3)");
  EXPECT_EQ(message_of([&] { avg_pool2d(x, {.kernel = 0}); }), "avg_pool2d: kernel is 0x0, expected 1 or more");
  EXPECT_THROW(avg_pool2d(x, {.kernel = 2, .padding = 2}), ValueError);
  EXPECT_THROW(avg_pool2d_backward(x, {2, 4, 4, 3}, {.kernel = 2}), ShapeError);
  EXPECT_THROW(avg_pool2d_backward(x, {2, 4, 4, 3}, {.kernel = 2, .stride = 0}), ValueError);
  EXPECT_THROW(avg_pool2d(Tensor<float>({1, 2, 0, 1}), {.kernel = 2, .padding = 1}), ShapeError);
}

TEST(GlobalAvgPool2dOp, MatchesLoops) {
  for (const Shape& shape : {Shape{3, 4, 5, 7}, Shape{1, 1, 1, 2}, Shape{0, 2, 2, 3}, Shape{2, 33, 40, 16}}) {
    const auto x = random<double>(shape, 1);
    const auto dy = random<double>({shape[0], shape[3]}, 2);
    const auto pixels = static_cast<double>(shape[1] * shape[2]);
    Tensor<double> y = Tensor<double>::zeros({shape[0], shape[3]});
    Tensor<double> dx(shape);
    for (Index i = 0; i < x.numel(); ++i) {
      const Index at = i / (shape[1] * shape[2] * shape[3]) * shape[3] + i % shape[3];
      y.mutable_data()[at] += x.data()[i] / pixels;
      dx.mutable_data()[i] = dy.data()[at] / pixels;
    }
    testing::poison<double>(y.shape());
    EXPECT_LE(testing::difference(global_avg_pool2d(x), y), 1e-13) << shape;
    testing::poison<double>(shape);
    EXPECT_LE(testing::difference(global_avg_pool2d_backward(dy, shape), dx), 1e-15) << shape;
  }
}

TEST(GlobalAvgPool2dOp, RefusesWhatIsNoImage) {
  EXPECT_EQ(message_of([] {
              global_avg_pool2d(Tensor<float>::ones({2, 0, 3, 4}));
            }),
            "global_avg_pool2d: input has shape (2, 0, 3, 4), expected (N, H, W, C) with pixels");
  EXPECT_THROW(global_avg_pool2d(Tensor<float>::ones({2, 3})), ShapeError);
  EXPECT_THROW(global_avg_pool2d_backward(Tensor<float>::ones({2, 3}), {2, 5, 5, 4}), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::avg_pool2d_test
