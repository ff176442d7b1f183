// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/augment.hpp>
#include <eigengrad/data/loader.hpp>
#include <eigengrad/data/mixup.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace mixup_test {
namespace {

using testing::message_of;
using testing::random;

/// Samples with labels that go round.
TensorDataset<double, Index> samples_of(Index count, Index classes = 4) {
  Tensor<Index> labels({count});
  for (Index i = 0; i < count; ++i) labels.mutable_data()[i] = i % classes;
  return {random<double>({count, 3, 2}, 1), labels};
}

std::vector<Index> all(Index count) {
  std::vector<Index> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), Index{0});
  return numbers;
}

TEST(MixUp, BlendsInputsAndTargetsOfTwoSamples) {
  const auto set = samples_of(30);
  const MixUp mixed{set, 5, {.alpha = 0.4, .num_classes = 4}};
  static_assert(TakesStorage<std::remove_const_t<decltype(mixed)>>);
  const std::vector<Index> samples{3, 29, 0, 3, 17};
  for (const Index epoch : {0, 1, 9}) {
    const auto [inputs, targets] = mixed.batch(samples, epoch);
    ASSERT_EQ(inputs.shape(), (Shape{5, 3, 2}));
    ASSERT_EQ(targets.shape(), (Shape{5, 4}));
    for (std::size_t i = 0; i < samples.size(); ++i) {
      Rng rng(5, kMixUpStreams + (static_cast<std::uint64_t>(epoch) << 32) + static_cast<std::uint64_t>(samples[i]));
      const Index partner = rng.below(30);
      const double share = detail::beta_number(0.4, rng);
      const auto pair = set.batch(std::vector<Index>{samples[i], partner});
      for (Index k = 0; k < 6; ++k) {
        EXPECT_DOUBLE_EQ(inputs.data()[static_cast<Index>(i) * 6 + k],
                         share * pair.inputs.data()[k] + (1.0 - share) * pair.inputs.data()[6 + k]);
      }
      for (Index c = 0; c < 4; ++c) {
        EXPECT_DOUBLE_EQ(targets(static_cast<Index>(i), c),
                         (pair.targets(0) == c ? share : 0.0) + (pair.targets(1) == c ? 1.0 - share : 0.0));
      }
    }
  }
}

TEST(MixUp, EpochsAndSeedsDifferAndTheDataSetStaysAsItIs) {
  const auto set = samples_of(30);
  const Tensor<double> before = set.batch(all(30)).inputs;
  const MixUp mixed{set, 5, {.num_classes = 4}};
  const auto first = mixed.batch(all(30), 0);
  EXPECT_TRUE(equal(first.inputs, mixed.batch(all(30)).inputs));
  EXPECT_FALSE(equal(first.inputs, mixed.batch(all(30), 1).inputs));
  EXPECT_FALSE(equal(first.inputs, MixUp(set, 6, {.num_classes = 4}).batch(all(30)).inputs));
  EXPECT_TRUE(equal(set.batch(all(30)).inputs, before));
}

TEST(MixUp, TheSameBitsForAnyNumberOfThreadsBatchSizeAndPrefetch) {
  const Augmented set{TensorDataset<double, Index>{random<double>({40, 5, 5, 1}, 1), samples_of(40).targets()}, 2,
                      RandomHorizontalFlip{}};
  // The order of an epoch is the same for every batch size, so whole epochs can be compared.
  const auto numbers_of = [&](int threads, Index batch_size, bool prefetch) {
    set_num_threads(threads);
    Loader loader{MixUp{set, 5, {.alpha = 0.3, .num_classes = 4}},
                  {.batch_size = batch_size, .epochs = 2, .seed = 3, .prefetch = prefetch}};
    std::vector<double> found;
    for (const auto& [inputs, targets] : loader) {
      for (Index i = 0; i < inputs.size(0); ++i) {
        found.insert(found.end(), inputs.data() + i * 25, inputs.data() + (i + 1) * 25);
        found.insert(found.end(), targets.data() + i * 4, targets.data() + (i + 1) * 4);
      }
    }
    set_num_threads(0);
    return found;
  };
  const std::vector<double> expected = numbers_of(1, 40, false);
  for (const int threads : {1, 3}) {
    for (const Index batch_size : {40, 7}) {
      for (const bool prefetch : {false, true}) EXPECT_EQ(numbers_of(threads, batch_size, prefetch), expected);
    }
  }
}

