// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstddef>

#include <gtest/gtest.h>

#include <eigengrad/core/tensor.hpp>

namespace eigengrad {
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

}  // namespace
}  // namespace eigengrad
