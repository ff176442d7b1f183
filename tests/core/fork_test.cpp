// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
// ThreadSanitizer knows no threads that a child of a process with threads starts: it stops at their reused numbers.
#if (defined(__unix__) || defined(__APPLE__)) && !defined(__SANITIZE_THREAD__)
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>

#include "support/all_threads.hpp"
#include "support/in_child.hpp"
#include "support/sanitized.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::in_child;
using testing::loops_run_on;

/// True if loops compute what they should.
bool loops_work() {
  for (int round = 0; round < 5; ++round) {
    Tensor<float> x({1000});
    float* to = x.mutable_data();
    parallel_for(1000, 10, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) to[i] = static_cast<float>(i);
    });
    if (x.array().sum() != 499500.0F) return false;
  }
  return true;
}

/// Threads that do something over and over until the object ends.
class Busy {
 public:
  template <class F>
  Busy(int threads, const F& work) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, work] {
        while (!over_) {
          work();
          ++rounds_;
        }
      });
    }
    while (rounds_ < threads) std::this_thread::yield();
  }
  ~Busy() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::atomic<int> rounds_{0};
  std::vector<std::thread> threads_;
};

class Fork : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(0); }

  // What a child may do, each in a child of its own, that many times.
  void check_children(int rounds) const {
    const int threads = GetParam();
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      EXPECT_EQ(in_child(loops_work), "true");
      EXPECT_EQ(in_child([&] { return loops_run_on(threads) && num_threads() == threads; }), "true");
      EXPECT_EQ(in_child([] {
                  set_num_threads(3);
                  return loops_run_on(3) && loops_work();
                }),
                "true");
      EXPECT_EQ(in_child([] {
                  set_num_threads(1);
                  set_num_threads(0);
                  return loops_work();
                }),
                "true");
      EXPECT_EQ(in_child([] {
                  std::thread other([] { loops_work(); });
                  other.join();
                  memory::trim();
                  return loops_work();
                }),
                "true");
      EXPECT_EQ(in_child([&] {  // a child of the child, before and after it has threads of its own
                  const bool first = in_child(loops_work) == "true";
                  return first && loops_run_on(threads) && in_child([&] { return loops_run_on(threads); }) == "true" &&
                         loops_run_on(threads);
                }),
                "true");
    }
  }
};

TEST_P(Fork, WhileTheThreadsAreIdle) {
  check_children(5);
  EXPECT_TRUE(loops_run_on(GetParam()));
  check_children(8);
}

TEST_P(Fork, WhileAnotherThreadComputes) {
  const Busy busy(1, [] { parallel_for(64, 1, [](Index, Index) { const Tensor<float> x({100}); }); });
  check_children(8);
}

TEST_P(Fork, WhileOthersTakeMemory) {
  if (EIGENGRAD_TEST_SANITIZED) GTEST_SKIP() << "the sanitizer's own malloc stays locked in the child";
  const Busy busy(3, [] {
    std::vector<Tensor<float>> blocks;
    for (Index size = 10; size < 100; ++size) blocks.emplace_back(Shape{size * size});
    memory::trim();
  });
  check_children(5);
}

TEST_P(Fork, WhileOthersForkToo) {
  const Busy busy(2, [] { EXPECT_EQ(in_child(loops_work), "true"); });
  check_children(5);
}

TEST_P(Fork, InABodyTheChildMayExit) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> chunks{0}, children{0};
    parallel_for(8, 1, [&](Index, Index) {
      if (in_child([] { return true; }) == "true") ++children;
      ++chunks;
    });
    EXPECT_EQ(chunks, 8);
    EXPECT_EQ(children, 8);
  }
  EXPECT_TRUE(loops_run_on(GetParam()));
}

TEST_P(Fork, AChildThatReturnsFromABodyIsToldThatItIsAlone) {
  if (GetParam() == 1) return;
  EXPECT_TRUE(loops_run_on(GetParam()));  // a sanitizer takes memory as a thread begins, and locks it for a child
  for (const bool on_a_worker : {false, true}) {
    const pid_t parent = getpid();
    std::atomic<pid_t> child{0};
    std::atomic<bool> forked{false};
    std::string outcome;
    try {
      // As many chunks as threads, each until somebody has forked: so every thread has one of them.
      parallel_for(GetParam(), 1, [&](Index, Index, Index slot) {
        if ((slot != 0) == on_a_worker && !forked.exchange(true)) {
          const pid_t pid = fork();
          if (pid == 0) {
            alarm(60);
            if (on_a_worker) std::freopen("/dev/null", "w", stderr);  // where std::terminate says why
            return;
          }
          child = pid;
        }
        while (!forked) std::this_thread::yield();
      });
    } catch (const StateError&) {
      outcome = "told";
    }
    if (getpid() != parent) _exit(outcome == "told" && loops_run_on(GetParam()) ? 0 : 1);
    EXPECT_EQ(outcome, "");
    EXPECT_EQ(testing::outcome_of(child), on_a_worker ? "signal 6" : "true");
  }
}

TEST_P(Fork, WhereALoopRunsOnItsCallerAloneTheChildGoesOn) {
  const SerialScope alone;
  EXPECT_EQ(in_child([] {
              int sum = 0;
              bool sound = true;
              parallel_for(10, 1, [&](Index begin, Index) {
                sum += static_cast<int>(begin);
                if (begin == 3) sound = in_child([] { return true; }) == "true";
              });
              return sound && sum == 45;
            }),
            "true");
  int sum = 0;
  const pid_t parent = getpid();
  pid_t child = 0;
  parallel_for(10, 1, [&](Index begin, Index) {
    if (begin == 3) child = fork();
    sum += static_cast<int>(begin);
  });
  if (getpid() != parent) _exit(sum == 45 ? 0 : 1);
  EXPECT_EQ(testing::outcome_of(child), "true");
}

TEST_P(Fork, AChildMayExitInOrder) {
  EXPECT_TRUE(loops_work());
  for (int round = 0; round < 6; ++round) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      const bool sound = round % 2 == 0 || loops_work();
      if (round < 2) std::quick_exit(sound ? 0 : 1);
      std::exit(sound ? 0 : 1);
    }
    EXPECT_EQ(testing::outcome_of(child), "true");
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Fork, ::testing::Values(1, 2, 3, 8));

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
#endif
