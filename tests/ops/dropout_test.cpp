// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include <eigengrad/ops/dropout.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::dropout_test {
namespace {

using Mask = Tensor<std::uint8_t>;

double share_kept(const Mask& mask) {
  double kept = 0.0;
  for (const std::uint8_t keep : mask.span()) kept += keep;
  return kept / static_cast<double>(mask.numel());
}

// Against the sequence itself: 128 elements are decided by 16 blocks of four words, first by the low halves of word 0
// of all blocks, then by the high halves, and so on.
TEST(DropoutMask, IsAFunctionOfTheGeneratorThePassAndThePosition) {
  const Shape shape{50021};
  constexpr double kP = 0.3;
  testing::poison<std::uint8_t>(shape);
  const Mask mask = dropout_mask(shape, kP, Rng(5, 9), 3);
  const auto bound = static_cast<std::uint32_t>(std::lround(kP * 65536.0));
  for (std::uint32_t i = 0; i < 50021; ++i) {
    const std::uint32_t place = i % 128;
    const std::uint32_t block = i / 128 * 16 + place % 16;
    const auto words = detail::philox({block, 3, 9, 0}, {5, 0});
    const std::uint32_t word = words[place / 32];
    const std::uint32_t bits = place % 32 < 16 ? word & 0xFFFFU : word >> 16;
    ASSERT_EQ(mask(i), bits >= bound ? 1 : 0) << i;
  }
}

TEST(DropoutMask, DropsTheShareItIsAskedFor) {
  constexpr Index kCount = 1 << 20;
  for (const double p : {0.1, 0.25, 0.5, 0.9}) {
    const Mask mask = dropout_mask({kCount}, p, Rng(1), 0);
    const double deviation = std::sqrt(p * (1.0 - p) / static_cast<double>(kCount));
    EXPECT_NEAR(share_kept(mask), 1.0 - p, 4.0 * deviation) << p;
  }
  EXPECT_EQ(share_kept(dropout_mask({1000}, 0.0, Rng(1), 0)), 1.0);
  EXPECT_EQ(share_kept(dropout_mask({1000}, 1.0, Rng(1), 0)), 0.0);
}

// Neighbours at the distances at which they share a word, a block or a group are kept together a quarter of the time.
TEST(DropoutMask, ElementsAreIndependentOfEachOther) {
  constexpr Index kCount = 1 << 20;
  const Mask mask = dropout_mask({kCount}, 0.5, Rng(1), 0);
  for (const Index distance : {1, 2, 15, 16, 32, 64, 127, 128, 1024, 16384}) {
    double both = 0.0;
    for (Index i = 0; i + distance < kCount; ++i) both += mask.data()[i] * mask.data()[i + distance];
    EXPECT_NEAR(both / static_cast<double>(kCount - distance), 0.25, 2.5e-3) << distance;
  }
}

TEST(DropoutMask, PassesSeedsAndStreamsDiffer) {
  const Mask mask = dropout_mask({1000}, 0.5, Rng(1, 1), 0);
  EXPECT_TRUE(equal(mask, dropout_mask({1000}, 0.5, Rng(1, 1), 0)));
  EXPECT_FALSE(equal(mask, dropout_mask({1000}, 0.5, Rng(1, 1), 1)));
  EXPECT_FALSE(equal(mask, dropout_mask({1000}, 0.5, Rng(2, 1), 0)));
  EXPECT_FALSE(equal(mask, dropout_mask({1000}, 0.5, Rng(1, 2), 0)));
}

TEST(DropoutMask, IsTheSameForAnyNumberOfThreads) {
  set_num_threads(1);
  const Mask mask = dropout_mask({100003}, 0.5, Rng(1), 0);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    EXPECT_TRUE(equal(mask, dropout_mask({100003}, 0.5, Rng(1), 0)));
  }
  set_num_threads(0);
}

TEST(DropoutMask, RefusesAProbabilityOutOfRange) {
  for (const double p : {-0.1, 1.1, std::nan("")}) EXPECT_THROW(dropout_mask({3}, p, Rng(1), 0), ValueError);
  EXPECT_EQ(testing::message_of([] { dropout_mask({3}, 1.5, Rng(1), 0); }), "dropout: p is 1.5, expected 0 to 1");
}

TEST(Dropout, ScalesWhatTheMaskKeeps) {
  const Shape shape{50021};
  const auto x = testing::random<float>(shape, 1);
  const Mask mask = dropout_mask(shape, 0.2, Rng(1), 0);
  // 0.2 becomes 13107 / 65536.
  const float factor = 65536.0F / (65536.0F - 13107.0F);
  testing::poison<float>(shape);
  const Tensor<float> y = dropout(x, mask, 0.2);
  testing::poison<float>(shape);
  const Tensor<float> dx = dropout_backward(x, mask, 0.2);
  for (Index i = 0; i < shape.numel(); ++i) {
    ASSERT_EQ(y.data()[i], mask(i) == 1 ? factor * x(i) : 0.0F) << i;
    ASSERT_EQ(dx.data()[i], y.data()[i]) << i;
  }
}

TEST(Dropout, OfProbabilityOneIsZero) {
  const Tensor<float> y = dropout(Tensor<float>::ones({70}), dropout_mask({70}, 1.0, Rng(1), 0), 1.0);
  EXPECT_TRUE(equal(y, Tensor<float>::zeros({70})));
}

TEST(Dropout, WorksInPlaceWhereItHoldsTheOnlyReference) {
  const Mask mask = dropout_mask({100}, 0.5, Rng(1), 0);
  auto x = testing::random<float>({100}, 1);
  const Tensor<float> expected = dropout(Tensor<float>({100}, x.span()), mask, 0.5);
  const float* memory = x.data();
  const Tensor<float> y = dropout(std::move(x), mask, 0.5);
  EXPECT_EQ(y.data(), memory);
  EXPECT_TRUE(equal(y, expected));
}

TEST(Dropout, RefusesTwoShapes) {
  const auto mask = Mask::ones({3});
  EXPECT_THROW(dropout(Tensor<float>::zeros({4}), mask, 0.5), ShapeError);
  EXPECT_THROW(dropout_backward(Tensor<float>::zeros({4}), mask, 0.5), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::dropout_test
