// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
// ThreadSanitizer knows no threads that a child of a process with threads starts: it stops at their reused numbers.
#if (defined(__unix__) || defined(__APPLE__)) && !defined(__SANITIZE_THREAD__)
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/loader.hpp>

#include "support/in_child.hpp"
#include "support/sanitized.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

using testing::in_child;

std::mutex cache_mutex;  // a data set may lock what it likes: a fork waits until it has let go

/// The numbers of the samples, after some work.
struct Numbers {
  std::chrono::microseconds work{0};
  Index size() const { return 40; }
  Batch<float> batch(std::span<const Index> samples, Index epoch = 0) const {
    const std::lock_guard lock(cache_mutex);
    std::this_thread::sleep_for(work);
    const auto count = static_cast<Index>(samples.size());
    Tensor<float> inputs({count, 1});
    for (Index i = 0; i < count; ++i) {
      inputs.mutable_data()[i] = static_cast<float>(samples[static_cast<std::size_t>(i)]);
    }
    return {inputs, Tensor<Index>::full({count}, epoch)};
  }
};

template <class L>
std::vector<float> rest_of(L& loader) {
  std::vector<float> result;
  while (const auto batch = loader.next()) {
    result.insert(result.end(), batch->inputs.span().begin(), batch->inputs.span().end());
    result.push_back(static_cast<float>(batch->targets(0)));
  }
  return result;
}

TEST(ForkOfALoader, GivesTheSameBatchesInBothProcesses) {
  for (int round = 0; round < 60 && !::testing::Test::HasFailure(); ++round) {
    const Numbers dataset{std::chrono::microseconds(round % 4 * 100)};
    const LoaderOptions options{.batch_size = 3, .epochs = 3, .seed = 7, .prefetch = true};
    Loader loader{dataset, options};
    LoaderOptions plain_options = options;
    plain_options.prefetch = false;
    Loader plain{dataset, plain_options};
    for (int i = 0; i < round % 15; ++i) {  // 14: at the end of an epoch
      loader.next();
      plain.next();
    }
    if (round % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(500));  // the thread is done
    const std::vector<float> expected = rest_of(plain);
    EXPECT_EQ(in_child([&] {
                Loader<Numbers> copy = loader;  // and one that ends with its batches unseen
                copy.next();
                const bool grandchild = in_child([&] { return rest_of(loader) == expected; }) == "true";
                return rest_of(loader) == expected && grandchild;
              }),
              "true");
    EXPECT_EQ(in_child([&] {
                { const Loader<Numbers> ends = std::move(loader); }
                return true;
              }),
              "true");
    EXPECT_EQ(rest_of(loader), expected);
  }
}

TEST(ForkOfALoader, WorksFromAnotherThread) {
  if (EIGENGRAD_TEST_SANITIZED) GTEST_SKIP() << "a sanitizer's malloc stays locked in a child forked beside a malloc";
  std::atomic<bool> over{false};
  std::atomic<int> children{0};
  std::thread other([&] {
    while (!over || children < 20) {
      EXPECT_EQ(in_child([] {
                  Loader loader{Numbers{}, {.batch_size = 7, .prefetch = true}};
                  return rest_of(loader).size() == 40 + 6;
                }),
                "true");
      ++children;
    }
  });
  for (int pass = 0; pass < 20; ++pass) {
    Loader loader{Numbers{}, {.batch_size = 3, .epochs = 2, .prefetch = true}};
    EXPECT_EQ(rest_of(loader).size(), 2U * (40 + 14));
  }
  over = true;
  other.join();
}

/// Forks while it makes a batch.
struct Forking : Numbers {
  bool returns = false;  // the child from batch()
  Batch<float> batch(std::span<const Index> samples, Index epoch = 0) const {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      if (!returns) _exit(0);
      std::freopen("/dev/null", "w", stderr);  // where std::terminate says why
      return Numbers::batch(samples, epoch);
    }
    const bool prefetching = SerialScope::active();
    EXPECT_EQ(testing::outcome_of(child), returns && prefetching ? "signal 6" : "true");
    return Numbers::batch(samples, epoch);
  }
};

TEST(ForkOfALoader, ADataSetMayForkItself) {
  Loader loader{Forking{}, {.batch_size = 10, .prefetch = true}};
  EXPECT_EQ(rest_of(loader).size(), 44U);
}

TEST(ForkOfALoader, AChildThatReturnsOnTheThreadThatPrefetchesEnds) {
  const pid_t parent = getpid();
  Forking dataset;
  dataset.returns = true;
  Loader loader{dataset, {.batch_size = 20, .prefetch = true}};
  const bool first = loader.next().has_value();  // made by this thread: the child goes on
  if (getpid() != parent) _exit(first ? 0 : 1);
  EXPECT_EQ(rest_of(loader).size(), 21U);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
#endif
