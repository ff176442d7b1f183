// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/conv2d.hpp>

#include "support/conv2d_algorithms.hpp"
#include "support/direct_conv2d.hpp"
#include "support/tensors.hpp"

// One number that is not finite, or out of all proportion, is in the sums that it belongs to and in no other, whichever
// algorithm computes them.

namespace eigengrad::EIGENGRAD_ISA::ops::conv2d_bad_values_test {
namespace {

using testing::Conv2dCase;
using testing::random;

const Conv2dCase kWithBadValues[] = {
    {"3x3", {2, 7, 6, 20}, {18, 3, 3, 20}, {.padding = 1}},
    {"more_outputs_than_tiles", {1, 4, 4, 10}, {33, 3, 3, 10}, {.padding = 1}},
    {"padding_of_two", {1, 5, 9, 17}, {5, 3, 3, 17}, {.padding = 2}},
    {"no_padding", {2, 9, 7, 16}, {16, 3, 3, 16}, {}},
    {"two_by_two", {3, 2, 2, 20}, {7, 3, 3, 20}, {.padding = 1}},
    {"few_channels", {2, 8, 9, 3}, {18, 3, 3, 3}, {.padding = 1}},
    {"stride", {2, 9, 8, 6}, {7, 3, 3, 6}, {.stride = {2, 3}, .padding = {1, 2}}},
    {"dilation", {1, 8, 9, 9}, {5, 3, 2, 9}, {.padding = 2, .dilation = {2, 3}}},
    {"groups", {1, 7, 6, 32}, {32, 3, 3, 16}, {.padding = 1, .groups = 2}},
    {"merged_groups", {2, 7, 6, 12}, {24, 3, 3, 2}, {.padding = 1, .groups = 6}},
    {"merged_groups_and_a_stride", {2, 7, 6, 15}, {10, 3, 2, 3}, {.stride = 2, .padding = 1, .groups = 5}},
    {"merged_pointwise_groups", {2, 3, 4, 12}, {16, 1, 1, 3}, {.groups = 4}},
    {"pointwise", {2, 3, 4, 17}, {18, 1, 1, 17}, {}},
    {"depthwise", {2, 6, 5, 20}, {40, 3, 3, 1}, {.padding = 1, .groups = 20}},
};

constexpr float kBadValues[] = {1e6F, 1e30F, std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()};

/// Sums of products, by the definition, in double, and of their magnitudes: what a sum in float is rounded by. A bad
/// value counts as multiplied by 1 or more, since in its own sums it may be rounded with the weights around it.
struct Sums {
  Tensor<double> exact, magnitude;
  explicit Sums(const Shape& shape) : exact(Tensor<double>::zeros(shape)), magnitude(Tensor<double>::zeros(shape)) {}
  static double of_bad(float a) { return std::abs(a) >= kBadValues[0] ? std::abs(static_cast<double>(a)) : 0.0; }
  void add(Index at, float a, float b) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    exact.mutable_data()[at] += product;
    magnitude.mutable_data()[at] += std::max({std::abs(product), of_bad(a), of_bad(b)});
  }
};

/// Where the numbers are not those sums, to rounding.
::testing::AssertionResult equals(const Tensor<float>& got, const Sums& expected) {
  if (got.shape() != expected.exact.shape()) return ::testing::AssertionFailure() << "shape " << got.shape();
  for (Index i = 0; i < got.numel(); ++i) {
    const auto value = static_cast<double>(got.data()[i]);
    const double exact = expected.exact.data()[i];
    const bool same = std::isnan(exact)   ? std::isnan(value)
                      : std::isinf(exact) ? value == exact
                                          : std::abs(value - exact) <= 1e-4 * expected.magnitude.data()[i];
    if (same) continue;
    return ::testing::AssertionFailure() << "element " << i << " of " << got.shape() << " is " << value << ", expected "
                                         << exact << ", a sum of magnitude " << expected.magnitude.data()[i];
  }
  return ::testing::AssertionSuccess();
}

class BadValues : public ::testing::TestWithParam<Conv2dCase> {
 protected:
  BadValues() {
    y_ = direct_shape();
    dy_ = random<float>(y_, 4);
  }

  Shape direct_shape() const {
    return Conv2dPlan<float>("test", GetParam().x, GetParam().weight, GetParam().options).problem().y;
  }

  /// Compares all directions of all algorithms with the definition.
  void compare() const {
    const auto& [name, x_shape, weight_shape, options] = GetParam();
    Sums y(y_), dx(x_shape), dw(weight_shape);
    testing::for_each_product(x_shape, y_, weight_shape, options, [&](Index at_x, Index at_y, Index at_w) {
      y.add(at_y, x_.data()[at_x], weight_.data()[at_w]);
      dx.add(at_x, dy_.data()[at_y], weight_.data()[at_w]);
      dw.add(at_w, dy_.data()[at_y], x_.data()[at_x]);
    });
    auto ways = testing::with_each_algorithm<float>(x_shape, weight_shape, options);
    ways.push_back(options);
    for (const Conv2dOptions& way : ways) {
      SCOPED_TRACE(way.algorithm);
      EXPECT_TRUE(equals(conv2d(x_, weight_, {}, way), y)) << "y";
      EXPECT_TRUE(equals(conv2d_backward_input(dy_, weight_, x_shape, way), dx)) << "dx";
      EXPECT_TRUE(equals(conv2d_backward_weight(dy_, x_, {weight_shape[1], weight_shape[2]}, way), dw)) << "dW";
    }
  }

