// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include <eigengrad/core/shape.hpp>
#include <eigengrad/core/thread_pool.hpp>

// parallel_for: a loop cut into chunks that several threads work through.
//   parallel_for(rows, 64, [&](Index begin, Index end) { ... });
// The chunks depend on the problem alone, never on the number of threads. A body whose result depends only on
// its chunk therefore computes the same bits with 1, 2 or 8 threads.

namespace eigengrad::EIGENGRAD_ISA {

/// How many threads parallel_for uses, the calling one included. Before the first call of set_num_threads
/// this is $EIGENGRAD_NUM_THREADS, else the number of processors that this process may use: those of its affinity, and
/// no more than its control group grants it the time of.
/// Errors   ValueError if $EIGENGRAD_NUM_THREADS is not a number that set_num_threads takes
int num_threads();

/// Sets the number of threads; 0 means one for every processor. More threads than processors are taken as asked, up to
/// four times the processors or 16; they make nothing faster. Call it while no other thread computes.
/// Errors   ValueError for a negative number or one above the larger of these two, StateError inside a parallel_for
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

inline int num_threads() { return detail::thread_pool.size(); }
inline void set_num_threads(int threads) { detail::thread_pool.resize(threads); }

/// Calls body(begin, end) for the chunks [0, grain), [grain, 2 grain), ... of [0, count), on several threads.
/// A body may take a third argument, its slot: a number below num_threads() that no other body running at the
/// same time has, so that scratch memory can be taken before the loop.
/// A loop inside a body counts slots of its own. An exception of a body reaches the caller after all have
/// ended.
/// A process may be forked at any time, also while other threads compute; parallel_for works in the child. A body on
/// several threads may fork too, but the child has none of the other threads: it must call exec or _exit in the body.
/// Errors   StateError in a child of a body that returned from it; if a worker had forked, nobody can catch it
template <class F>
void parallel_for(Index count, Index grain, F&& body) {
  if (count <= 0) return;
  const Index chunk_size = std::clamp<Index>(grain, 1, count);
  const Index chunks = detail::ceil_div(count, chunk_size);
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
  detail::thread_pool.run(
      chunks, [](void* context, Index chunk, Index slot) { (*static_cast<RunChunk*>(context))(chunk, slot); },
      &run_chunk, SerialScope::active());
}

}  // namespace eigengrad::EIGENGRAD_ISA
