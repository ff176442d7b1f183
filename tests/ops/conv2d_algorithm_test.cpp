// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/ops/conv2d.hpp>

#include "support/conv2d_algorithms.hpp"
#include "support/direct_conv2d.hpp"
#include "support/message_of.hpp"
#include "support/tensors.hpp"

// Every algorithm computes every convolution that suits it, whichever is the fastest.

namespace eigengrad::EIGENGRAD_ISA::ops::conv2d_algorithm_test {
namespace {

using testing::Conv2dCase;
using testing::difference;
using testing::random;

const Conv2dCase kOfAlgorithms[] = {
    {"one_pixel", {1, 1, 1, 1}, {1, 3, 3, 1}, {.padding = 1}},
    {"two_by_two", {5, 2, 2, 40}, {50, 3, 3, 40}, {.padding = 1}},
    {"three_by_five", {2, 3, 5, 17}, {33, 3, 3, 17}, {.padding = 1}},
    {"four_by_four", {3, 4, 4, 64}, {32, 3, 3, 64}, {.padding = 1}},
    {"no_padding", {2, 9, 7, 6}, {5, 3, 3, 6}, {}},
    {"padding_of_two", {2, 5, 6, 20}, {12, 3, 3, 20}, {.padding = 2}},
    {"uneven_padding", {2, 5, 6, 20}, {12, 3, 3, 20}, {.padding = {0, 2}}},
    {"groups", {2, 7, 6, 24}, {36, 3, 3, 8}, {.padding = 1, .groups = 3}},
    {"depthwise", {2, 6, 5, 20}, {20, 3, 3, 1}, {.padding = 1, .groups = 20}},
    {"more_tiles_than_channels", {9, 16, 16, 36}, {20, 3, 3, 36}, {.padding = 1}},
    {"many_channels", {2, 4, 4, 300}, {70, 3, 3, 300}, {.padding = 1}},
    {"more_tiles_than_fit_a_cache", {40, 8, 8, 20}, {200, 3, 3, 20}, {.padding = 1}},
    {"weights_of_several_rounds", {8, 32, 32, 40}, {34, 3, 3, 40}, {.padding = 1}},
    {"few_channels", {2, 12, 11, 3}, {20, 3, 3, 3}, {.padding = 1}},
    {"pointwise", {3, 5, 4, 17}, {33, 1, 1, 17}, {}},
};

/// Calls f(options) for each algorithm that suits, and says which it was.
template <class T, class F>
void for_each_algorithm(const Conv2dCase& conv, const F& f) {
  for (const Conv2dOptions& options : testing::with_each_algorithm<T>(conv.x, conv.weight, conv.options)) {
    SCOPED_TRACE(options.algorithm);
    f(options);
  }
}

template <class T>
Tensor<double> to_double(const Tensor<T>& x) {
  Tensor<double> result(x.shape());
  result.mutable_array() = x.array().template cast<double>();
  return result;
}

class Algorithms : public ::testing::TestWithParam<Conv2dCase> {
 protected:
  /// Compares all directions in T with the definition in double.
  template <class T>
  void check(double tolerance) const {
    const Conv2dCase& conv = GetParam();
    const auto x = random<T>(conv.x, 1);
    const auto weight = random<T>(conv.weight, 2);
    const auto bias = random<T>({conv.weight[0]}, 3);
    const auto expected = testing::direct_conv2d(to_double(x), to_double(weight), to_double(bias), conv.options);
    const auto dy = random<T>(expected.shape(), 4);
    const auto gradients =
        testing::direct_conv2d_backward(to_double(dy), to_double(x), to_double(weight), conv.options);
    for_each_algorithm<T>(conv, [&](const Conv2dOptions& options) {
      testing::poison<T>(expected.shape());
      EXPECT_LT(difference(to_double(conv2d(x, weight, bias, options)), expected), tolerance);
      testing::poison<T>(conv.x);
      EXPECT_LT(difference(to_double(conv2d_backward_input(dy, weight, conv.x, options)), gradients.dx), tolerance);
      testing::poison<T>(conv.weight);
      const Size2d kernel{conv.weight[1], conv.weight[2]};
      EXPECT_LT(difference(to_double(conv2d_backward_weight(dy, x, kernel, options)), gradients.dw), tolerance);
    });
  }
};

TEST_P(Algorithms, MatchLoopsInDouble) { check<double>(1e-12); }
TEST_P(Algorithms, MatchLoopsInFloat) { check<float>(2e-5); }

TEST_P(Algorithms, ApplyAChannelMap) {
  const Conv2dCase& conv = GetParam();
  const auto x = random<double>(conv.x, 1);
  const auto weight = random<double>(conv.weight, 2);
  const Shape channels{conv.weight[0]};
  const ChannelMap<double> f{random<double>(channels, 5), random<double>(channels, 6), true};
  const Tensor<double> expected = detail::channel_map(testing::direct_conv2d(x, weight, {}, conv.options), f);
  for_each_algorithm<double>(conv, [&](const Conv2dOptions& options) {
    EXPECT_LT(difference(conv2d_channel_map(x, weight, f, options), expected), 1e-12);
    EXPECT_LT(difference(conv2d_channel_map(x, weight, ChannelMap<double>{{}, f.shift, true}, options),
                         detail::channel_map(testing::direct_conv2d(x, weight, f.shift, conv.options),
                                             ChannelMap<double>{.scale = {}, .shift = {}, .relu = true})),
              1e-12);
  });
}

TEST_P(Algorithms, GiveTheSameBitsForAnyNumberOfThreads) {
  const Conv2dCase& conv = GetParam();
  const auto x = random<float>(conv.x, 1);
  const auto weight = random<float>(conv.weight, 2);
  for_each_algorithm<float>(conv, [&](const Conv2dOptions& options) {
    Tensor<float> y, dx, dw;
    for (const int threads : {1, 2, 3, 7}) {
      set_num_threads(threads);
      const Tensor<float> out = conv2d(x, weight, {}, options);
      const auto dy = random<float>(out.shape(), 4);
      const Tensor<float> by_x = conv2d_backward_input(dy, weight, x.shape(), options);
      const Tensor<float> by_w = conv2d_backward_weight(dy, x, {weight.size(1), weight.size(2)}, options);
      if (threads > 1) {
        EXPECT_TRUE(equal(out, y) && equal(by_x, dx) && equal(by_w, dw)) << threads;
      }
      y = out, dx = by_x, dw = by_w;
    }
    set_num_threads(0);
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, Algorithms, ::testing::ValuesIn(kOfAlgorithms),
                         [](const auto& conv) { return std::string("of_") + conv.param.name; });

TEST(Conv2dAlgorithm, EachHasAName) {
  int number = 0;
  for (const auto& algorithm : detail::kConvAlgorithms<float>) {
    EXPECT_EQ(algorithm.name, static_cast<Conv2dAlgorithm>(++number));  // the order of the enum is that of the list
    EXPECT_EQ(to_string(algorithm.name).find("Conv2dAlgorithm"), std::string::npos);
  }
  EXPECT_EQ(to_string(static_cast<Conv2dAlgorithm>(7)), "Conv2dAlgorithm(7)");
}

TEST(Conv2dAlgorithm, TheLastComputesAnything) {
  const auto& general = detail::kConvAlgorithms<float>.back();
  EXPECT_EQ(general.name, Conv2dAlgorithm::im2col);
  EXPECT_TRUE(general.backward_input != nullptr && general.backward_weight != nullptr);
  for (const Conv2dCase& conv : kOfAlgorithms) {
    const Conv2dPlan<float> plan("test", conv.x, conv.weight, conv.options);
    EXPECT_TRUE(general.suits(plan.problem()));
  }
}

/// What is chosen for y, dx and dW.
struct Chosen {
  Conv2dAlgorithm y, dx, dw;
  bool operator==(const Chosen&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Chosen& chosen) {
    return out << chosen.y << ' ' << chosen.dx << ' ' << chosen.dw;
  }
};
Chosen choose(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
  const Conv2dPlan<float> plan("test", x, weight, options);
  using enum detail::ConvDirection;
  return {plan.algorithm(forward), plan.algorithm(backward_input), plan.algorithm(backward_weight)};
}
Chosen all_by(Conv2dAlgorithm algorithm) { return {algorithm, algorithm, algorithm}; }

TEST(Conv2dAlgorithm, TheFastestIsChosenBySize) {
  using enum Conv2dAlgorithm;
  EXPECT_EQ(choose({32, 16, 16, 64}, {128, 3, 3, 64}, {.padding = 1}), all_by(winograd_4x4));
  EXPECT_EQ(choose({32, 4, 4, 512}, {512, 3, 3, 512}, {.padding = 1}), all_by(winograd_4x4));
  EXPECT_EQ(choose({32, 2, 2, 512}, {512, 3, 3, 512}, {.padding = 1}), all_by(winograd_2x2));
  EXPECT_EQ(choose({1, 2, 2, 512}, {512, 3, 3, 512}, {.padding = 1}), all_by(im2col));
  EXPECT_EQ(choose({32, 16, 16, 64}, {128, 3, 3, 64}, {.stride = 2, .padding = 1}), all_by(im2col));
  EXPECT_EQ(choose({32, 16, 16, 64}, {128, 5, 5, 64}, {.padding = 2}), all_by(im2col));
  EXPECT_EQ(choose({32, 16, 16, 64}, {128, 1, 1, 64}, {}), all_by(pointwise));
  EXPECT_EQ(choose({32, 16, 16, 64}, {64, 3, 3, 1}, {.padding = 1, .groups = 64}), all_by(depthwise));
  EXPECT_EQ(choose({32, 16, 16, 64}, {64, 3, 3, 2}, {.padding = 1, .groups = 32}), all_by(winograd_4x4));  // merged
}

TEST(Conv2dAlgorithm, EachDirectionHasItsOwn) {
  using enum Conv2dAlgorithm;
  EXPECT_EQ(choose({32, 32, 32, 3}, {64, 7, 7, 3}, {.padding = 3}), (Chosen{few_channels, im2col, few_channels}));
  EXPECT_EQ(choose({32, 32, 32, 3}, {64, 3, 3, 3}, {.padding = 1, .algorithm = few_channels}),
            (Chosen{few_channels, im2col, few_channels}));
  EXPECT_EQ(choose({4, 16, 16, 64}, {1, 3, 3, 64}, {.padding = 1}), (Chosen{winograd_4x4, im2col, winograd_4x4}));
}

// Alone under its tap, a weight near 0 must not change how the others are summed.
TEST(Conv2dAlgorithm, OneOutputHasAnInputGradientByGeneralProducts) {
  const Shape x{4, 16, 16, 64};
  auto weight = random<float>({1, 3, 3, 64}, 1);
  for (float& w : weight.mutable_span()) w = std::copysign(1.0F + std::abs(w), w);  // none of them near 0
  const auto dy = random<float>({4, 16, 16, 1}, 2);
  const Tensor<float> usual = conv2d_backward_input(dy, weight, x, {.padding = 1});
  weight.mutable_data()[70] = 1e-6F;
  const Tensor<float> dx = conv2d_backward_input(dy, weight, x, {.padding = 1});
  for (Index i = 0; i < dx.numel(); ++i) {
    if (i % 64 != 70 % 64) {
      ASSERT_EQ(dx.data()[i], usual.data()[i]) << i;
    }
  }
}

TEST(Conv2dAlgorithm, OneThatDoesNotSuitIsRefused) {
  const auto x = random<float>({1, 6, 6, 4}, 1);
  const auto weight = random<float>({8, 3, 3, 4}, 2);
  const Conv2dOptions options{.stride = 2, .algorithm = Conv2dAlgorithm::winograd_4x4};
  EXPECT_EQ(testing::message_of([&] { conv2d(x, weight, {}, options); }),
            "conv2d: algorithm winograd_4x4 computes no window of 3x3 with stride 2x2, padding 0x0 and dilation 1x1");
  EXPECT_THROW(conv2d_backward_input(random<float>({1, 2, 2, 8}, 3), weight, x.shape(), options), ValueError);
  EXPECT_THROW(conv2d_backward_weight(random<float>({1, 2, 2, 8}, 3), x, 3, options), ValueError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::conv2d_algorithm_test
