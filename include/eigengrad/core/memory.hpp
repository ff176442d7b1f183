// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <type_traits>
#include <utility>

#include <eigengrad/core/fork.hpp>
#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/system.hpp>

#if defined(__SANITIZE_ADDRESS__)
#define EIGENGRAD_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EIGENGRAD_ADDRESS_SANITIZER
#endif
#endif
#if defined(EIGENGRAD_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

// If tensors live: blocks of 64-byte-aligned memory, counted by reference, that return to a pool when the
// last tensor lets go. A training loop with fixed shapes asks the system for memory in its first steps only.
//
// The pool holds at most 1.5 times the most that was ever in use at once, or 16 MiB if that is more. Within this bound
// a block is kept for a later tensor of its size class. Beyond it larger blocks serve, or those that lay idle longest
// go back to the system.

namespace eigengrad::EIGENGRAD_ISA {

namespace memory {

/// What the pool has done so far in this process.
struct Stats {
  std::int64_t system_allocations = 0;  ///< how often memory was asked of the system
  std::int64_t system_bytes = 0;        ///< bytes held from the system now, in use or free
  std::int64_t used_bytes = 0;          ///< bytes in use by tensors now, in steps of 64
  std::int64_t most_used_bytes = 0;     ///< the most of these at once, since the start or the last trim()
};

}  // namespace memory

namespace detail {

/// The head of a block; the elements follow it at the next 64-byte boundary.
struct alignas(64) Block {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t size_class = 0;
  std::int64_t used_bytes = 0;   // what was asked for, in steps of 64 bytes
  std::int64_t spare_bytes = 0;  // how much larger it is than a block of the class that was asked for
  std::int64_t freed_at = 0;     // how many blocks had been released before it, if it is free
  Block* next_free = nullptr;

  void* payload() { return this + 1; }
};
inline constexpr std::size_t kAlignment = alignof(Block);

// AddressSanitizer is told which bytes of a block are in use, or it would not see a read of a tensor that is gone.
#if defined(EIGENGRAD_ADDRESS_SANITIZER)
inline void allow_access(const void* begin, std::size_t bytes) { __asan_unpoison_memory_region(begin, bytes); }
inline void forbid_access(const void* begin, std::size_t bytes) { __asan_poison_memory_region(begin, bytes); }
#else
inline void allow_access(const void*, std::size_t) {}
inline void forbid_access(const void*, std::size_t) {}
#endif
#undef EIGENGRAD_ADDRESS_SANITIZER  // nobody else's business

/// Free lists by size class: eight classes for every doubling, so that at most an eighth of a block is unused.
///
/// The bound on what it holds, L = max(1.5 most, 16 MiB), is kept like this. A request may find no block of its class,
/// and a new one would break the bound. Then it takes a larger block, if all such blocks together are no more than
/// L - 9/8 most larger than they had to be. Else free blocks go back to the system until the new one fits. That is
/// always enough, because what is in use takes at most 9/8 most + (L - 9/8 most) = L.
///
/// With fixed shapes the first steps find out how many blocks of each class are needed, and mostly that fits. Where
/// blocks had to go back again and again, two batches in turn say, the pool starts anew: every free block goes back,
/// and from then on a free block up to twice as large serves before a new one is made. If that does not settle either,
/// it tries another limit, ever more seldom. Recorded requests of training and inference (fixed shapes, two and three
/// in turn, random ones) then settle in a few steps with rare exceptions, and random ones ask the system less often.
class MemoryPool {
 public:
  /// A block for at least `bytes` bytes; throws std::bad_alloc if the system has none.
  Block* acquire(std::size_t bytes) {
    const std::size_t size_class = class_of(bytes);
    Block* block = nullptr;
    Block* surplus = nullptr;
    {
      const std::lock_guard lock(memory_mutex);
      if (free_[size_class] != nullptr) return take(size_class, size_class, bytes);
      const std::int64_t most = std::max(most_used_bytes_, used_bytes_ + rounded(bytes));
      if (const std::size_t larger = larger_class(size_class, most); larger != kClasses) {
        return take(larger, size_class, bytes);
      }
      system_bytes_ += class_bytes(size_class);
      surplus = take_surplus(bound(most));
    }
    give_back(surplus);
    try {
      block = new (take_from_system(sizeof(Block) + bytes_of(size_class))) Block;
    } catch (...) {
      const std::lock_guard lock(memory_mutex);
      system_bytes_ -= class_bytes(size_class);
      throw;
    }
    block->size_class = static_cast<std::uint32_t>(size_class);
    forbid_access(block->payload(), bytes_of(size_class));
    const std::lock_guard lock(memory_mutex);
    ++system_allocations_;
    use(block, size_class, bytes);
    return block;
  }

