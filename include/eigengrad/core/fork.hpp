// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include <eigengrad/core/system.hpp>

// fork() copies the memory of a process but only the thread that calls it. So nothing that the library shares between
// threads may be half done at that moment: a fork waits for the locks below, in their order, and the child finds them
// open. Threads are the business of those who started them: they see by forks() that theirs stayed behind.

namespace eigengrad::EIGENGRAD_ISA::detail {

/// Work of threads in the background that a fork waits for: a batch of a loader is made or not begun, never half made.
class BackgroundWork {
 public:
  /// While it lives, the calling thread does such work.
  class Scope {
   public:
    explicit Scope(BackgroundWork& work) : work_(work) { work_.enter(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { work_.leave(); }

   private:
    BackgroundWork& work_;
  };

  /// Lets no work begin and waits for that of all other threads. Not if the calling thread is in the midst of some: two
  /// such threads that fork would wait for each other, and the child has nothing to do but exec or _exit.
  void close() {
    ++closed_;
    for (int working = working_; own_ == 0 && working > 0; working = working_) working_.wait(working);
  }
  void open() {
    --closed_;
    closed_.notify_all();
  }
  void open_in_child() {
    closed_ = 0;
    working_ = own_;
  }

 private:
  void enter() {
    while (true) {
      ++working_;
      const int closed = closed_;
      if (closed == 0 || own_ > 0) break;
      retreat();
      closed_.wait(closed);
    }
    ++own_;
  }
  void leave() {
    --own_;
    retreat();
  }
  void retreat() {
    --working_;
    working_.notify_all();
  }

  static inline thread_local int own_ = 0;  // of the calling thread, which may fork in the midst of it
  std::atomic<int> working_{0};
  std::atomic<int> closed_{0};
};

inline constinit BackgroundWork background_work;
inline constinit std::array<std::mutex, 16> gradient_mutexes;  // autodiff/node.hpp
inline constinit std::mutex crew_mutex;                        // of the worker threads, core/thread_pool.hpp
inline constinit std::mutex memory_mutex;                      // of the free memory, core/memory.hpp

inline constinit std::atomic<std::uint32_t> fork_count{0};
/// How many forks lie between the first process and this one.
inline std::uint32_t forks() { return fork_count.load(std::memory_order_relaxed); }

// Several libraries of a program may share what stands above, and each has these handlers: the first takes the locks,
// the last lets go.
inline thread_local int fork_handlers_inside = 0;

EIGENGRAD_OF_THIS_LIBRARY inline void before_fork() {
  if (fork_handlers_inside++ > 0) return;
  background_work.close();  // first: such work takes memory
  for (std::mutex& mutex : gradient_mutexes) mutex.lock();
  crew_mutex.lock();
  memory_mutex.lock();
}
EIGENGRAD_OF_THIS_LIBRARY inline void after_fork_in_parent() {
  if (--fork_handlers_inside > 0) return;
  memory_mutex.unlock();
  crew_mutex.unlock();
  for (std::mutex& mutex : gradient_mutexes) mutex.unlock();
  background_work.open();
}
EIGENGRAD_OF_THIS_LIBRARY inline void after_fork_in_child() {
  if (--fork_handlers_inside > 0) return;
  ++fork_count;
  memory_mutex.unlock();
  crew_mutex.unlock();
  for (std::mutex& mutex : gradient_mutexes) mutex.unlock();
  background_work.open_in_child();
}
EIGENGRAD_OF_THIS_LIBRARY inline const bool handles_forks =
    at_fork(&before_fork, &after_fork_in_parent, &after_fork_in_child);

}  // namespace eigengrad::EIGENGRAD_ISA::detail