TEST(MixUp, TakesTheMemoryOfABatchBefore) {
  const MixUp mixed{samples_of(30), 5, {.num_classes = 4}};
  auto batch = mixed.batch(std::vector<Index>{1, 2});
  const double* inputs = batch.inputs.data();
  const double* targets = batch.targets.data();
  const auto fresh = mixed.batch(std::vector<Index>{3, 4});
  batch = mixed.batch(std::vector<Index>{3, 4}, 0, std::move(batch));
  EXPECT_EQ(batch.inputs.data(), inputs);
  EXPECT_EQ(batch.targets.data(), targets);
  EXPECT_TRUE(equal(batch.inputs, fresh.inputs));
  EXPECT_TRUE(equal(batch.targets, fresh.targets));
  EXPECT_EQ(mixed.batch({}).targets.shape(), (Shape{0, 4}));
}

TEST(MixUp, RefusesWhatDoesNotFit) {
  const auto set = samples_of(6);
  EXPECT_EQ(message_of([&] { MixUp(set, 1, {.alpha = 0.0, .num_classes = 4}); }),
            "MixUp: alpha is 0, expected more than 0");
  EXPECT_EQ(message_of([&] { MixUp(set, 1, {}); }), "MixUp: num_classes is 0, expected more than 0");
  EXPECT_THROW(MixUp(samples_of(0), 1, {.num_classes = 4}), ValueError);
  EXPECT_EQ(message_of([&] { MixUp(set, 1, {.num_classes = 3}).batch(std::vector<Index>{3}); }),
            "MixUp: label 3, expected 0 to 2");
  EXPECT_THROW(MixUp(set, 1, {.num_classes = 4}).batch(std::vector<Index>{6}), ValueError);
}

/// Mean and variance of many draws; Beta(a, a) has 1/2 and 1 / (4 (2 a + 1)).
TEST(BetaNumber, HasMeanAndVarianceOfItsDistribution) {
  for (const double a : {0.05, 0.2, 0.5, 1.0, 2.5, 40.0}) {
    Rng rng(7);
    constexpr int kCount = 40000;
    double sum = 0.0, squares = 0.0, fourths = 0.0;
    for (int i = 0; i < kCount; ++i) {
      const double x = detail::beta_number(a, rng) - 0.5;
      ASSERT_GE(x, -0.5);
      ASSERT_LE(x, 0.5);
      sum += x;
      squares += x * x;
      fourths += x * x * x * x;
    }
    const double variance = 1.0 / (4.0 * (2.0 * a + 1.0));
    const double measured = squares / kCount;
    EXPECT_NEAR(sum / kCount, 0.0, 5.0 * std::sqrt(variance / kCount)) << a;
    EXPECT_NEAR(measured, variance, 5.0 * std::sqrt((fourths / kCount - measured * measured) / kCount)) << a;
  }
}

TEST(BetaNumber, IsUniformForOne) {
  Rng rng(7);
  std::vector<int> counts(10);
  for (int i = 0; i < 20000; ++i) ++counts.at(static_cast<std::size_t>(detail::beta_number(1.0, rng) * 10.0));
  for (const int count : counts) EXPECT_NEAR(count, 2000, 215);  // five standard deviations
}

TEST(BetaNumber, HasTheSameBitsEverywhere) {
  const auto first = [](double a) {
    Rng rng(11);
    return detail::beta_number(a, rng);
  };
  EXPECT_EQ(first(0.2), 0x1.282de04efc141p-12);
  EXPECT_EQ(first(1.0), 0x1.5f64cd324f35ep-6);
  EXPECT_EQ(first(7.5), 0x1.ffd91df95316cp-3);
}

TEST(BetaNumber, IsZeroOrOneForTheSmallestShape) {
  Rng rng(7);
  for (int i = 0; i < 100; ++i) {
    const double x = detail::beta_number(1e-12, rng);
    EXPECT_TRUE(x == 0.0 || x == 1.0) << x;
  }
}

}  // namespace
}  // namespace mixup_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
