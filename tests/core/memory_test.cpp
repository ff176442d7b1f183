// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <new>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <unistd.h>
#endif

#include <gtest/gtest.h>

#include <eigengrad/core/tensor.hpp>

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using detail::MemoryPool;

TEST(MemoryPool, AClassHoldsEverySizeThatMapsToIt) {
  std::size_t last = 0;
  for (std::size_t bytes = 1; bytes < (std::size_t{1} << 22); bytes += 61) {
    const std::size_t size_class = MemoryPool::class_of(bytes);
    const std::size_t held = MemoryPool::bytes_of(size_class);
    EXPECT_GE(held, bytes);
    EXPECT_EQ(held % 64, 0U);
    EXPECT_GE(size_class, last);
    if (bytes > 1024) {
      EXPECT_LE(held, bytes + bytes / 8 + 64) << bytes;  // at most an eighth is unused
    }
    last = size_class;
  }
}

TEST(MemoryPool, EachClassIsTheClassOfItsSize) {
  for (std::size_t size_class = 0; size_class < 200; ++size_class) {
    EXPECT_EQ(MemoryPool::class_of(MemoryPool::bytes_of(size_class)), size_class);
    EXPECT_EQ(MemoryPool::class_of(MemoryPool::bytes_of(size_class) + 1), size_class + 1);
  }
}

TEST(MemoryPool, GivesAFreedBlockAgain) {
  const void* first = nullptr;
  {
    const Tensor<float> x({12345});
    first = x.data();
  }
  const auto before = memory::stats();
  const Tensor<float> y({12345});
  EXPECT_EQ(y.data(), first);
  EXPECT_EQ(memory::stats().system_allocations, before.system_allocations);
}

TEST(MemoryPool, CountsWhatIsUsedAndHeld) {
  memory::trim();
  const auto before = memory::stats();
  {
    const Tensor<float> x({1 << 20});
    EXPECT_EQ(memory::stats().used_bytes - before.used_bytes, 4 << 20);
    EXPECT_EQ(memory::stats().system_bytes - before.system_bytes, 4 << 20);
  }
  EXPECT_EQ(memory::stats().used_bytes, before.used_bytes);
  EXPECT_EQ(memory::stats().system_bytes - before.system_bytes, 4 << 20);
  memory::trim();
  EXPECT_EQ(memory::stats().system_bytes, before.system_bytes);
}

/// What is held against the bound, seen from outside: bytes that were asked for.
class MemoryBound : public ::testing::Test {
 protected:
  void SetUp() override { begin(); }

  void begin() {
    memory::trim();
    base_ = memory::stats();
    most_ = used_;
  }

  Tensor<std::uint8_t> take(Index bytes) {
    used_ += bytes;
    most_ = std::max(most_, used_);
    Tensor<std::uint8_t> block({bytes});
    check();
    return block;
  }
  void let_go(Tensor<std::uint8_t>& block) {
    used_ -= block.numel();
    block = {};
    check();
  }
  std::int64_t fresh() const { return memory::stats().system_allocations; }
  std::int64_t held() const { return memory::stats().system_bytes; }

 private:
  void check() const {
    const auto stats = memory::stats();
    const std::int64_t most = base_.used_bytes + most_;
    ASSERT_LE(stats.system_bytes, std::max<std::int64_t>(most + most / 2, 16 << 20) + 64 * 1000);  // rounding up to 64
    ASSERT_GE(stats.most_used_bytes, most);
    ASSERT_GE(stats.system_bytes, stats.used_bytes);
  }

  memory::Stats base_;
  std::int64_t used_ = 0;
  std::int64_t most_ = 0;
};

TEST_F(MemoryBound, HoldsForRandomSizesAndOrders) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    Rng rng(seed);
    std::vector<Tensor<std::uint8_t>> blocks;
    for (int i = 0; i < 20000; ++i) {
      const bool grows = (i / 1000) % 2 == 0;  // waves
      if (blocks.empty() || (rng.uniform() < (grows ? 0.6 : 0.4) && blocks.size() < 900)) {
        const double magnitude = rng.uniform(0.0, seed % 2 == 0 ? 23.0 : 18.0);
        blocks.push_back(take(static_cast<Index>(std::exp2(magnitude))));
      } else {
        const auto chosen = static_cast<std::size_t>(rng.below(static_cast<Index>(blocks.size())));
        std::swap(blocks[chosen], blocks.back());
        let_go(blocks.back());
        blocks.pop_back();
      }
      if (HasFatalFailure()) return;
    }
    for (auto& block : blocks) let_go(block);
  }
}

