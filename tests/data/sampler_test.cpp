// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/loader.hpp>
#include <eigengrad/data/sampler.hpp>

#include "support/message_of.hpp"
#include "support/numbered_samples.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace sampler_test {
namespace {

using testing::message_of;

/// The samples of the rest of a pass.
template <class L>
std::vector<Index> samples_of(L& loader) {
  std::vector<Index> samples;
  while (const auto batch = loader.next())
    samples.insert(samples.end(), batch->targets.data(), batch->targets.data() + batch->targets.numel());
  return samples;
}

TEST(WeightedRandomSampler, DrawsInProportionToTheWeights) {
  const std::vector<double> weights{3.0, 0.0, 1.0, 0.5, 0.0, 5.5, 0.0};
  constexpr Index kDraws = 50000;
  Loader loader{
      testing::numbered_samples(7),
      {.batch_size = 100, .seed = 4, .sampler = WeightedRandomSampler{.weights = weights, .num_samples = kDraws}}};
  std::vector<int> counts(7);
  for (const Index sample : samples_of(loader)) ++counts.at(static_cast<std::size_t>(sample));
  for (std::size_t i = 0; i < 7; ++i) {
    const double p = weights[i] / 10.0;
    EXPECT_NEAR(counts[i], p * kDraws, 5.0 * std::sqrt(kDraws * p * (1.0 - p))) << i;  // none without a weight
  }
}

TEST(WeightedRandomSampler, AnEpochHasAsManyDrawsAsItSays) {
  const std::vector<double> weights(10, 1.0);
  const auto loader_with = [&](Index num_samples, bool drop_last = false) {
    return Loader{testing::numbered_samples(10),
                  {.batch_size = 4,
                   .epochs = 2,
                   .drop_last = drop_last,
                   .sampler = WeightedRandomSampler{.weights = weights, .num_samples = num_samples}}};
  };
  for (const auto& [given, draws] : {std::pair<Index, Index>{0, 10}, {3, 3}, {25, 25}}) {
    Loader loader = loader_with(given);
    EXPECT_EQ(loader.batches_per_epoch(), (draws + 3) / 4);
    EXPECT_EQ(loader.batch_size(), std::min<Index>(4, draws));
    EXPECT_EQ(static_cast<Index>(samples_of(loader).size()), 2 * draws);
  }
  EXPECT_EQ(loader_with(25, true).batches_per_epoch(), 6);
  EXPECT_EQ(message_of([&] { loader_with(3, true); }),
            "Loader: number of batches in an epoch is 0, expected more than 0");
}

TEST(WeightedRandomSampler, EpochsAndSeedsDifferAndBatchSizeAndPrefetchingDoNotMatter) {
  const WeightedRandomSampler sampler{.weights = {1, 2, 3, 4, 5, 6, 7, 8}, .num_samples = 20};
  const auto drawn = [&](Index batch_size, bool prefetch, std::uint64_t seed = 3) {
    Loader loader{testing::numbered_samples(8),
                  {.batch_size = batch_size, .epochs = 2, .seed = seed, .prefetch = prefetch, .sampler = sampler}};
    return samples_of(loader);
  };
  const std::vector<Index> expected = drawn(20, false);
  for (const Index batch_size : {1, 7, 20}) {
    for (const bool prefetch : {false, true}) EXPECT_EQ(drawn(batch_size, prefetch), expected);
  }
  EXPECT_NE(drawn(20, false, 4), expected);
  EXPECT_NE(std::vector<Index>(expected.begin(), expected.begin() + 20),
            std::vector<Index>(expected.begin() + 20, expected.end()));
}

TEST(WeightedRandomSampler, DrawsTheSameEverywhere) {
  Loader loader{testing::numbered_samples(4),
                {.batch_size = 12, .seed = 1, .sampler = WeightedRandomSampler{{1, 0, 2, 1}, 12}}};
  Rng rng(1, kLoaderStreams);
  std::vector<Index> expected;
  for (int i = 0; i < 12; ++i) {
    const double u = rng.uniform() * 4.0;
    expected.push_back(u < 1.0 ? 0 : u < 3.0 ? 2 : 3);
  }
  EXPECT_EQ(samples_of(loader), expected);
}

TEST(WeightedRandomSampler, GoesOnExactlyWhereALoaderWas) {
  const WeightedRandomSampler sampler{.weights = {1, 2, 3, 4, 5, 6, 7, 8}, .num_samples = 22};
  for (const bool prefetch : {false, true}) {
    const LoaderOptions options{.batch_size = 5, .epochs = 3, .seed = 3, .prefetch = prefetch, .sampler = sampler};
    Loader whole{testing::numbered_samples(8), options};
    const std::vector<Index> all = samples_of(whole);
    Loader stopped{testing::numbered_samples(8), options};
    for (int i = 0; i < 7; ++i) stopped.next();  // the second batch of the second epoch
    Loader resumed{testing::numbered_samples(8), options};
    resumed.load_state(stopped.state());
    const std::vector<Index> rest(all.begin() + 22 + 10, all.end());
    EXPECT_EQ(samples_of(resumed), rest);
    Loader copy = stopped;
    EXPECT_EQ(samples_of(copy), rest);
    Loader sought{testing::numbered_samples(8), options};
    sought.seek(1, 2);
    EXPECT_EQ(samples_of(sought), rest);
  }
}

TEST(WeightedRandomSampler, RefusesTheStateOfOtherWeights) {
  const auto loader_with = [](const std::vector<double>& weights, Index num_samples = 0) {
    return Loader{testing::numbered_samples(3), {.sampler = WeightedRandomSampler{weights, num_samples}}};
  };
  Loader loader = loader_with({1, 2, 3});
  EXPECT_NE(loader.state().sampler, 0U);
  EXPECT_NO_THROW(loader.load_state(loader_with({1, 2, 3}).state()));
  const std::string other =
      "Loader: load_state: the state is of a sampler with other weights, or of none where there is one";
  EXPECT_EQ(message_of([&] { loader.load_state(loader_with({1, 2, 4}).state()); }), other);
  EXPECT_EQ(message_of([&] { loader.load_state(loader_with({1, 3, 2}).state()); }), other);
  EXPECT_EQ(message_of([&] { loader.load_state(Loader{testing::numbered_samples(3)}.state()); }), other);
  EXPECT_EQ(message_of([&] { Loader{testing::numbered_samples(3)}.load_state(loader.state()); }), other);
  EXPECT_EQ(message_of([&] {
              loader.load_state(loader_with({1, 2, 3}, 4).state());
            }),
            "Loader: load_state: the state is of number of samples 4, expected 3");
}

TEST(WeightedRandomSampler, RefusesWeightsThatCannotBeDrawnBy) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const auto problem = [](const std::vector<double>& weights, Index num_samples = 0, bool shuffle = true) {
    return message_of([&] {
      Loader{testing::numbered_samples(2),
             {.shuffle = shuffle, .sampler = WeightedRandomSampler{weights, num_samples}}};
    });
  };
  EXPECT_EQ(problem({0.0, 1e-300}), "no error");
  EXPECT_EQ(problem({1, 2, 3}), "WeightedRandomSampler: 3 weights for 2 samples");
  EXPECT_EQ(problem({}), "WeightedRandomSampler: sum of the weights is 0, expected more than 0");
  EXPECT_EQ(problem({1, -1}), "WeightedRandomSampler: weight is -1, expected 0 or more");
  EXPECT_EQ(problem({1, nan}), "WeightedRandomSampler: weight is nan, expected 0 or more");
  EXPECT_EQ(problem({1, infinity}), "WeightedRandomSampler: weight is inf, expected 0 or more and finite");
  EXPECT_EQ(problem({0, 0}), "WeightedRandomSampler: sum of the weights is 0, expected more than 0");
  EXPECT_EQ(problem({1e308, 1e308}),
            "WeightedRandomSampler: sum of the weights is inf, expected more than 0 and finite");
  EXPECT_EQ(problem({1, 1}, -1), "WeightedRandomSampler: num_samples is -1, expected 0 or more");
  EXPECT_EQ(problem({1, 1}, 0, false), "Loader: shuffle is false, but a sampler always draws at random");
}

TEST(BalancedWeights, MakeEveryLabelAsFrequent) {
  const Tensor<Index> labels({7}, {4, 0, 4, 4, 9, 4, 0});
  EXPECT_EQ(balanced_weights(labels), (std::vector<double>{0.25, 0.5, 0.25, 0.25, 1.0, 0.25, 0.5}));
  EXPECT_TRUE(balanced_weights(Tensor<Index>({0})).empty());
  EXPECT_THROW(balanced_weights(Tensor<Index>({2, 2}, {1, 2, 3, 4})), ShapeError);
}

}  // namespace
}  // namespace sampler_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
