// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/ops/max_pool2d.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::max_pool2d_test {
namespace {

using testing::message_of;
using testing::random;

const std::pair<Shape, Window> kMaxPools[] = {
    {{2, 4, 4, 3}, {.kernel = 2, .stride = 2}},
    {{2, 7, 6, 5}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{1, 1, 1, 1}, {.kernel = 1}},
    {{3, 9, 5, 17}, {.kernel = {3, 2}, .stride = {1, 3}, .padding = {1, 0}}},
    {{1, 5, 5, 4}, {.kernel = 2, .stride = 4}},
    {{4, 2, 2, 33}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{0, 4, 4, 3}, {.kernel = 2, .stride = 2}},
    {{5, 40, 30, 16}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{2, 5, 6, 64}, {.kernel = 3, .stride = 2, .padding = 1}},
    {{2, 6, 5, 100}, {.kernel = 2, .stride = 1, .padding = 1}},
    {{2, 7, 9, 1}, {.kernel = {2, 5}, .stride = {3, 2}}},
    {{2, 20, 21, 3}, {.kernel = {18, 16}, .stride = 1, .padding = {9, 2}}},
    {{1, 40, 40, 17}, {.kernel = 40}},
};

/// The tap with the largest pixel under the window at (p, q), the first of equals, the last NaN where there are some,
/// and that pixel.
template <class T>
struct Winner {
  Index tap = -1, h = -1, w = -1;

  Winner(const Tensor<T>& x, const Window& window, Index n, Index p, Index q, Index c) {
    for (Index r = 0; r < window.kernel.height; ++r) {
      for (Index s = 0; s < window.kernel.width; ++s) {
        const Index row = p * window.stride.height - window.padding.height + r;
        const Index col = q * window.stride.width - window.padding.width + s;
        if (row < 0 || row >= x.size(1) || col < 0 || col >= x.size(2)) continue;
        const T pixel = x(n, row, col, c);
        if (tap < 0 || pixel > x(n, h, w, c) || std::isnan(pixel)) {
          tap = r * window.kernel.width + s;
          h = row;
          w = col;
        }
      }
    }
  }
};

template <class T>
void expect_matches_loops(const Tensor<T>& x, const Window& window) {
  const Shape shape = x.shape();
  const Shape out = window.output("test", shape);
  // Eighths, so that sums are exact in any order.
  auto dy = random<T>(out, 2);
  dy.mutable_array() = (dy.array() * T(8)).round() / T(8);
  Tensor<T> y(out), taps(out);
  Tensor<T> dx = Tensor<T>::zeros(shape);
  Index at = 0;
  for (Index n = 0; n < out[0]; ++n)
    for (Index p = 0; p < out[1]; ++p)
      for (Index q = 0; q < out[2]; ++q)
        for (Index c = 0; c < out[3]; ++c, ++at) {
          const Winner<T> winner(x, window, n, p, q, c);
          y.mutable_data()[at] = x(n, winner.h, winner.w, c);
          taps.mutable_data()[at] = static_cast<T>(winner.tap);
          dx.mutable_data()[((n * shape[1] + winner.h) * shape[2] + winner.w) * shape[3] + c] += dy.data()[at];
        }
  testing::poison<T>(out);
  const auto result = max_pool2d(x, window);
  for (Index i = 0; i < y.numel(); ++i) {
    const T got = result.y.data()[i], expected = y.data()[i];
    ASSERT_TRUE(got == expected || (std::isnan(got) && std::isnan(expected))) << shape << " at " << i;
  }
  EXPECT_TRUE(equal(result.taps, taps)) << shape;
  testing::poison<T>(shape);
  EXPECT_TRUE(equal(max_pool2d_backward(dy, result.taps, shape, window), dx)) << shape;
}

TEST(MaxPool2dOp, AWindowMovesByOneAndHasNoPaddingUnlessAsked) {
  EXPECT_EQ(Size2d(), Size2d(1, 1));
  const Window window{.kernel = {2, 3}};
  EXPECT_EQ(window.stride, Size2d(1, 1));
  EXPECT_EQ(window.padding, Size2d(0, 0));
  EXPECT_EQ(window.dilation, Size2d(1, 1));
}

TEST(MaxPool2dOp, MatchesLoops) {
  for (const auto& [shape, window] : kMaxPools) {
    expect_matches_loops(random<double>(shape, 1), window);
    expect_matches_loops(random<float>(shape, 1), window);
  }
}

// One pixel in three is one of few numbers, an infinity or NaN.
template <class T>
Tensor<T> with_ties_and_nan(const Shape& shape) {
  const T infinity = std::numeric_limits<T>::infinity();
  const T special[] = {T(0), -T(0), T(1), infinity, -infinity, std::numeric_limits<T>::quiet_NaN()};
  Rng rng(3);
  return Tensor<T>::generate(shape, [&] {
    const auto kind = static_cast<std::size_t>(rng.below(18));
    return kind < std::size(special) ? special[kind] : static_cast<T>(rng.below(3)) - T(1);
  });
}

TEST(MaxPool2dOp, TiesInfinitiesAndNaNInEveryLane) {
  for (const auto& [shape, window] : kMaxPools) {
    expect_matches_loops(with_ties_and_nan<double>(shape), window);
    expect_matches_loops(with_ties_and_nan<float>(shape), window);
  }
}

TEST(MaxPool2dOp, GivesTheSameBitsForAnyNumberOfThreads) {
  const Window window{.kernel = 3, .stride = 2, .padding = 1};
  const auto x = random<float>({8, 33, 32, 20}, 1);
  MaxPool2dResult<float> one;
  Tensor<float> dx;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const auto result = max_pool2d(x, window);
    const auto gradient = max_pool2d_backward(result.y, result.taps, x.shape(), window);
    if (threads > 1) {
      EXPECT_TRUE(equal(result.y, one.y) && equal(result.taps, one.taps) && equal(gradient, dx)) << threads;
    }
    one = result, dx = gradient;
  }
  set_num_threads(0);
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
  EXPECT_TRUE(equal(taps, Tensor<double>({1, 1, 3, 1}, {0, 1, 0})));
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
  EXPECT_EQ(message_of([&] {
              max_pool2d(Tensor<float>({0, 4097, 4096, 1}), {.kernel = {4097, 4096}});
            }),
            "max_pool2d: kernel is 4097x4096, expected at most 16777216 taps");
  EXPECT_EQ(message_of([&] {
              const Tensor<float> none({0, 1, 1, 1});
              max_pool2d_backward(none, none, {0, 4097, 4096, 1}, {.kernel = {4097, 4096}});
            }),
            "max_pool2d_backward: kernel is 4097x4096, expected at most 16777216 taps");
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
}  // namespace eigengrad::EIGENGRAD_ISA::ops::max_pool2d_test
