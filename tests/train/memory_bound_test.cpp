// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <iostream>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

// What the pool of memory holds while networks are trained and used: at most 1.5 times the most that was in use at
// once, and with fixed shapes what the first steps left.

namespace eigengrad::EIGENGRAD_ISA {
namespace {

/// Convolutions, for images of any size.
nn::Sequential<> convnet() {
  return nn::Sequential{nn::Conv2d{3, 16, {.kernel = 3, .padding = 1}},
                        nn::BatchNorm2d{16},
                        nn::ReLU{},
                        nn::Conv2d{16, 16, {.kernel = 3, .padding = 1}},
                        nn::ReLU{},
                        nn::MaxPool2d{{.kernel = 2}},
                        nn::Conv2d{16, 32, {.kernel = 3, .padding = 1}},
                        nn::ReLU{},
                        nn::MaxPool2d{{.kernel = 2}},
                        nn::Conv2d{32, 48, {.kernel = 1}},
                        nn::ReLU{},
                        nn::Dropout{},
                        nn::GlobalAvgPool2d{},
                        nn::Linear{48, 10}};
}

/// One step on a batch of images, or one inference.
class Runner {
 public:
  explicit Runner(Mode mode) : mode_(mode) {}

  void step(Index batch, Index height, Index width) {
    const auto x = Tensor<float>::full({batch, height, width, 3}, 0.5F);
    if (mode_ != Mode::train) {
      net_.forward(x, mode_);
      return;
    }
    loss_.forward(net_.forward(x), Tensor<Index>::zeros({batch}));
    net_.backward_parameters(loss_.backward());
    adam_.step();
  }

 private:
  Mode mode_;
  nn::Sequential<> net_ = convnet();
  nn::SoftmaxCrossEntropy<> loss_;
  optim::Adam<> adam_{net_.parameters(), {.learning_rate = 1e-4}};
};

double held_ratio() {
  const auto stats = memory::stats();
  return static_cast<double>(stats.system_bytes) / static_cast<double>(stats.most_used_bytes);
}

class MemoryBound : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override { memory::trim(); }
};

TEST_P(MemoryBound, HoldsForRandomBatchesAndImages) {
  Runner runner(GetParam());
  Rng rng(3);
  double most = 0.0;
  const Index largest = GetParam() == Mode::train ? 80 : 160;
  for (int step = 0; step < 120; ++step) {
    runner.step(1 + rng.below(12), 8 + rng.below(largest), 8 + rng.below(largest));
    if (memory::stats().most_used_bytes > (16 << 20)) most = std::max(most, held_ratio());
  }
  const auto stats = memory::stats();
  std::cout << "in use at most " << stats.most_used_bytes << " bytes, held at most " << most << " times as many\n";
  EXPECT_GT(most, 0.5);
  EXPECT_LE(most, 1.5);
}

TEST_P(MemoryBound, FixedShapesTakeNoMemoryAfterTheFirstSteps) {
  int later_than_two = 0;
  for (const Index batch : {1, 3, 16, 40}) {
    for (const Index size : {9, 32, 77}) {
      memory::trim();
      Runner runner(GetParam());
      const auto allocations_of = [&](int steps) {
        const auto before = memory::stats().system_allocations;
        for (int step = 0; step < steps; ++step) runner.step(batch, size, size);
        return memory::stats().system_allocations - before;
      };
      EXPECT_GT(allocations_of(2), 0);
      later_than_two += allocations_of(8) > 0 ? 1 : 0;
      EXPECT_EQ(allocations_of(5), 0) << batch << " images of " << size;
    }
  }
  // The blocks of all classes together may be more than the bound allows, which takes a few steps more.
  EXPECT_LE(later_than_two, 1);
}

TEST_P(MemoryBound, TwoSizesInTurnSettleDown) {
  for (const Index smaller : {1, 5, 8, 9, 11, 15}) {
    memory::trim();
    Runner runner(GetParam());
    std::int64_t before = 0;
    for (int round = 1; round <= 15; ++round) {
      runner.step(16, 48, 48);
      runner.step(smaller, 48, 48);
      if (round == 10) before = memory::stats().system_allocations;
    }
    EXPECT_EQ(memory::stats().system_allocations, before) << smaller;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, MemoryBound, ::testing::Values(Mode::train, Mode::inference));

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
