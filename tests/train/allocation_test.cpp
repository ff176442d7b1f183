// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

#include "support/allocation_counter.hpp"

namespace eigengrad {
namespace {

using testing::system_allocations;

TEST(AllocationCounter, SeesNewMallocAndThePool) {
  const auto before = system_allocations();
  const auto made = std::make_unique<int>();
  volatile int* used = made.get();  // or the compiler leaves the allocation out
  *used = 1;
  EXPECT_GT(system_allocations(), before);
  memory::trim();
  const auto between = system_allocations();
  const Tensor<float> tensor({1 << 22});
  EXPECT_GT(system_allocations(), between);
}

class Allocations : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(0); }
};

TEST_P(Allocations, TrainingTakesNoMemoryFromTheSystemAfterItsSecondStep) {
  auto split = data::synthetic_cifar10(1, {.train = 1000, .test = 10});
  data::subtract_mean_image(split);
  nn::Sequential net{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 300},
                     nn::ReLU{},    nn::Linear{300, 10}};
  nn::SoftmaxCrossEntropy loss;
  optim::SGD sgd{net.parameters(), {.learning_rate = 1e-4, .momentum = 0.9, .nesterov = true}};
  data::Loader loader{split.train, {.batch_size = 200, .epochs = data::kEndless}};
  std::int64_t after_two_steps = 0;
  for (int step = 1; step <= 25; ++step) {  // five epochs
    const auto batch = loader.next();
    loss.forward(net.forward(batch->inputs), batch->targets);
    net.backward_parameters(loss.backward());
    sgd.step();
    if (step == 2) after_two_steps = system_allocations();
  }
  EXPECT_EQ(system_allocations(), after_two_steps);
}

TEST_P(Allocations, InferenceTakesNoneAfterTheFirstCall) {
  nn::Sequential net{nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 10}, nn::Softmax{}};
  for (const Index batch_size : {1, 200}) {
    const auto x = Tensor<float>::ones({batch_size, 3072});
    net.forward(x, Mode::inference);
    const auto after_first = system_allocations();
    for (int call = 0; call < 20; ++call) net.forward(x, Mode::inference);
    EXPECT_EQ(system_allocations(), after_first) << batch_size;
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Allocations, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace eigengrad
