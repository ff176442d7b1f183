// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/loader.hpp>

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

/// What a data set has seen, shared by its copies.
struct Record {
  std::atomic<int> calls{0};
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  std::atomic<bool> serial{false};
  std::atomic<int> without_storage{0};  // calls that had to ask for memory themselves
};

/// Samples whose input is their own number and whose target is the epoch; it can fail at one call, and be slow.
struct Recorder {
  Index count = 10;
  int fails_at = 0;
  std::chrono::microseconds work{0};
  std::shared_ptr<Record> record = std::make_shared<Record>();

  Index size() const { return count; }
  Batch<float> batch(std::span<const Index> samples, Index epoch = 0, Batch<float> storage = {}) const {
    const int inside = ++record->inside;
    if (inside > record->most_inside) record->most_inside = inside;
    record->serial = SerialScope::active();
    std::this_thread::sleep_for(work);
    const int call = ++record->calls;
    const auto size = static_cast<Index>(samples.size());
    const bool in_place = storage.inputs.unique() && storage.inputs.numel() == size && storage.targets.numel() == size;
    if (!in_place) ++record->without_storage;
    Tensor<float> inputs = recycle(std::move(storage.inputs), {size, 1});
    Tensor<Index> targets = recycle(std::move(storage.targets), {size});
    float* to = inputs.mutable_data();
    parallel_for(size, 1,
                 [&](Index begin, Index) { to[begin] = static_cast<float>(samples[static_cast<std::size_t>(begin)]); });
    targets.mutable_array().setConstant(epoch);
    --record->inside;
    if (call == fails_at) throw std::runtime_error("call " + std::to_string(call));
    return {std::move(inputs), std::move(targets)};
  }
};
static_assert(TakesStorage<Recorder>);

/// A data set with nothing but size() and batch(samples).
struct Plain {
  Recorder inner{};
  Index size() const { return inner.size(); }
  Batch<float> batch(std::span<const Index> samples) const { return inner.batch(samples); }
};
static_assert(Dataset<Plain> && !TakesStorage<Plain>);

/// A data set that takes the epoch but no storage, with batches of another type, which is not default constructible.
struct Bare {
  struct Numbers {
    explicit Numbers(Index of_epoch) : epoch(of_epoch) {}
    Index epoch;
    std::vector<Index> samples;
  };
  Index size() const { return 10; }
  Numbers batch(std::span<const Index> samples, Index epoch = -1) const {
    Numbers numbers(epoch);
    numbers.samples.assign(samples.begin(), samples.end());
    return numbers;
  }
};
static_assert(Dataset<Bare> && !TakesStorage<Bare>);

using Seen = std::vector<std::vector<float>>;

/// A batch's inputs, and in the last place its epoch.
std::vector<float> seen(const Batch<float>& batch) {
  std::vector<float> result(batch.inputs.span().begin(), batch.inputs.span().end());
  result.push_back(static_cast<float>(batch.targets(0)));
  return result;
}

template <class D>
Seen seen_of(Loader<D>& loader) {
  Seen result;
  for (const auto& batch : loader) result.push_back(seen(batch));
  return result;
}

class Prefetch : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(0); }
};

TEST_P(Prefetch, GivesTheSameBatches) {
  for (const Index batch_size : {1, 3, 4, 5, 10, 100}) {
    for (const bool drop_last : {false, true}) {
      if (drop_last && batch_size > 10) continue;
      for (const bool shuffle : {false, true}) {
        LoaderOptions options{
            .batch_size = batch_size, .epochs = 3, .shuffle = shuffle, .drop_last = drop_last, .seed = 4};
        Loader plain{Recorder{}, options};
        options.prefetch = true;
        Loader prefetching{Recorder{}, options};
        for (int pass = 0; pass < 3; ++pass) EXPECT_EQ(seen_of(plain), seen_of(prefetching));
        EXPECT_FALSE(plain.next() || prefetching.next());
      }
    }
  }
}

