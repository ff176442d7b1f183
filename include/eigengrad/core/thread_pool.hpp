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

#include <eigengrad/core/fork.hpp>
#include <eigengrad/core/processors.hpp>
#include <eigengrad/core/shape.hpp>
#include <eigengrad/core/system.hpp>

// The threads behind parallel_for, and what becomes of them when a library ends or a process forks.

namespace eigengrad::EIGENGRAD_ISA::detail {

inline void pause_processor() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Set when the library (or program) that this code is part of has ended: from then on it starts no threads.
EIGENGRAD_OF_THIS_LIBRARY inline constinit std::atomic<bool> library_has_ended{false};

/// Worker threads and the job they work on. The caller of run() publishes a job, works on it itself, closes it and
/// waits for those workers that have entered it: a worker that the system has not scheduled in time is never waited
/// for. It lives as long as one of its threads or the pool holds it.
class Crew {
 public:
  using Body = void (*)(void* context, Index chunk, Index slot);

  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// True if the calling thread is inside a chunk.
  static bool inside() { return inside_; }

  /// Starts size - 1 threads, or as many as the system has: those that are there take the shares of the others too.
  EIGENGRAD_OF_THIS_LIBRARY static Crew* of(int size) {
    auto* crew = new Crew(size, &library_has_ended);
    for (int slot = 1; slot < size; ++slot) {
      ++crew->holders_;
      try {
        crew->threads_.emplace_back(&Crew::serve, crew, Index{slot});
      } catch (...) {  // std::system_error or std::bad_alloc
        --crew->holders_;
        break;
      }
    }
    return crew;
  }

  void release() {
    if (--holders_ == 0) delete this;
  }

  bool usable() const { return !leaving_.load(std::memory_order_relaxed) && of_this_process(); }
  /// False after a fork: the threads stayed in the other process.
  bool of_this_process() const { return forks_ == forks(); }
  /// True if the threads run code of the library that has this flag.
  bool belongs_to(const std::atomic<bool>* library) const { return library_ == library; }