TEST_F(MemoryBound, HoldsForOneSizeAfterAnother) {
  for (Index bytes = 1 << 18; bytes < (1 << 26); bytes += bytes / 7) {
    std::vector<Tensor<std::uint8_t>> blocks;
    for (int i = 0; i < 3; ++i) blocks.push_back(take(bytes));
    for (auto& block : blocks) let_go(block);
    if (HasFatalFailure()) return;
  }
}

TEST_F(MemoryBound, BlocksOfOtherSizesServeRatherThanTheSystem) {
  // Layers one after the other, each a little smaller than the one before: two are in use at once.
  const auto pass = [&] {
    Tensor<std::uint8_t> x = take(50 << 20);
    for (Index size = 45; size >= 5; size -= 5) {
      auto y = take(size << 20);
      let_go(x);
      x = std::move(y);
    }
    let_go(x);
  };
  for (int i = 0; i < 3; ++i) pass();
  const auto after_three = fresh();
  for (int i = 0; i < 10; ++i) pass();
  EXPECT_EQ(fresh(), after_three);
}

TEST_F(MemoryBound, TwoSizesInTurnSettleDown) {
  for (const Index percent : {5, 20, 40, 49, 51, 55, 60, 70, 90, 99}) {
    begin();
    std::int64_t before = 0;
    for (int round = 0; round < 10; ++round) {
      if (round == 3) before = fresh();
      for (const Index of_100 : {Index{100}, percent}) {
        std::vector<Tensor<std::uint8_t>> blocks;
        for (const Index layer : {10, 7, 7, 5, 4, 4, 3, 3, 3, 2, 1})
          blocks.push_back(take((layer << 20) * of_100 / 100));
        for (auto& block : blocks) let_go(block);
      }
    }
    EXPECT_EQ(fresh(), before) << percent;
  }
}

TEST_F(MemoryBound, SmallTotalsAreFree) {
  for (int i = 0; i < 2; ++i) {
    const auto before = fresh();
    for (Index bytes = 100; bytes < 100000; bytes += 1000) {
      auto block = take(bytes);
      let_go(block);
    }
    if (i > 0) {
      EXPECT_EQ(fresh(), before);
    }
  }
}

// The sanitizers' own memory grows with what is written, and what is freed they keep.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/// Bytes of this process that are in memory.
std::int64_t resident_bytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST_F(MemoryBound, LargeBlocksGoBackToTheSystemItself) {
  const std::int64_t before = resident_bytes();
  std::int64_t most = 0;
  for (int round = 0; round < 25; ++round) {  // sizes that no later round has
    std::vector<Tensor<std::uint8_t>> blocks;
    for (int i = 0; i < 6; ++i) {
      blocks.push_back(take((1 << 20) + 300000 * round + 70000 * i));
      std::memset(blocks.back().mutable_data(), 1, static_cast<std::size_t>(blocks.back().numel()));
    }
    for (auto& block : blocks) let_go(block);
    most = std::max(most, resident_bytes() - before);
  }
  EXPECT_LE(most, memory::stats().most_used_bytes * 3 / 2 + (16 << 20));
  memory::trim();
  EXPECT_LE(resident_bytes() - before, 16 << 20);
}
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which end a program that asks for so much
TEST_F(MemoryBound, WhatCannotBeHadChangesNothing) {
  const auto before = memory::stats();
  EXPECT_THROW(detail::memory_pool.acquire(std::size_t{1} << 59), std::bad_alloc);
  EXPECT_EQ(memory::stats().system_bytes, before.system_bytes);
  EXPECT_EQ(memory::stats().most_used_bytes, before.most_used_bytes);
}
#endif

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
