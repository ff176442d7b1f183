// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigengrad/core/shape.hpp>

// parallel_for: a loop cut into chunks that several threads work through.
//   parallel_for(rows, 64, [&](Index begin, Index end) { ... });
// The chunks depend on the problem alone, never on the number of threads. A body whose result depends only on
// its chunk therefore computes the same bits with 1, 2 or 8 threads.

namespace eigengrad {

/// How many threads parallel_for uses, the calling one included. Before the first call of set_num_threads
/// this is $EIGENGRAD_NUM_THREADS, else the number of processors.
int num_threads();

/// Sets the number of threads; 0 means one for every processor. Call it while no other thread computes.
/// Errors   ValueError for a negative number, StateError inside a parallel_for
void set_num_threads(int threads);

/// While it lives, the parallel loops of the thread that made it run on that thread alone, with the same result:
/// for a thread that works in the background and must not take the pool from the one that it works for. It ends on
/// the thread that made it; one may live inside another.
class SerialScope {
 public:
  SerialScope() : outer_(std::exchange(active_, true)) {}
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;
  ~SerialScope() { active_ = outer_; }

  /// True if the calling thread is inside one.
  static bool active() { return active_; }

 private:
  static inline thread_local bool active_ = false;
  bool outer_;
};

namespace detail {

inline void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// A waiting thread spins this often (some 50 microseconds) before it sleeps: parallel loops of a training
/// step follow each other closer than a sleeping thread wakes up.
inline constexpr int kSpins = 4000;

/// The worker threads. The caller of run() publishes a job, works on it itself, closes it and waits for those
/// workers that have entered it: a worker that the system has not scheduled in time is never waited for.
class ThreadPool {
 public:
  using Body = void (*)(void* context, Index chunk, Index slot);

  /// One pool a process. It is never destroyed: objects of static storage may compute until the very end.
  static ThreadPool& instance() {
    static ThreadPool& pool = *new ThreadPool;
    return pool;
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return size_.load(std::memory_order_relaxed); }

  void resize(int threads) {
    if (threads < 0) throw ValueError(error_text("set_num_threads: ", threads, " threads, expected 0 or more"));
    if (inside_) throw StateError("set_num_threads: called inside a parallel_for");
    const std::lock_guard lock(mutex_);
    stop();
    size_.store(threads == 0 ? processors() : threads, std::memory_order_relaxed);
  }

  /// Calls body(context, chunk, slot) once for every chunk in [0, chunks); rethrows the first exception.
  void run(Index chunks, Body body, void* context) {
    // Inside a chunk or a SerialScope, or while another thread of the user holds the pool: work alone.
    std::unique_lock<std::mutex> lock;
    if (chunks > 1 && size() > 1 && !inside_ && !SerialScope::active())
      lock = std::unique_lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) {
      for (Index chunk = 0; chunk < chunks; ++chunk) body(context, chunk, 0);
      return;
    }
    start();
    body_ = body;
    context_ = context;
    error_ = nullptr;
    for (std::size_t slot = 0; slot < shares_.size(); ++slot) {
      const auto of_slot = [&](std::size_t i) { return chunks * static_cast<Index>(i) / size(); };
      shares_[slot].next.store(of_slot(slot), std::memory_order_relaxed);
      shares_[slot].end = of_slot(slot + 1);
    }
    const std::uint32_t job = std::max(epoch_.load(std::memory_order_relaxed) + 1, 1U);  // 0 is no job
    open_.store(job);
    epoch_.store(job);
    epoch_.notify_all();
    work(0);
    open_.store(0);
    for (int spins = 0; active_.load() != 0; ++spins) {
      if (spins < kSpins)
        pause_processor();
      else
        std::this_thread::yield();
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  ThreadPool() : size_(initial_size()) {}

  static int processors() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

  static int initial_size() {
    const char* text = std::getenv("EIGENGRAD_NUM_THREADS");
    const std::string_view digits(text == nullptr ? "" : text);
    if (digits.empty()) return processors();
    int threads = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), threads);
    if (problem != std::errc() || end != digits.data() + digits.size() || threads < 0) {
      throw ValueError(error_text("EIGENGRAD_NUM_THREADS: \"", digits, "\", expected a number of threads, 0 or more"));
    }
    return threads == 0 ? processors() : threads;
  }