  /// Calls body(context, chunk, slot) once for every chunk in [0, chunks); rethrows the first exception.
  void run(Index chunks, Body body, void* context) {
    body_ = body;
    context_ = context;
    const auto count = static_cast<Index>(shares_.size());
    for (Index slot = 0; slot < count; ++slot) {
      Share& share = shares_[static_cast<std::size_t>(slot)];
      share.next.store(chunks * slot / count, std::memory_order_relaxed);
      share.end = chunks * (slot + 1) / count;
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

  /// Sends the threads home, each after the chunk that it is at.
  void dismiss() {
    leaving_.store(true);
    epoch_.fetch_add(1);
    epoch_.notify_all();
  }
  /// The threads, for somebody to wait for.
  std::vector<std::thread> take_threads() { return std::exchange(threads_, {}); }

  Crew* next_lost = nullptr;  // of those that a fork left without threads

 private:
  /// A waiting thread spins this often (some 50 microseconds) before it sleeps: parallel loops of a training
  /// step follow each other closer than a sleeping thread wakes up.
  static constexpr int kSpins = 4000;

  Crew(int size, const std::atomic<bool>* library)
      : shares_(static_cast<std::size_t>(size)), spins_(size <= usable_processors() ? kSpins : 0), library_(library) {
    threads_.reserve(static_cast<std::size_t>(size) - 1);
  }
  ~Crew() = default;

  // What a thread runs is code of the library that has started it: it must not go on when that is unloaded.
  EIGENGRAD_OF_THIS_LIBRARY static void serve(Crew* crew, Index slot) {
    crew->loop(slot);
    crew->release();
  }

  void loop(Index slot) {
    std::uint32_t seen = 0;
    while (true) {
      for (int spins = 0; epoch_.load() == seen; ++spins) {
        if (spins < spins_)
          pause_processor();
        else
          epoch_.wait(seen);
      }
      seen = epoch_.load();
      if (leaving_.load()) return;
      active_.fetch_add(1);
      if (open_.load() == seen) work(slot);
      active_.fetch_sub(1);
    }
  }

  /// Takes the chunks of its own share, then what the others have left. A thread that meets the same share of
  /// a tensor in one loop after another finds it in its own cache.
  void work(Index slot) {
    struct Inside {
      Inside() { inside_ = true; }
      ~Inside() { inside_ = false; }
    } const inside;
    const std::size_t count = shares_.size();
    for (std::size_t i = 0; i < count; ++i) {
      Share& share = shares_[(static_cast<std::size_t>(slot) + i) % count];
      while (slot == 0 || !leaving_.load(std::memory_order_relaxed)) {
        const Index chunk = share.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= share.end) break;
        try {
          body_(context_, chunk, slot);
        } catch (...) {
          if (of_this_process()) fail(std::current_exception());
        }
        // On a worker nobody is there to catch this, and nobody is left in the child who could go on.
        if (!of_this_process()) {
          throw StateError(
              "parallel_for: a body has called fork() and returned in the child, where the threads of the other chunks "
              "are missing; expected exec or _exit");
        }
      }
    }
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

  std::vector<std::thread> threads_;
  std::vector<Share> shares_;  // one for each slot
  int spins_;                  // more threads than processors: they do not hold up those that work
  std::uint32_t forks_ = forks();
  const std::atomic<bool>* library_;
  Body body_ = nullptr;
  void* context_ = nullptr;
  std::mutex error_mutex_;
  std::exception_ptr error_;
  std::atomic<int> holders_{1};

  alignas(64) std::atomic<std::uint32_t> epoch_{0};  // counts jobs; workers wait for it to change
  std::atomic<std::uint32_t> open_{0};               // the job workers may enter, 0 for none
  std::atomic<bool> leaving_{false};
  alignas(64) std::atomic<int> active_{0};  // workers that may be touching the job
};

/// The one crew that all loops share. A pool has no destructor and needs none: if there is no crew it works alone. So
/// objects of static storage may compute until the very end.
class ThreadPool {
 public:
  int size() {
    const int size = size_.load(std::memory_order_relaxed);
    return size != 0 ? size : initial_size();
  }

  EIGENGRAD_COLD void resize(int threads) {
    const int size = checked(threads, "set_num_threads: ", threads, " threads");
    if (Crew::inside()) throw StateError("set_num_threads: called inside a parallel_for");
    Hold hold(*this);
    while (!hold.taken()) {
      std::this_thread::yield();
      hold.take();
    }
    dismiss(hold, nullptr);
    size_.store(size, std::memory_order_relaxed);
  }

  /// Calls body(context, chunk, slot) once for every chunk in [0, chunks); rethrows the first exception.
  void run(Index chunks, Crew::Body body, void* context, bool alone) {
    // Inside a chunk, or while another thread of the user holds the pool: work alone.
    if (chunks > 1 && !alone && !Crew::inside() && size() > 1) {
      const Hold hold(*this);
      if (hold.taken()) {
        if (Crew* crew = at_hand()) return crew->run(chunks, body, context);
      }
    }
    for (Index chunk = 0; chunk < chunks; ++chunk) body(context, chunk, 0);
  }

  /// The end of a library: its threads end, and what is left of it works alone. A job that another thread has begun is
  /// finished by that thread. Waits for the chunks that workers are at.
  void end(std::atomic<bool>& library) {
    {
      const std::lock_guard lock(crew_mutex);
      library.store(true);
    }
    dismiss(Hold(*this), &library);
  }

 private:
  /// The right to use the crew, for one thread at a time.
  class Hold {
   public:
    explicit Hold(ThreadPool& pool) : pool_(pool) { take(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
      if (taken_) pool_.holder_.compare_exchange_strong(mark_, 0, std::memory_order_release, std::memory_order_relaxed);
    }
    void take() {
      // A thread that held the pool when the process was forked is not in this one.
      std::uint32_t holder = pool_.holder_.load(std::memory_order_relaxed);
      taken_ = holder != mark_ && pool_.holder_.compare_exchange_strong(holder, mark_, std::memory_order_acquire,
                                                                        std::memory_order_relaxed);
    }
    bool taken() const { return taken_; }

   private:
    ThreadPool& pool_;
    std::uint32_t mark_ = forks() + 1;
    bool taken_ = false;
  };

  /// The number of threads that is meant; throws where it is absurd. More than four times the processors only stand in
  /// each other's way; 16 let a program be tested on a small machine as it will run on a larger one.
  template <class... Given>
  EIGENGRAD_COLD static int checked(int threads, const Given&... given) {
    const int processors = usable_processors();
    const int most = std::max(16, 4 * processors);
    if (threads < 0 || threads > most) {
      throw ValueError(
          error_text(given..., ", expected 0 to ", most, " (processors of this process: ", processors, ')'));
    }
    return threads == 0 ? processors : threads;
  }

  EIGENGRAD_COLD int initial_size() {
    const char* text = std::getenv("EIGENGRAD_NUM_THREADS");
    const std::string_view digits(text == nullptr ? "" : text);
    int threads = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), threads);
    if (!digits.empty() && (problem != std::errc() || end != digits.data() + digits.size())) threads = -1;
    const int size = checked(threads, "EIGENGRAD_NUM_THREADS: \"", digits, '"');
    int unknown = 0;
    return size_.compare_exchange_strong(unknown, size) ? size : unknown;
  }

  /// The crew, started if need be; null after the end of this library.
  EIGENGRAD_OF_THIS_LIBRARY Crew* at_hand() {
    Crew* crew = crew_.load(std::memory_order_acquire);
    if (crew != nullptr && crew->usable()) return crew;
    const std::lock_guard lock(crew_mutex);
    if (library_has_ended.load()) return nullptr;
    forget();
    crew = Crew::of(size());
    crew_.store(crew, std::memory_order_release);
    return crew;
  }

  /// Sends the crew home: any, or that of one library.
  void dismiss(const Hold& hold, const std::atomic<bool>* library) {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(crew_mutex);
      Crew* crew = crew_.load();
      if (crew == nullptr || (library != nullptr && !crew->belongs_to(library))) return;
      if (crew->of_this_process()) {
        crew->dismiss();
        threads = crew->take_threads();
      }
      if (hold.taken()) forget();
    }
    for (std::thread& thread : threads) {
      if (Crew::inside())
        thread.detach();  // a body calls exit(): the chunk that it would wait for is its own
      else
        thread.join();
    }
  }

