// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/max_pool2d.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::ops {
namespace {

using testing::message_of;
using testing::random;

const std::pair<Shape, Window> kCases[] = {
    {{2, 4, 4, 3}, {.kernel = 2, .stride = 2}},
    {{2, 7, 6, 5}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{1, 1, 1, 1}, {.kernel = 1}},
    {{3, 9, 5, 17}, {.kernel = {3, 2}, .stride = {1, 3}, .padding = {1, 0}}},
    {{1, 5, 5, 4}, {.kernel = 2, .stride = 4}},
    {{4, 2, 2, 33}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{0, 4, 4, 3}, {.kernel = 2, .stride = 2}},
    {{5, 40, 30, 16}, {.kernel = 3, .stride = 2, .padding = 1}},
};

/// The pixel (h, w) with the largest value under the window at (p, q), the first of equals.
std::pair<Index, Index> winner(const Tensor<double>& x, const Window& window, Index n, Index p, Index q, Index c) {
  std::pair<Index, Index> best{-1, -1};
  for (Index r = 0; r < window.kernel.height; ++r) {
    for (Index s = 0; s < window.kernel.width; ++s) {
      const Index h = p * window.stride.height - window.padding.height + r;
      const Index w = q * window.stride.width - window.padding.width + s;
      if (h < 0 || h >= x.size(1) || w < 0 || w >= x.size(2)) continue;
      if (best.first < 0 || x(n, h, w, c) > x(n, best.first, best.second, c)) best = {h, w};
    }
  }
  return best;
}

TEST(MaxPool2dOp, MatchesLoops) {
  for (const auto& [shape, window] : kCases) {
    const auto x = random<double>(shape, 1);
    const Shape out = window.output("test", shape);
    const auto dy = random<double>(out, 2);
    Tensor<double> y(out);
    Tensor<double> dx = Tensor<double>::zeros(shape);
    double* value = y.mutable_data();
    const double* gradient = dy.data();
    for (Index n = 0; n < out[0]; ++n)
      for (Index p = 0; p < out[1]; ++p)
        for (Index q = 0; q < out[2]; ++q)
          for (Index c = 0; c < out[3]; ++c) {
            const auto [h, w] = winner(x, window, n, p, q, c);
            *value++ = x(n, h, w, c);
            dx.mutable_data()[((n * shape[1] + h) * shape[2] + w) * shape[3] + c] += *gradient++;
          }
    testing::poison<double>(out);
    const auto result = max_pool2d(x, window);
    EXPECT_TRUE(equal(result.y, y)) << shape;
    testing::poison<double>(shape);
    EXPECT_LE(testing::difference(max_pool2d_backward(dy, result.taps, shape, window), dx), 1e-15) << shape;
  }
}

TEST(MaxPool2dOp, TheFirstOfEqualsWinsAndNaNWins) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double low = -std::numeric_limits<double>::infinity();
  const Window window{.kernel = {1, 3}, .stride = {1, 3}};
  const Tensor<double> x({1, 1, 9, 1}, {2, 2, 1, 5, nan, 7, low, low, low});
  const auto [y, taps] = max_pool2d(x, window);
  EXPECT_EQ(y(0, 0, 0, 0), 2.0);
  EXPECT_TRUE(std::isnan(y(0, 0, 1, 0)));
  EXPECT_EQ(y(0, 0, 2, 0), low);
  EXPECT_TRUE(equal(taps, Tensor<std::int32_t>({1, 1, 3, 1}, {0, 1, 0})));
}

TEST(MaxPool2dOp, RefusesWhatDoesNotFit) {
  const auto x = random<float>({2, 4, 4, 3}, 1);
  EXPECT_EQ(message_of([&] { max_pool2d(x, {.kernel = 5, .stride = 1}); }),
            "max_pool2d: window of 5x5 pixels, expected at most 4x4, the padded image; input shape (2, 4, 4, 3)");
  EXPECT_EQ(message_of([&] { max_pool2d(x, {.kernel = 2, .stride = 0}); }),
            "max_pool2d: stride is 0x0, expected 1 or more");
  EXPECT_EQ(message_of([&] {
              max_pool2d(x, {.kernel = 3, .stride = 1, .padding = {1, 2}});
            }),
            "max_pool2d: padding is 1x2, expected at most half the kernel, which is 3x3");
  EXPECT_EQ(message_of([&] { max_pool2d(x, {.kernel = 2, .stride = 1, .padding = 1, .dilation = 3}); }),
            "max_pool2d: dilation is 3x3, expected 1x1 in pooling");
  const Window window{.kernel = 2, .stride = 2};
  const auto taps = max_pool2d(x, window).taps;
  EXPECT_EQ(message_of([&] {
              max_pool2d(Tensor<float>({1, 0, 2, 1}), {.kernel = 2, .stride = 1, .padding = 1});
            }),
            "max_pool2d: input has shape (1, 0, 2, 1), expected (N, H, W, C) with pixels");
  EXPECT_EQ(message_of([&] { max_pool2d_backward(x, taps, x.shape(), {.kernel = 2, .stride = 0}); }),
            "max_pool2d_backward: stride is 0x0, expected 1 or more");
  EXPECT_THROW(max_pool2d_backward(random<float>({2, 2, 3, 3}, 1), taps, x.shape(), window), ShapeError);
  EXPECT_THROW(max_pool2d_backward(random<float>({2, 3, 3, 3}, 1), taps, {2, 6, 6, 3}, window), ShapeError);
}

}  // namespace
}  // namespace eigengrad::ops