  /// Puts each of the bad values at some places of a tensor and compares.
  void sweep(Tensor<float>& tensor, std::uint64_t seed) const {
    Rng rng(seed);
    const Tensor<float> good = tensor;
    const Index pixel = tensor.shape().cols();
    // The first and the last pixel, and some others.
    std::vector<Index> places{rng.below(pixel), tensor.numel() - 1 - rng.below(pixel)};
    for (int i = 0; i < 3; ++i) places.push_back(rng.below(tensor.numel()));
    for (const float bad : kBadValues) {
      for (const Index place : places) {
        SCOPED_TRACE(error_text(bad, " at ", place));
        tensor.mutable_data()[place] = bad;
        compare();
        tensor = good;
        if (HasFailure()) return;
      }
    }
  }

  /// Puts numbers of opposite signs, whose sums cancel, in some patterns into a channel of images and compares.
  void sweep_opposite(Tensor<float>& images) const {
    const struct {
      const char* name;
      bool (*has)(Index row, Index col);
    } patterns[] = {
        {"a row", [](Index row, Index) { return row == 1; }},
        {"a column", [](Index, Index col) { return col == 0; }},
        {"a pair two pixels apart", [](Index row, Index col) { return row == 0 && (col == 0 || col == 2); }},
        {"a pair side by side", [](Index row, Index col) { return row == 0 && col < 2; }},
        {"four around a pixel", [](Index row, Index col) { return row % 2 == 0 && col % 2 == 0 && row + col < 5; }},
    };
    const Tensor<float> good = images;
    const Index width = images.size(2), channels = images.size(3);
    for (const auto& pattern : patterns) {
      SCOPED_TRACE(pattern.name);
      float next = 1e6F;
      for (Index pixel = 0; pixel < images.size(1) * width; ++pixel) {
        if (!pattern.has(pixel / width, pixel % width)) continue;
        images.mutable_data()[pixel * channels + channels / 2] = next;
        next = -next;
      }
      compare();
      images = good;
    }
  }

