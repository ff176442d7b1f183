// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
// ThreadSanitizer knows no threads that a child of a process with threads starts: it stops at their reused numbers.
#if (defined(__unix__) || defined(__APPLE__)) && !defined(__SANITIZE_THREAD__)
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/arithmetic.hpp>
#include <eigengrad/autodiff/reduce.hpp>

#include "support/in_child.hpp"

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

TEST(ForkWhileOthersDifferentiate, TheChildDifferentiatesToo) {
  const auto differentiate = [] {  // leaves of every address, so of every lock
    std::vector<Variable<float>> leaves;
    for (int i = 0; i < 40; ++i) leaves.push_back(Variable<float>::leaf(Tensor<float>::ones({2000})));
    bool sound = true;
    for (Variable<float>& x : leaves) {
      sum(x * x).backward();
      sound = sound && x.grad().array().sum() == 4000.0F;
    }
    return sound;
  };
  std::atomic<bool> over{false};
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&] {
      while (!over) EXPECT_TRUE(differentiate());
    });
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(testing::in_child(differentiate), "true");
  over = true;
  for (std::thread& other : others) other.join();
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
#endif