TEST_P(Prefetch, ThePassEndsForTheCallerWhenItHasTheLastBatch) {
  Loader plain{Recorder{}, {.batch_size = 4, .epochs = 2}};
  Loader prefetching{Recorder{}, {.batch_size = 4, .epochs = 2, .prefetch = true}};
  for (int i = 0; i < 60; ++i) {
    // begin_pass in the middle of a pass, also where its last batch lies ready, does nothing.
    plain.begin_pass();
    prefetching.begin_pass();
    const auto expected = plain.next();
    const auto got = prefetching.next();
    ASSERT_TRUE(expected && got);
    EXPECT_EQ(seen(*got), seen(*expected));
    if (i % 6 == 5) {
      EXPECT_FALSE(plain.next() || prefetching.next());
    }
  }
}

TEST_P(Prefetch, GivesTheEpochToDataSetsThatAskForIt) {
  for (const bool prefetch : {false, true}) {
    Loader endless{Recorder{}, {.batch_size = 4, .epochs = kEndless, .prefetch = prefetch}};
    for (Index i = 0; i < 300; ++i) EXPECT_EQ(endless.next()->targets(0), i / 3);
    Loader bare{Bare{}, {.batch_size = 4, .epochs = 2, .shuffle = false, .prefetch = prefetch}};
    std::vector<Index> epochs;
    for (const auto& batch : bare) {
      EXPECT_EQ(batch.samples.at(0), static_cast<Index>(epochs.size()) % 3 * 4);
      epochs.push_back(batch.epoch);
    }
    EXPECT_EQ(epochs, (std::vector<Index>{0, 0, 0, 1, 1, 1}));
    Loader plain{Plain{}, {.batch_size = 4, .epochs = 2, .prefetch = prefetch}};
    EXPECT_EQ(seen_of(plain).size(), 6U);
  }
}

