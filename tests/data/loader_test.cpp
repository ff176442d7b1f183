// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/loader.hpp>

#include "support/numbered_samples.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

template <class D>
std::vector<std::vector<Index>> batches_of(Loader<D> loader) {
  std::vector<std::vector<Index>> batches;
  for (const auto& [inputs, targets] : loader) {
    EXPECT_EQ(inputs.size(0), targets.size(0));
    for (Index i = 0; i < targets.numel(); ++i) EXPECT_EQ(inputs(i, 0), static_cast<float>(targets(i)));
    batches.emplace_back(targets.span().begin(), targets.span().end());
  }
  return batches;
}

TEST(Loader, GivesEverySampleOnceAnEpochAndTheLastSmallerBatch) {
  const auto batches = batches_of(Loader{testing::numbered_samples(10), {.batch_size = 4, .epochs = 2, .seed = 1}});
  ASSERT_EQ(batches.size(), 6U);
  for (const std::size_t epoch : {0U, 3U}) {
    EXPECT_EQ(batches[epoch].size(), 4U);
    EXPECT_EQ(batches[epoch + 2].size(), 2U);
    std::vector<Index> all;
    for (std::size_t i = 0; i < 3; ++i) all.insert(all.end(), batches[epoch + i].begin(), batches[epoch + i].end());
    std::sort(all.begin(), all.end());
    std::vector<Index> expected(10);
    std::iota(expected.begin(), expected.end(), Index{0});
    EXPECT_EQ(all, expected);
  }
  EXPECT_NE(batches[0], batches[3]);  // a new order every epoch
}

TEST(Loader, TheSameSeedGivesTheSameBatches) {
  const LoaderOptions options{.batch_size = 3, .epochs = 2, .seed = 7};
  EXPECT_EQ(batches_of(Loader{testing::numbered_samples(20), options}),
            batches_of(Loader{testing::numbered_samples(20), options}));
  EXPECT_NE(batches_of(Loader{testing::numbered_samples(20), options}),
            batches_of(Loader{testing::numbered_samples(20), {.batch_size = 3, .epochs = 2, .seed = 8}}));
}

TEST(Loader, CanKeepTheOrderAndDropTheLast) {
  const auto batches =
      batches_of(Loader{testing::numbered_samples(5), {.batch_size = 2, .shuffle = false, .drop_last = true}});
  EXPECT_EQ(batches, (std::vector<std::vector<Index>>{{0, 1}, {2, 3}}));
}

TEST(Loader, HasNoEndWhereAskedTo) {
  Loader loader{testing::numbered_samples(3), {.batch_size = 2, .epochs = kEndless}};
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(loader.next().has_value());
}

TEST(Loader, ASecondLoopGoesOnWithNewOrders) {
  Loader loader{testing::numbered_samples(10), {.batch_size = 20, .seed = 1}};
  std::vector<std::vector<Index>> passes;
  for (int pass = 0; pass < 3; ++pass) {
    for (const auto& [inputs, targets] : loader) passes.emplace_back(targets.span().begin(), targets.span().end());
  }
  ASSERT_EQ(passes.size(), 3U);
  EXPECT_NE(passes[0], passes[1]);
  EXPECT_EQ(passes,
            batches_of(Loader{testing::numbered_samples(10), {.batch_size = kEndless, .epochs = 3, .seed = 1}}));
}

TEST(Loader, ACopyGoesOnFromWhereTheLoaderIs) {
  for (const bool prefetch : {false, true}) {
    Loader loader{testing::numbered_samples(10), {.batch_size = 4, .epochs = 3, .seed = 2, .prefetch = prefetch}};
    const auto all = batches_of(loader);  // of a copy
    EXPECT_EQ(all.size(), 9U);
    for (int i = 0; i < 4; ++i) loader.next();
    const std::vector<std::vector<Index>> rest(all.begin() + 4, all.end());
    EXPECT_EQ(batches_of(loader), rest);
    Loader other{testing::numbered_samples(3), {.prefetch = true}};
    other.next();
    other = loader;
    EXPECT_EQ(batches_of(std::move(other)), rest);
    Loader moved = std::move(loader);
    loader = Loader{testing::numbered_samples(10), {.batch_size = 4, .epochs = 3, .seed = 2}};
    EXPECT_EQ(batches_of(std::move(moved)), rest);
    EXPECT_EQ(batches_of(std::move(loader)), all);
  }
}

TEST(Loader, TellsTheSizesOfItsBatches) {
  const auto sizes_of = [](Index samples, const LoaderOptions& options) {
    const Loader loader{testing::numbered_samples(samples), options};
    EXPECT_EQ(loader.dataset().input_shape(loader.batch_size()), (Shape{loader.batch_size(), 1}));
    std::vector<Index> sizes;
    for (const auto& batch : batches_of(loader)) sizes.push_back(static_cast<Index>(batch.size()));
    EXPECT_EQ(sizes.front(), loader.batch_size());
    EXPECT_EQ(sizes.back(), loader.last_batch_size());
    EXPECT_EQ(static_cast<Index>(sizes.size()), loader.batches_per_epoch());
    return std::pair(loader.batch_size(), loader.last_batch_size());
  };
  EXPECT_EQ(sizes_of(10, {.batch_size = 4}), (std::pair<Index, Index>{4, 2}));
  EXPECT_EQ(sizes_of(10, {.batch_size = 4, .drop_last = true}), (std::pair<Index, Index>{4, 4}));
  EXPECT_EQ(sizes_of(10, {.batch_size = 5}), (std::pair<Index, Index>{5, 5}));
  EXPECT_EQ(sizes_of(10, {.batch_size = 99}), (std::pair<Index, Index>{10, 10}));
}

TEST(Loader, RefusesWhatGivesNoBatch) {
  EXPECT_THROW((Loader{testing::numbered_samples(3), {.batch_size = 0}}), ValueError);
  EXPECT_THROW((Loader{testing::numbered_samples(3), {.batch_size = 2, .epochs = 0}}), ValueError);
  EXPECT_THROW((Loader{testing::numbered_samples(0), {.batch_size = 2}}), ValueError);
  EXPECT_THROW((Loader{testing::numbered_samples(3), {.batch_size = 4, .drop_last = true}}), ValueError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
