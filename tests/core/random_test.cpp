// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/random.hpp>

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers of Random123 1.14 (kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, MatchesKnownAnswers) {
  EXPECT_EQ(detail::philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(detail::philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(detail::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The same bits with every compiler and processor: these constants hold for all of them.
TEST(Rng, GivesTheSameBitsEverywhere) {
  Rng rng(42);
  std::uint64_t uniform_hash = 0;
  std::uint64_t normal_hash = 0;
  for (int i = 0; i < 10000; ++i) {
    uniform_hash = uniform_hash * 6364136223846793005U + std::bit_cast<std::uint64_t>(rng.uniform());
    normal_hash = normal_hash * 6364136223846793005U + std::bit_cast<std::uint64_t>(rng.normal());
  }
  EXPECT_EQ(uniform_hash, 5422697160223000504U);
  EXPECT_EQ(normal_hash, 176354538433043401U);
}

// Also where the number of the block no longer fits into 32 bits.
TEST(Rng, BlocksAreTheNumbersOfTheSequence) {
  Rng rng(42, kLoaderStreams + 5);
  const Rng fixed = rng;
  for (const std::uint64_t index : {0U, 16U, 32U}) {
    const detail::PhiloxLanes words = fixed.blocks(index);
    for (std::size_t lane = 0; lane < detail::kPhiloxLanes; ++lane) {
      for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(words[i][lane], rng()) << index << " " << lane << " " << i;
    }
  }
  const std::uint64_t far = 0x7FFFFFFFFU;  // the next block carries into the high word
  const detail::PhiloxLanes words = Rng(7, 3).blocks(far);
  const Words first = detail::philox({0xFFFFFFFFU, 7, 3, 0}, {7, 0});
  const Words second = detail::philox({0, 8, 3, 0}, {7, 0});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(words[i][0], first[i]);
    EXPECT_EQ(words[i][1], second[i]);
  }
}

TEST(Rng, FillGivesWhatCallsGive) {
  Rng filled(42, 7);
  Rng called = filled;
  for (const std::size_t count : {1U, 0U, 3U, 200U, 2U, 64U, 5U, 63U, 129U}) {
    std::vector<std::uint32_t> numbers(count);
    filled.fill(numbers);
    for (const std::uint32_t number : numbers) ASSERT_EQ(number, called()) << count;
    ASSERT_EQ(filled.uniform(), called.uniform()) << count;
  }
}

TEST(Rng, StreamsAndSeedsDiffer) {
  Rng a(1, 0), b(1, 1), c(2, 0), same(1, 0);
  const std::uint64_t first = a.bits64();
  EXPECT_NE(first, b.bits64());
  EXPECT_NE(first, c.bits64());
  EXPECT_EQ(first, same.bits64());
}

TEST(Rng, UniformFillsTheUnitInterval) {
  Rng rng(7);
  double sum = 0.0, squares = 0.0, low = 1.0, high = 0.0;
  constexpr int kCount = 200000;
  for (int i = 0; i < kCount; ++i) {
    const double u = rng.uniform();
    low = std::min(low, u);
    high = std::max(high, u);
    sum += u;
    squares += u * u;
  }
  EXPECT_GE(low, 0.0);
  EXPECT_LT(high, 1.0);
  EXPECT_NEAR(sum / kCount, 0.5, 0.003);
  EXPECT_NEAR(squares / kCount, 1.0 / 3.0, 0.003);
}

TEST(Rng, NormalHasTheMomentsOfANormal) {
  Rng rng(7);
  std::array<double, 5> moments{};
  constexpr int kCount = 400000;
  for (int i = 0; i < kCount; ++i) {
    const double z = rng.normal();
    for (std::size_t k = 1; k < moments.size(); ++k) moments[k] += std::pow(z, static_cast<double>(k));
  }
  for (double& moment : moments) moment /= kCount;
  EXPECT_NEAR(moments[1], 0.0, 0.01);
  EXPECT_NEAR(moments[2], 1.0, 0.01);
  EXPECT_NEAR(moments[3], 0.0, 0.03);
  EXPECT_NEAR(moments[4], 3.0, 0.08);
}

TEST(Rng, OwnLogarithmAndCircleAreAccurate) {
  Rng rng(3);
  for (int i = 0; i < 100000; ++i) {
    const double u = 1.0 - rng.uniform();
    EXPECT_NEAR(detail::exact_log(u), std::log(u), 4e-16 * std::max(1.0, std::abs(std::log(u))));
    const double turn = rng.uniform();
    const auto [cosine, sine] = detail::exact_cos_sin(turn);
    EXPECT_NEAR(cosine, std::cos(2.0 * std::numbers::pi * turn), 2e-15);
    EXPECT_NEAR(sine, std::sin(2.0 * std::numbers::pi * turn), 2e-15);
  }
  EXPECT_EQ(detail::exact_log(1.0), 0.0);
}

TEST(Rng, OwnExponentialIsAccurate) {
  Rng rng(3);
  for (int i = 0; i < 100000; ++i) {
    const double x = i % 2 == 0 ? rng.uniform(-1.0, 1.0) : rng.uniform(-700.0, 700.0);
    EXPECT_NEAR(detail::exact_exp(x) / std::exp(x), 1.0, 1e-15) << x;
  }
  EXPECT_EQ(detail::exact_exp(0.0), 1.0);
  EXPECT_EQ(detail::exact_exp(1.0), std::numbers::e);
}

TEST(Rng, BelowIsEvenAndInRange) {
  Rng rng(5);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts.at(static_cast<std::size_t>(rng.below(7)));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
  EXPECT_EQ(rng.below(1), 0);
}

TEST(Rng, ShuffleKeepsEveryElement) {
  std::vector<int> values(1000);
  std::iota(values.begin(), values.end(), 0);
  const std::vector<int> sorted = values;
  Rng rng(9);
  shuffle(values, rng);
  EXPECT_NE(values, sorted);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, sorted);
}

TEST(Rng, ManualSeedRepeatsTheDefaultGenerators) {
  manual_seed(11);
  Rng first = default_rng();
  Rng second = default_rng();
  const std::uint64_t a = first.bits64();
  EXPECT_NE(a, second.bits64());
  manual_seed(11);
  Rng again = default_rng();
  EXPECT_EQ(again.bits64(), a);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