  Tensor<float> x_ = random<float>(GetParam().x, 1);
  Tensor<float> weight_ = random<float>(GetParam().weight, 2);
  Shape y_;
  Tensor<float> dy_;
};

TEST_P(BadValues, OfAPixelStayUnderItsWindows) { sweep(x_, 5); }
TEST_P(BadValues, OfAWeightStayUnderItsTap) { sweep(weight_, 6); }
TEST_P(BadValues, OfAGradientStayUnderItsWindow) { sweep(dy_, 7); }
TEST_P(BadValues, OfOppositeSignsDoNotCancelInX) { sweep_opposite(x_); }
TEST_P(BadValues, OfOppositeSignsDoNotCancelInTheGradient) { sweep_opposite(dy_); }

// A step after the first NaN, nearly all numbers are NaN.
TEST_P(BadValues, OfManyFactorsStayInTheirSums) {
  const float nan = kBadValues[4];
  for (Tensor<float>* tensor : {&weight_, &dy_}) {
    const Tensor<float> good = *tensor;
    const Index channels = good.shape().cols(), rows = good.shape().rows();
    const auto compare_with = [&](const char* what, const std::function<float(Index row, Index channel)>& bad_at) {
      SCOPED_TRACE(error_text(what, tensor == &weight_ ? " of the weights" : " of the gradients"));
      for (Index i = 0; i < good.numel(); ++i) {
        const float bad = bad_at(i / channels, i % channels);
        if (bad != 0.0F) tensor->mutable_data()[i] = bad;
      }
      compare();
      *tensor = good;
    };
    compare_with("all", [&](Index, Index) { return nan; });
    compare_with("all rows but one", [&](Index row, Index) { return row == rows / 2 ? 0.0F : nan; });
    compare_with("the first row", [&](Index row, Index) { return row == 0 ? nan : 0.0F; });
    compare_with("infinities in the first row", [&](Index row, Index) { return row == 0 ? kBadValues[2] : 0.0F; });
    compare_with("the last row", [&](Index row, Index) { return row == rows - 1 ? -kBadValues[2] : 0.0F; });
    compare_with("the last channel", [&](Index, Index channel) { return channel == channels - 1 ? nan : 0.0F; });
    compare_with("the first and the last row", [&](Index row, Index channel) {
      return row == 0 ? kBadValues[2] : row == rows - 1 && channel == 0 ? nan : 0.0F;
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, BadValues, ::testing::ValuesIn(kWithBadValues),
                         [](const auto& conv) { return std::string("of_") + conv.param.name; });

TEST(BadValues, OfWeightsLeaveWhatFollowsAsItIs) {
  for (const Index channels : {3, 20}) {
    const auto x = random<float>({2, 6, 7, channels}, 1);
    auto weight = random<float>({18, 3, 3, channels}, 2);
    weight.mutable_data()[(3 * 9 + 0) * channels] = kBadValues[2];
    weight.mutable_data()[(5 * 9 + 7) * channels + 1] = kBadValues[4];
    const Tensor<float> scale = random<float>({18}, 3), shift = random<float>({18}, 4);
    for (const ChannelMap<float>& f :
         {ChannelMap<float>{.scale = {}, .shift = shift}, ChannelMap<float>{.scale = scale, .shift = {}},
          ChannelMap<float>{.scale = scale, .shift = shift, .relu = true}}) {
      const Tensor<float> mapped = conv2d_channel_map(x, weight, f, {.padding = 1});
      const Tensor<float> expected = detail::channel_map(conv2d(x, weight, {}, {.padding = 1}), f);
      for (Index i = 0; i < mapped.numel(); ++i) {
        const float got = mapped.data()[i], wanted = expected.data()[i];
        EXPECT_TRUE(std::isfinite(wanted) ? std::abs(got - wanted) < 1e-4F
                                          : got == wanted || (std::isnan(got) && std::isnan(wanted)))
            << got << " at " << i << ", expected " << wanted;
      }
    }
  }
}

TEST(BadValues, OfManyPixelsToo) {
  const Conv2dCase conv{"", {2, 13, 14, 24}, {16, 3, 3, 24}, {.padding = 1}};
  auto x = random<float>(conv.x, 1);
  Rng rng(8);
  for (int i = 0; i < 20; ++i) x.mutable_data()[rng.below(x.numel())] = kBadValues[rng.below(2)];
  const auto weight = random<float>(conv.weight, 2);
  Sums y({2, 13, 14, 16});
  testing::for_each_product(
      conv.x, y.exact.shape(), conv.weight, conv.options,
      [&](Index at_x, Index at_y, Index at_w) { y.add(at_y, x.data()[at_x], weight.data()[at_w]); });
  const ChannelMap<float> f{.scale = random<float>({16}, 3), .shift = random<float>({16}, 4), .relu = true};
  Tensor<float> last;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    Conv2dOptions options = conv.options;
    options.algorithm = Conv2dAlgorithm::winograd_4x4;
    const Tensor<float> plain = conv2d(x, weight, {}, options);
    EXPECT_TRUE(equals(plain, y));
    EXPECT_TRUE(last.empty() || equal(last, plain)) << threads << " threads";
    last = plain;
    const Tensor<float> mapped = conv2d_channel_map(x, weight, f, options);
    const Tensor<float> expected = detail::channel_map(plain, f);
    EXPECT_LT((mapped.array() - expected.array()).abs().minCoeff(), 1e-4F);
    for (Index i = 0; i < mapped.numel(); ++i) {
      EXPECT_NEAR(mapped.data()[i], expected.data()[i], 1e-4 * (1.0 + y.magnitude.data()[i]));
    }
  }
  set_num_threads(0);
}

// Tiles that Winograd's weight gradient leaves out are added one by one: if they are many, im2col is faster.
TEST(BadValues, OfManyTilesLeaveTheWeightGradientToIm2col) {
  const auto x = random<float>({2, 16, 16, 20}, 1);
  for (const Index tiles : {3, 4, 5, 32}) {  // of 32
    SCOPED_TRACE(tiles);
    auto dy = random<float>({2, 16, 16, 18}, 2);
    for (Index tile = 0; tile < tiles; ++tile) {
      const Index row = tile / 4 * 4, col = tile % 4 * 4;
      dy.mutable_data()[(row * 16 + col) * 18 + tile % 18] = kBadValues[0];
    }
    const auto dw_by = [&](Conv2dAlgorithm algorithm) {
      return conv2d_backward_weight(dy, x, 3, {.padding = 1, .algorithm = algorithm});
    };
    EXPECT_EQ(equal(dw_by(Conv2dAlgorithm::winograd_4x4), dw_by(Conv2dAlgorithm::im2col)), tiles > 4);
  }
}

TEST(BadValues, WindowsOfZerosGiveZeros) {
  auto x = Tensor<float>::zeros({1, 8, 8, 16});
  x.mutable_data()[(2 * 8 + 3) * 16 + 5] = 1.0F;
  const auto weight = random<float>({16, 3, 3, 16}, 2);
  for (const auto algorithm : {Conv2dAlgorithm::winograd_2x2, Conv2dAlgorithm::winograd_4x4}) {
    const Tensor<float> y = conv2d(x, weight, {}, {.padding = 1, .algorithm = algorithm});
    for (Index i = 0; i < y.numel(); ++i) {
      const Index h = i / 16 / 8, w = i / 16 % 8;
      if (std::abs(h - 2) > 1 || std::abs(w - 3) > 1) {
        EXPECT_EQ(y.data()[i], 0.0F) << i;
      }
    }
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::conv2d_bad_values_test