  void release(Block* block) {
    const std::lock_guard lock(memory_mutex);
    used_bytes_ -= block->used_bytes;
    spare_bytes_ -= block->spare_bytes;
    forbid_access(block->payload(), bytes_of(block->size_class));
    block->freed_at = releases_++;
    block->next_free = std::exchange(free_[block->size_class], block);
  }

  /// Gives every free block back to the system. The most in use is from now on what is in use now.
  void trim() {
    give_all_back();
    const std::lock_guard lock(memory_mutex);
    most_used_bytes_ = used_bytes_;
    given_back_ = 0;
    starts_ = 0;
  }

  memory::Stats stats() const {
    const std::lock_guard lock(memory_mutex);
    return {system_allocations_, system_bytes_, used_bytes_, most_used_bytes_};
  }

  // Classes 0 to 15 hold 1 to 16 units of 64 bytes; from there on eight classes share every doubling.
  static std::size_t class_of(std::size_t bytes) {
    const std::size_t last_unit = bytes == 0 ? 0 : (bytes - 1) / kAlignment;
    const auto width = static_cast<std::size_t>(std::bit_width(last_unit));
    const std::size_t doubling = width > 4 ? width - 4 : 0;
    return 8 * doubling + (last_unit >> doubling);
  }
  static std::size_t bytes_of(std::size_t size_class) {
    const std::size_t doubling = size_class < 16 ? 0 : size_class / 8 - 1;
    return kAlignment * ((size_class - 8 * doubling + 1) << doubling);
  }

 private:
  // The last class holds half of what a size_t can count.
  static constexpr std::size_t kClasses = 8 * (std::numeric_limits<std::size_t>::digits - 9);
  static constexpr std::int64_t kAlwaysHeld = 16 << 20;
  static constexpr std::int64_t kFirstStart = 4;                    // blocks that went back before the pool starts anew
  static constexpr std::array<int, 3> kLargerPercent{100, 50, 25};  // how much larger a block may be, in turn

  static std::int64_t class_bytes(std::size_t size_class) { return static_cast<std::int64_t>(bytes_of(size_class)); }
  static std::int64_t rounded(std::size_t bytes) {
    return static_cast<std::int64_t>((bytes + kAlignment - 1) / kAlignment * kAlignment);
  }
  static std::int64_t bound(std::int64_t most) { return std::max(most + most / 2, kAlwaysHeld); }

  /// The smallest larger class with a free block that may serve instead of a new one; kClasses if there is none.
  std::size_t larger_class(std::size_t size_class, std::int64_t most) const {
    const std::int64_t needed = class_bytes(size_class);
    std::int64_t spare = bound(most) - most - most / 8 - spare_bytes_;
    if (system_bytes_ + needed <= bound(most)) {
      if (starts_ == 0) return kClasses;
      spare = std::min(spare, needed * kLargerPercent[(starts_ - 1) % kLargerPercent.size()] / 100);
    }
    for (std::size_t larger = size_class + 1; larger < kClasses; ++larger) {
      if (class_bytes(larger) - needed > spare) break;
      if (free_[larger] != nullptr) return larger;
    }
    return kClasses;
  }

  Block* take(std::size_t from, std::size_t asked, std::size_t bytes) {
    Block* block = free_[from];
    free_[from] = block->next_free;
    block->references.store(1, std::memory_order_relaxed);
    use(block, asked, bytes);
    return block;
  }

  void use(Block* block, std::size_t asked, std::size_t bytes) {
    block->used_bytes = rounded(bytes);
    block->spare_bytes = block->size_class == asked ? 0 : class_bytes(block->size_class) - class_bytes(asked);
    used_bytes_ += block->used_bytes;
    spare_bytes_ += block->spare_bytes;
    most_used_bytes_ = std::max(most_used_bytes_, used_bytes_);
    allow_access(block->payload(), bytes);
  }

  /// A list of free blocks without which the pool holds no more than `bound`, as far as there are any.
  Block* take_surplus(std::int64_t bound) {
    Block* list = nullptr;
    if (system_bytes_ > bound && given_back_ >= kFirstStart << starts_) {
      ++starts_;
      move_all_to(list);
    }
    while (system_bytes_ > bound) {
      Block** link = longest_free(system_bytes_ - bound);
      if (link == nullptr) link = longest_free(0);
      if (link == nullptr) break;
      move_to(list, *link);
      ++given_back_;
    }
    return list;
  }