  /// Lets go of the crew, which nobody else may hold. One that a fork left without threads cannot be destroyed.
  void forget() {
    Crew* crew = crew_.exchange(nullptr);
    if (crew == nullptr) return;
    if (crew->of_this_process())
      crew->release();
    else
      crew->next_lost = std::exchange(lost_, crew);
  }

  std::atomic<int> size_{0};              // 0: nobody has asked yet
  std::atomic<std::uint32_t> holder_{0};  // forks() + 1 in the process of the thread that holds it, 0: nobody
  std::atomic<Crew*> crew_{nullptr};      // changed under crew_mutex
  Crew* lost_ = nullptr;
};
static_assert(std::is_trivially_destructible_v<ThreadPool>);

inline constinit ThreadPool thread_pool;

/// Ends the threads when the library, or the program, that this code is part of is unloaded. It begins before all
/// objects that the including files define, so it ends after them.
class ThreadsEnd {
 public:
  ThreadsEnd() = default;
  ThreadsEnd(const ThreadsEnd&) = delete;
  ThreadsEnd& operator=(const ThreadsEnd&) = delete;
  EIGENGRAD_OF_THIS_LIBRARY ~ThreadsEnd() {
    if constexpr (kThreadsEndWhileLibrariesDo) thread_pool.end(library_has_ended);
  }
};
EIGENGRAD_OF_THIS_LIBRARY inline const ThreadsEnd threads_end;

}  // namespace eigengrad::EIGENGRAD_ISA::detail