  void start() {
    if (!workers_.empty()) return;
    shares_ = std::vector<Share>(static_cast<std::size_t>(size()));
    try {
      for (int slot = 1; slot < size(); ++slot) {
        workers_.emplace_back([this, slot, seen = epoch_.load()] { loop(slot, seen); });
      }
    } catch (const std::system_error&) {
      // The system has no more threads: those that are there take the shares of the others too.
    }
  }

  void stop() {
    if (workers_.empty()) return;
    stopping_.store(true);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    stopping_.store(false);
  }

  void loop(Index slot, std::uint32_t seen) {
    while (true) {
      for (int spins = 0; epoch_.load() == seen; ++spins) {
        if (spins < kSpins)
          pause_processor();
        else
          epoch_.wait(seen);
      }
      seen = epoch_.load();
      if (stopping_.load()) return;
      active_.fetch_add(1);
      if (open_.load() == seen) work(slot);
      active_.fetch_sub(1);
    }
  }

  /// Takes the chunks of its own share, then what the others have left. A thread that meets the same share of
  /// a tensor in one loop after another finds it in its own cache.
  void work(Index slot) {
    inside_ = true;
    const std::size_t count = shares_.size();
    for (std::size_t i = 0; i < count; ++i) {
      Share& share = shares_[(static_cast<std::size_t>(slot) + i) % count];
      for (Index chunk; (chunk = share.next.fetch_add(1, std::memory_order_relaxed)) < share.end;) {
        try {
          body_(context_, chunk, slot);
        } catch (...) {
          fail(std::current_exception());
        }
      }
    }
    inside_ = false;
  }

  /// Keeps the first error and leaves out all chunks that nobody has begun.
  void fail(std::exception_ptr error) {
    const std::lock_guard lock(error_mutex_);
    if (!error_) error_ = std::move(error);
    for (Share& share : shares_) share.next.store(share.end, std::memory_order_relaxed);
  }

  /// The chunks that a thread takes first.
  struct alignas(64) Share {
    std::atomic<Index> next{0};
    Index end = 0;
  };

  static inline thread_local bool inside_ = false;

  std::atomic<int> size_;
  std::mutex mutex_;  // held by the thread whose job runs
  std::vector<std::thread> workers_;

  Body body_ = nullptr;
  void* context_ = nullptr;
  std::vector<Share> shares_;  // one for each thread
  std::mutex error_mutex_;
  std::exception_ptr error_;

  alignas(64) std::atomic<std::uint32_t> epoch_{0};  // counts jobs; workers wait for it to change
  std::atomic<std::uint32_t> open_{0};               // the job workers may enter, 0 for none
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<int> active_{0};  // workers that may be touching the job
};

}  // namespace detail

inline int num_threads() { return detail::ThreadPool::instance().size(); }
inline void set_num_threads(int threads) { detail::ThreadPool::instance().resize(threads); }

/// Calls body(begin, end) for the chunks [0, grain), [grain, 2 grain), ... of [0, count), on several threads.
/// A body may take a third argument, its slot: a number below num_threads() that no other body running at the
/// same time has, so that scratch memory can be taken before the loop.
/// A loop inside a body counts slots of its own. An exception of a body reaches the caller after all have
/// ended.
template <class F>
void parallel_for(Index count, Index grain, F&& body) {
  if (count <= 0) return;
  const Index chunk_size = std::clamp<Index>(grain, 1, count);
  const Index chunks = (count - 1) / chunk_size + 1;
  auto run_chunk = [&](Index chunk, Index slot) {
    const Index begin = chunk * chunk_size;
    const Index end = std::min(begin + chunk_size, count);
    if constexpr (std::is_invocable_v<F&, Index, Index, Index>)
      body(begin, end, slot);
    else
      body(begin, end);
  };
  if (chunks == 1) return run_chunk(0, 0);
  using RunChunk = decltype(run_chunk);
  detail::ThreadPool::instance().run(
      chunks, [](void* context, Index chunk, Index slot) { (*static_cast<RunChunk*>(context))(chunk, slot); },
      &run_chunk);
}

}  // namespace eigengrad