  /// What points to the block of at least `bytes` bytes that has been free for longest; null if there is none.
  Block** longest_free(std::int64_t bytes) {
    Block** longest = nullptr;
    for (std::size_t size_class = class_of(static_cast<std::size_t>(bytes)); size_class < kClasses; ++size_class) {
      for (Block** link = &free_[size_class]; *link != nullptr; link = &(*link)->next_free) {
        if (longest == nullptr || (*link)->freed_at < (*longest)->freed_at) longest = link;
      }
    }
    return longest;
  }

  /// Moves the block that `link` points to from its free list to a list of those that go.
  void move_to(Block*& list, Block*& link) {
    Block* block = std::exchange(link, link->next_free);
    system_bytes_ -= class_bytes(block->size_class);
    block->next_free = std::exchange(list, block);
  }

  void move_all_to(Block*& list) {
    for (Block*& first : free_) {
      while (first != nullptr) move_to(list, first);
    }
  }

  static void give_back(Block* list) {
    while (list != nullptr) {
      Block* block = std::exchange(list, list->next_free);
      // An allocator may keep a large block for another of its size, which is what is not wanted here.
      drop_pages(block->payload(), bytes_of(block->size_class));
      block->~Block();
      ::operator delete (block, std::align_val_t{kAlignment});
    }
  }

  /// If the system has no more, the free blocks are given back and it is asked once again.
  void* take_from_system(std::size_t bytes) {
    constexpr std::align_val_t kBoundary{kAlignment};
    if (void* memory = ::operator new(bytes, kBoundary, std::nothrow)) return memory;
    give_all_back();
    if (void* memory = ::operator new(bytes, kBoundary, std::nothrow)) return memory;
    throw std::bad_alloc();
  }

  void give_all_back() {
    Block* surplus = nullptr;
    {
      const std::lock_guard lock(memory_mutex);
      move_all_to(surplus);
    }
    give_back(surplus);
  }

  // All of it under memory_mutex.
  std::array<Block*, kClasses> free_{};
  std::int64_t system_allocations_ = 0;
  std::int64_t system_bytes_ = 0;
  std::int64_t used_bytes_ = 0;
  std::int64_t most_used_bytes_ = 0;
  std::int64_t spare_bytes_ = 0;
  std::int64_t releases_ = 0;  // how many blocks were released so far
  // Since the last trim():
  std::int64_t given_back_ = 0;  // how many blocks went back for the sake of a new one
  std::size_t starts_ = 0;       // how often the pool started anew
};
static_assert(std::is_trivially_destructible_v<MemoryPool>);

/// The pool is never destroyed: tensors of static storage may outlive every other object.
inline constinit MemoryPool memory_pool;

/// Gives the free memory back when the library, or the program, that this code is part of is unloaded.
class MemoryEnd {
 public:
  MemoryEnd() = default;
  MemoryEnd(const MemoryEnd&) = delete;
  MemoryEnd& operator=(const MemoryEnd&) = delete;
  ~MemoryEnd() { memory_pool.trim(); }
};
EIGENGRAD_OF_THIS_LIBRARY inline const MemoryEnd memory_end;

/// A counted reference to a block.
class BlockPtr {
 public:
  BlockPtr() = default;
  explicit BlockPtr(std::size_t bytes) : block_(memory_pool.acquire(bytes)) {}
  BlockPtr(const BlockPtr& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  BlockPtr(BlockPtr&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockPtr& operator=(BlockPtr other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockPtr() {
    if (block_ != nullptr) let_go(block_);
  }

  explicit operator bool() const { return block_ != nullptr; }
  void* payload() const { return block_ == nullptr ? nullptr : block_->payload(); }
  bool unique() const { return block_ == nullptr || block_->references.load(std::memory_order_acquire) == 1; }
  bool operator==(const BlockPtr& other) const = default;

 private:
  EIGENGRAD_CALLED static void let_go(Block* block) {
    if (block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) memory_pool.release(block);
  }

  Block* block_ = nullptr;
};

/// Memory of the pool for an object that is not a tensor.
inline void* pool_allocate(std::size_t bytes) { return memory_pool.acquire(bytes)->payload(); }
inline void pool_free(void* memory) { memory_pool.release(static_cast<Block*>(memory) - 1); }

/// Lets a container of the standard library live in the pool.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}  // NOLINT(google-explicit-constructor): containers convert
  T* allocate(std::size_t count) { return static_cast<T*>(pool_allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) { pool_free(memory); }
  bool operator==(const PoolAllocator&) const { return true; }
};

}  // namespace detail

namespace memory {

/// Figures of the pool that all tensors come from.
inline Stats stats() { return detail::memory_pool.stats(); }

/// Gives all memory that no tensor holds back to the system, and forgets how much was once in use.
inline void trim() { detail::memory_pool.trim(); }

}  // namespace memory
}  // namespace eigengrad::EIGENGRAD_ISA
