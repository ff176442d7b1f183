// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// A prediction of a single sample by a small network takes a microsecond: less than to tell another thread of it.

#include <thread>

#include <gtest/gtest.h>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>

#include "support/tensors.hpp"
#include "support/threads_of_process.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn::one_sample_test {
namespace {

class OneSample : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (testing::threads_of_process() == 0) GTEST_SKIP() << "the system does not list the threads of a process";
    std::thread([] {}).join();    // the first brings ThreadSanitizer's own into being
    set_num_threads(GetParam());  // none of them is there until a loop needs it
  }
  void TearDown() override { set_num_threads(0); }

  /// The threads that f has brought into being: those of the first loop that is shared.
  template <class F>
  Index started_by(const F& f) const {
    const Index before = testing::threads_of_process();
    f();
    return testing::threads_of_process() - before;
  }
};

TEST_P(OneSample, APredictionStaysOnTheCallingThread) {
  Sequential net{Linear{6, 64}, ReLU{}, Linear{64, 64}, ReLU{}, Linear{64, 2}};
  const auto x = testing::random<float>({1, 6}, 1);
  EXPECT_EQ(started_by([&] {
              for (int call = 0; call < 100; ++call) net.predict(x);
            }),
            0);
}

// The rule goes by the work, not by the number of rows: 32768 multiply-adds are shared, whatever their shape.
TEST_P(OneSample, ALargerProductIsShared) {
  const auto threads_for = [&](Index rows, Index inputs, Index outputs) {
    set_num_threads(1);  // sends the threads home
    set_num_threads(GetParam());
    Linear layer{inputs, outputs};
    return started_by([&] { layer.forward(testing::random<float>({rows, inputs}, 1), Mode::inference); });
  };
  EXPECT_EQ(threads_for(1, 64, 511), 0);
  EXPECT_EQ(threads_for(1, 64, 512), GetParam() - 1);
  EXPECT_EQ(threads_for(4, 128, 63), 0);
  EXPECT_EQ(threads_for(4, 128, 64), GetParam() - 1);
  EXPECT_EQ(threads_for(8, 64, 63), 0);
  EXPECT_EQ(threads_for(8, 64, 64), GetParam() - 1);
  EXPECT_EQ(threads_for(1, 4096, 7), 0);
  EXPECT_EQ(threads_for(1, 4096, 64), GetParam() - 1);
}

INSTANTIATE_TEST_SUITE_P(Threads, OneSample, ::testing::Values(2, 4, 16));

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn::one_sample_test
