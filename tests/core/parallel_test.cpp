// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/parallel.hpp>

#include "support/all_threads.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

class Parallel : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(0); }
};

TEST_P(Parallel, VisitsEveryElementOnceInFixedChunks) {
  for (const Index count : {0, 1, 7, 64, 1000}) {
    for (const Index grain : {1, 3, 64, 5000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      std::atomic<bool> fixed{true};
      parallel_for(count, grain, [&](Index begin, Index end) {
        if (begin % grain != 0 || (end - begin != grain && end != count)) fixed = false;
        for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      EXPECT_TRUE(fixed);
      for (const auto& visit : visits) EXPECT_EQ(visit, 1);
    }
  }
}

TEST_P(Parallel, NoTwoBodiesShareASlot) {
  std::vector<std::atomic<int>> users(static_cast<std::size_t>(num_threads()));
  std::atomic<bool> alone{true};
  for (int round = 0; round < 200; ++round) {
    parallel_for(20, 1, [&](Index, Index, Index slot) {
      if (users.at(static_cast<std::size_t>(slot)).fetch_add(1) != 0) alone = false;
      std::this_thread::yield();
      users.at(static_cast<std::size_t>(slot)).fetch_sub(1);
    });
  }
  EXPECT_TRUE(alone);
}

TEST_P(Parallel, AnExceptionReachesTheCallerAndTheNextLoopRuns) {
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW(parallel_for(100, 1,
                              [](Index begin, Index) {
                                if (begin == 57) throw std::runtime_error("57");
                              }),
                 std::runtime_error);
    std::atomic<int> sum{0};
    parallel_for(100, 1, [&](Index begin, Index) { sum += static_cast<int>(begin); });
    EXPECT_EQ(sum, 4950);
  }
}

TEST_P(Parallel, ALoopInsideALoopRuns) {
  std::atomic<int> count{0};
  parallel_for(8, 1, [&](Index, Index) {
    parallel_for(8, 1, [&](Index, Index, Index slot) {
      EXPECT_EQ(slot, 0);
      ++count;
    });
  });
  EXPECT_EQ(count, 64);
}

TEST_P(Parallel, SeveralThreadsOfTheUserMayLoopAtOnce) {
  std::atomic<int> sum{0};
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        parallel_for(10, 1, [&](Index begin, Index) { sum += static_cast<int>(begin); });
      }
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(sum, 4 * 100 * 45);
}

TEST_P(Parallel, ASerialScopeKeepsLoopsOnTheirThread) {
  const auto runs_alone = [] {
    const auto caller = std::this_thread::get_id();
    std::atomic<int> count{0};
    std::atomic<bool> alone{true};
    parallel_for(200, 1, [&](Index, Index, Index slot) {
      if (std::this_thread::get_id() != caller || slot != 0) alone = false;
      std::this_thread::yield();
      ++count;
    });
    EXPECT_EQ(count, 200);
    return alone.load();
  };
  EXPECT_FALSE(SerialScope::active());
  {
    const SerialScope outer;
    { const SerialScope inner; }
    EXPECT_TRUE(SerialScope::active());  // still inside the outer one
    for (int round = 0; round < 50; ++round) ASSERT_TRUE(runs_alone());
    EXPECT_THROW(parallel_for(4, 1, [](Index, Index) { throw std::runtime_error("inside"); }), std::runtime_error);
  }
  EXPECT_FALSE(SerialScope::active());
}

TEST_P(Parallel, ASerialScopeLeavesThePoolToOtherThreads) {
  if (num_threads() == 1) return;
  // The loop in the scope is not over until the other thread's loop has used two threads at once.
  std::atomic<bool> inside_scope{false};
  std::atomic<int> together{0};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto wait_for_two = [&] {
    while (together < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(together, 2);
  };
  std::thread background([&] {
    const SerialScope alone;
    parallel_for(2, 1, [&](Index, Index) {
      inside_scope = true;
      wait_for_two();
    });
  });
  while (!inside_scope) std::this_thread::yield();
  parallel_for(2, 1, [&](Index, Index) {
    ++together;
    wait_for_two();
  });
  background.join();
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, ::testing::Values(1, 2, 3, 8));

TEST(NumThreads, CanBeSetAndIsChecked) {
  set_num_threads(3);
  EXPECT_EQ(num_threads(), 3);
  EXPECT_THROW(set_num_threads(-1), ValueError);
  EXPECT_EQ(num_threads(), 3);
  set_num_threads(0);
  EXPECT_GE(num_threads(), 1);
}

TEST(NumThreads, AbsurdNumbersAreRefusedWithTheRange) {
  const int processors = detail::usable_processors();
  const int most = std::max(16, 4 * processors);
  set_num_threads(2);
  for (const int threads : {-1, std::numeric_limits<int>::min(), most + 1, 10000, std::numeric_limits<int>::max()}) {
    EXPECT_EQ(testing::message_of([&] { set_num_threads(threads); }),
              "set_num_threads: " + std::to_string(threads) + " threads, expected 0 to " + std::to_string(most) +
                  " (processors of this process: " + std::to_string(processors) + ")");
    EXPECT_EQ(num_threads(), 2);
  }
  set_num_threads(most);
  EXPECT_EQ(num_threads(), most);
  set_num_threads(0);
  EXPECT_EQ(num_threads(), processors);
}

TEST(NumThreads, TheEnvironmentIsCheckedAlike) {
  // A pool of its own asks anew.
  const auto size_with = [](const char* text) {
    setenv("EIGENGRAD_NUM_THREADS", text, 1);
    return detail::ThreadPool().size();
  };
  EXPECT_EQ(size_with("3"), 3);
  EXPECT_EQ(size_with("0"), detail::usable_processors());
  EXPECT_EQ(size_with(""), detail::usable_processors());
  for (const char* text : {"-1", "10000", "99999999999999999999", "two", "2 ", "0x2", "1.5"}) {
    const std::string message = testing::message_of([&] { size_with(text); });
    EXPECT_EQ(message.find("EIGENGRAD_NUM_THREADS: \"" + std::string(text) + "\", expected 0 to "), 0U) << message;
  }
  unsetenv("EIGENGRAD_NUM_THREADS");
}

TEST(NumThreads, AskedForTheyAreReallyThere) {
  for (const int threads : {1, 5, 16}) {
    set_num_threads(threads);
    EXPECT_TRUE(testing::loops_run_on(threads)) << threads;
  }
  set_num_threads(0);
}

TEST(NumThreads, CannotBeSetInsideALoop) {
  EXPECT_THROW(parallel_for(4, 1, [](Index, Index) { set_num_threads(1); }), StateError);
}

TEST(NumThreads, AGrainMayBeAsLargeAsAnIndex) {
  Index sum = 0;
  parallel_for(10, std::numeric_limits<Index>::max(), [&](Index begin, Index end) { sum += end - begin; });
  EXPECT_EQ(sum, 10);
}

TEST(NumThreads, ManyShortLoopsInARow) {
  set_num_threads(2);
  std::atomic<Index> sum{0};
  for (int round = 0; round < 20000; ++round) parallel_for(2, 1, [&](Index begin, Index) { sum += begin + 1; });
  EXPECT_EQ(sum, 60000);
  set_num_threads(0);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
