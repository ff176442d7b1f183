// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/schedule.hpp>

#include "support/golden.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

TEST(Schedule, MatchesPyTorchOverWholeRunsAndPastTheirEnds) {
  const testing::Golden golden("schedules");
  const std::vector<std::pair<std::string, Schedule>> cases{
      {"step", StepLR{.step_size = 4, .gamma = 0.5}},
      {"cosine", CosineAnnealingLR{.max_steps = 20}},
      {"cosine_min", CosineAnnealingLR{.max_steps = 15, .min_factor = 0.1}},
      {"linear", LinearLR{}},
      {"linear_down", LinearLR{.start_factor = 0.9, .end_factor = 0.0, .total_steps = 12}},
      {"one_cycle", OneCycleLR{.total_steps = 40}},
      {"one_cycle_linear",
       OneCycleLR{.total_steps = 40, .pct_start = 0.45, .div_factor = 10.0, .final_div_factor = 50.0, .cosine = false}},
      {"one_cycle_fall", OneCycleLR{.total_steps = 9, .pct_start = 0.0}},
      {"one_cycle_rise", OneCycleLR{.total_steps = 9, .pct_start = 1.0}},
      {"one_cycle_single", OneCycleLR{.total_steps = 1}},
      {"warm_up_cosine", chained(LinearLR{.start_factor = 0.01, .total_steps = 6}, CosineAnnealingLR{.max_steps = 20})},
      {"three", chained(LinearLR{.start_factor = 0.5, .total_steps = 6}, StepLR{.step_size = 5, .gamma = 0.7},
                        CosineAnnealingLR{.max_steps = 40})},
  };
  for (const auto& [name, schedule] : cases) {
    const auto rates = golden[name].span();
    ASSERT_FALSE(rates.empty()) << name;
    for (std::size_t step = 0; step < rates.size(); ++step) {
      EXPECT_NEAR(0.4 * schedule(static_cast<Index>(step)), rates[step], 1e-14) << name << ", step " << step;
    }
  }
}

TEST(Schedule, OneCycleStaysAtItsEnd) {
  const OneCycleLR schedule{.total_steps = 10};
  EXPECT_DOUBLE_EQ(schedule(9), 1.0 / 25.0 / 1e4);
  EXPECT_EQ(schedule(10), schedule(9));
  EXPECT_EQ(schedule(1000), schedule(9));
}

// A rise of no length, where PyTorch divides by zero.
TEST(Schedule, OneCycleMayBeginAtItsTop) {
  const OneCycleLR schedule{.total_steps = 10, .pct_start = 0.1};
  EXPECT_NEAR(schedule(0), 1.0, 1e-12);
  EXPECT_LT(schedule(1), 1.0);
  EXPECT_EQ((OneCycleLR{.total_steps = 1, .pct_start = 1.0}(0)), 1.0);
}

TEST(Schedule, OptionsOutOfRangeAreErrorsOfTheFirstCall) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Schedule> wrong{
      StepLR{},
      StepLR{.step_size = -1},
      StepLR{.step_size = 1, .gamma = -0.1},
      StepLR{.step_size = 1, .gamma = nan},
      CosineAnnealingLR{},
      CosineAnnealingLR{.max_steps = 5, .min_factor = -0.1},
      CosineAnnealingLR{.max_steps = 5, .min_factor = 1.1},
      LinearLR{.start_factor = 0.0},
      LinearLR{.start_factor = 1.1},
      LinearLR{.end_factor = -0.1},
      LinearLR{.end_factor = 1.1},
      LinearLR{.total_steps = 0},
      OneCycleLR{},
      OneCycleLR{.total_steps = 5, .pct_start = -0.1},
      OneCycleLR{.total_steps = 5, .pct_start = 1.1},
      OneCycleLR{.total_steps = 5, .div_factor = 0.0},
      OneCycleLR{.total_steps = 5, .final_div_factor = 0.0},
      chained(LinearLR{}, StepLR{}),
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) EXPECT_THROW(wrong[i](0), ValueError) << i;
  const std::vector<Schedule> right{StepLR{.step_size = 1}, CosineAnnealingLR{.max_steps = 1}, LinearLR{},
                                    OneCycleLR{.total_steps = 1}};
  for (std::size_t i = 0; i < right.size(); ++i) EXPECT_THROW(right[i](-1), ValueError) << i;
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
