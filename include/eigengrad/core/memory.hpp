// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

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

// Where tensors live: blocks of 64-byte-aligned memory, counted by reference, that return to a pool when the
// last tensor lets go. A training loop with fixed shapes asks the system for memory in its first steps only.

namespace eigengrad {

namespace memory {

/// What the pool has done so far in this process.
struct Stats {
  std::int64_t system_allocations = 0;  ///< how often memory was asked of the system
  std::int64_t system_bytes = 0;        ///< bytes held from the system now, in use or free
  std::int64_t used_bytes = 0;          ///< bytes in blocks that a tensor holds now
};

}  // namespace memory

namespace detail {

/// The head of a block; the elements follow it at the next 64-byte boundary.
struct alignas(64) Block {
  std::atomic<std::uint32_t> references{1};
  std::uint32_t size_class = 0;
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

/// Free lists by size class: eight classes for every doubling, so that at most an eighth of a block is
/// unused.
class MemoryPool {
 public:
  /// One pool a process. It is never destroyed: tensors of static storage may outlive every other object.
  static MemoryPool& instance() {
    static MemoryPool& pool = *new MemoryPool;
    return pool;
  }

  /// A block for at least `bytes` bytes; throws std::bad_alloc where the system has none.
  Block* acquire(std::size_t bytes) {
    const std::size_t size_class = class_of(bytes);
    {
      const std::lock_guard lock(mutex_);
      if (Block* block = free_[size_class]) {
        free_[size_class] = block->next_free;
        used_bytes_ += static_cast<std::int64_t>(bytes_of(size_class));
        allow_access(block->payload(), bytes);
        block->references.store(1, std::memory_order_relaxed);
        return block;
      }
    }
    void* fresh = take_from_system(sizeof(Block) + bytes_of(size_class));
    auto* block = new (fresh) Block;
    block->size_class = static_cast<std::uint32_t>(size_class);
    const std::lock_guard lock(mutex_);
    ++system_allocations_;
    system_bytes_ += static_cast<std::int64_t>(bytes_of(size_class));
    used_bytes_ += static_cast<std::int64_t>(bytes_of(size_class));
    forbid_access(block->payload(), bytes_of(size_class));
    allow_access(block->payload(), bytes);
    return block;
  }

  void release(Block* block) {
    const std::lock_guard lock(mutex_);
    used_bytes_ -= static_cast<std::int64_t>(bytes_of(block->size_class));
    forbid_access(block->payload(), bytes_of(block->size_class));
    block->next_free = std::exchange(free_[block->size_class], block);
  }

  /// Gives every free block back to the system.
  void trim() {
    const std::lock_guard lock(mutex_);
    for (Block*& head : free_) {
      while (head != nullptr) {
        Block* block = std::exchange(head, head->next_free);
        system_bytes_ -= static_cast<std::int64_t>(bytes_of(block->size_class));
        block->~Block();
        ::operator delete (block, std::align_val_t{kAlignment});
      }
    }
  }

  memory::Stats stats() const {
    const std::lock_guard lock(mutex_);
    return {system_allocations_, system_bytes_, used_bytes_};
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
  static constexpr std::size_t kClasses = 8 * 60;

  /// Where the system has no more, the free blocks are given back and it is asked once again.
  void* take_from_system(std::size_t bytes) {
    try {
      return ::operator new (bytes, std::align_val_t{kAlignment});
    } catch (const std::bad_alloc&) {
      trim();
      return ::operator new (bytes, std::align_val_t{kAlignment});
    }
  }

  mutable std::mutex mutex_;
  std::array<Block*, kClasses> free_{};
  std::int64_t system_allocations_ = 0;
  std::int64_t system_bytes_ = 0;
  std::int64_t used_bytes_ = 0;
};

/// A counted reference to a block.
class BlockPtr {
 public:
  BlockPtr() = default;
  explicit BlockPtr(std::size_t bytes) : block_(MemoryPool::instance().acquire(bytes)) {}
  BlockPtr(const BlockPtr& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  BlockPtr(BlockPtr&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockPtr& operator=(BlockPtr other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockPtr() {
    if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      MemoryPool::instance().release(block_);
    }
  }

  explicit operator bool() const { return block_ != nullptr; }
  void* payload() const { return block_ == nullptr ? nullptr : block_->payload(); }
  bool unique() const { return block_ == nullptr || block_->references.load(std::memory_order_acquire) == 1; }
  bool operator==(const BlockPtr& other) const = default;

 private:
  Block* block_ = nullptr;
};

/// Memory of the pool for an object that is not a tensor.
inline void* pool_allocate(std::size_t bytes) { return MemoryPool::instance().acquire(bytes)->payload(); }
inline void pool_free(void* memory) { MemoryPool::instance().release(static_cast<Block*>(memory) - 1); }

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
inline Stats stats() { return detail::MemoryPool::instance().stats(); }

/// Gives all memory that no tensor holds back to the system.
inline void trim() { detail::MemoryPool::instance().trim(); }

}  // namespace memory
}  // namespace eigengrad