TEST_P(Prefetch, WorksAheadAndOneCallAtATime) {
  const Recorder dataset{.count = 40, .work = std::chrono::microseconds(50)};
  Loader loader{dataset, {.batch_size = 2, .epochs = 3, .prefetch = true}};
  int taken = 0;
  while (auto batch = loader.next()) {
    ++taken;
    if (taken < 60) {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (dataset.record->calls == taken && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      EXPECT_EQ(dataset.record->calls, taken + 1);  // without being asked
      EXPECT_TRUE(dataset.record->serial);
    }
    parallel_for(20, 1, [](Index, Index) {});
  }
  EXPECT_EQ(taken, 60);
  EXPECT_EQ(dataset.record->calls, 60);
  EXPECT_EQ(dataset.record->most_inside, 1);
}

TEST_P(Prefetch, AnErrorOfTheDataSetComesWithItsBatchAndTheBatchCanBeAskedForAgain) {
  for (const bool prefetch : {false, true}) {
    const LoaderOptions options{.batch_size = 3, .epochs = 2, .seed = 5, .prefetch = prefetch};
    Loader sound{Recorder{}, options};
    Seen expected = seen_of(sound);
    for (int fails_at = 1; fails_at <= 8; ++fails_at) {
      const Recorder dataset{.fails_at = fails_at};
      Loader loader{dataset, options};
      Seen got;
      for (int call = 1; call <= 9; ++call) {
        if (call == fails_at)
          EXPECT_THROW(loader.next(), std::runtime_error);
        else
          got.push_back(seen(*loader.next()));
      }
      EXPECT_EQ(got, expected);
      EXPECT_FALSE(loader.next());
    }
    // An error that nobody asks for disappears with the loader.
    Loader loader{Recorder{.fails_at = 2}, options};
    EXPECT_TRUE(loader.next());
  }
}

TEST_P(Prefetch, ABatchThatTheCallerHoldsStaysAsItIs) {
  for (const bool prefetch : {false, true}) {
    const LoaderOptions options{.batch_size = 4, .epochs = 4, .seed = 6, .prefetch = prefetch};
    Loader one{Recorder{}, options};
    const Seen expected = seen_of(one);
    Loader loader{Recorder{}, options};
    std::vector<Batch<float>> held;
    for (const auto& batch : loader) held.push_back(batch);
    ASSERT_EQ(held.size(), expected.size());
    for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(seen(held[i]), expected[i]);
    // Written to by the caller, a batch is the caller's own.
    loader.begin_pass();
    auto mine = loader.next();
    mine->inputs.mutable_array().setConstant(-1.0F);
    auto next = loader.next();
    EXPECT_GE(next->inputs.array().minCoeff(), 0.0F);
    EXPECT_EQ(mine->inputs.array().maxCoeff(), -1.0F);
  }
}

TEST_P(Prefetch, BatchesAreMadeInTheMemoryOfThoseLetGo) {
  for (const bool prefetch : {false, true}) {
    Loader loader{Recorder{.count = 1000}, {.batch_size = 300, .epochs = kEndless, .prefetch = prefetch}};
    std::vector<const float*> blocks;
    std::optional<Batch<float>> batch;
    for (int i = 0; i < 40; ++i) {
      batch.reset();
      batch = loader.next();
      const float* block = batch->inputs.data();
      if (std::find(blocks.begin(), blocks.end(), block) == blocks.end()) blocks.push_back(block);
    }
    EXPECT_EQ(blocks.size(), prefetch ? 3U : 2U);  // one of them for the smaller last batch
    // Without the reset one more, and none after the first epoch.
    Loader holding{Recorder{.count = 1000}, {.batch_size = 300, .epochs = kEndless, .prefetch = prefetch}};
    std::int64_t after_first_epoch = 0;
    for (int i = 0; i < 40; ++i) {
      batch = holding.next();
      if (i == 5) after_first_epoch = memory::stats().system_allocations;
    }
    EXPECT_EQ(memory::stats().system_allocations, after_first_epoch);
  }
}

TEST_P(Prefetch, AllMemoryIsThereWhenNextReturns) {
  for (const bool prefetch : {false, true}) {
    const Recorder dataset{.count = 1000};
    Loader loader{dataset, {.batch_size = 250, .epochs = kEndless, .prefetch = prefetch}};
    std::vector<const float*> blocks;
    Tensor<float> kept_by_a_network;  // until its next forward
    std::int64_t after_two = 0;
    for (int step = 1; step <= 40; ++step) {
      auto batch = loader.next();
      if (step == 2) after_two = memory::stats().used_bytes;  // the thread may not have begun
      if (step > 2) {
        EXPECT_EQ(memory::stats().used_bytes, after_two);
      }
      kept_by_a_network = batch->inputs;
      if (std::find(blocks.begin(), blocks.end(), kept_by_a_network.data()) == blocks.end()) {
        blocks.push_back(kept_by_a_network.data());
      }
    }
    EXPECT_EQ(dataset.record->without_storage, 1);  // the first, made on this thread
    EXPECT_EQ(blocks.size(), prefetch ? 3U : 2U);
  }
}

TEST_P(Prefetch, ALoaderCanEndAndMoveAtAnyMoment) {
  for (int round = 0; round < 300; ++round) {
    const Recorder dataset{.fails_at = round % 7, .work = std::chrono::microseconds(round % 3 * 20)};
    Loader loader{dataset, {.batch_size = 3, .epochs = 2, .prefetch = true}};
    for (int i = 0; i < round % 11; ++i) {
      try {
        if (!loader.next()) loader.begin_pass();
        if (i % 4 == 1) {
          Loader moved = std::move(loader);
          loader = std::move(moved);
        }
        if (i % 5 == 2) {
          Loader copy = loader;  // while the thread works
          copy.begin_pass();
          EXPECT_TRUE(copy.next().has_value());
          loader = copy;
        }
      } catch (const std::runtime_error&) {
        EXPECT_GE(dataset.record->calls, dataset.fails_at);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Prefetch, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
