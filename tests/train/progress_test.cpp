// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cctype>
#include <chrono>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/train/progress.hpp>

namespace eigengrad::EIGENGRAD_ISA::train::progress_test {
namespace {

using detail::Pace;
using detail::progress_line;
using detail::RunState;

const RunState kRun{.step = 750, .max_steps = 1500, .steps_per_epoch = 250, .loss = 1.2345, .steps_per_second = 45.18};

TEST(ProgressLine, ShowsWhatHasRoom) {
  const std::string count = " 750/1500", epoch = "  epoch 3/6", loss = "  loss 1.2345   ", speed = "   45.2 steps/s";
  const std::string left = "  0:17 left", bar = "[" + std::string(15, '=') + std::string(15, ' ') + "] ";
  EXPECT_EQ(progress_line(kRun, 200), bar + count + epoch + loss + speed + left);
  EXPECT_EQ(progress_line(kRun, 80), "[=======       ] " + count + epoch + loss + speed + left);
  EXPECT_EQ(progress_line(kRun, 72), "[===   ] " + count + epoch + loss + speed + left);
  EXPECT_EQ(progress_line(kRun, 63), count + epoch + loss + speed + left);
  EXPECT_EQ(progress_line(kRun, 62), "[===    ] " + count + loss + speed + left);
  EXPECT_EQ(progress_line(kRun, 48), count + epoch + loss + left);
  EXPECT_EQ(progress_line(kRun, 37), count + loss + left);
  EXPECT_EQ(progress_line(kRun, 30), "[===   ] " + count + "  0:17 left");
  EXPECT_EQ(progress_line(kRun, 20), " 750/1500  0:17");
  EXPECT_EQ(progress_line(kRun, 10), " 750/1500");
  EXPECT_EQ(progress_line(kRun, 6), " 750/");
  EXPECT_EQ(progress_line(kRun, 1), "");
  EXPECT_EQ(progress_line(kRun, 0), "");
  EXPECT_EQ(progress_line({.step = 5, .max_steps = 10, .loss = 1.0}, 20), " 5/10  loss 1.0000");
}

TEST(ProgressLine, NeverFillsALineAndHasNoControlCharacters) {
  for (const Index max_steps : {Index{1}, Index{10}, Index{1500}, std::numeric_limits<Index>::max()}) {
    for (const Index step : {Index{0}, Index{1}, max_steps / 3, max_steps}) {
      for (const double loss : {0.0, 1.5, -1.234e-5, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
        for (const double rate : {1e-300, 1e-3, 0.5, 9.999, 99.99, 12345.0, 1e300}) {
          const RunState run{step, max_steps, 7, loss, rate};
          for (int columns = 1; columns < 130; ++columns) {
            const std::string line = progress_line(run, columns);
            ASSERT_LT(line.size(), static_cast<std::size_t>(columns)) << line;
            ASSERT_TRUE(std::none_of(line.begin(), line.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }));
          }
        }
      }
    }
  }
}

TEST(ProgressLine, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(progress_line({.step = 1, .max_steps = 10, .loss = 0.00001234}, 60),
            "[===                           ]  1/10  loss 1.234e-05");
}

TEST(ProgressLine, CountsEpochsFromOneAndThePartOfOne) {
  const auto epoch = [](Index step, Index max_steps) {
    const std::string line = progress_line({.step = step, .max_steps = max_steps, .steps_per_epoch = 10}, 60);
    const std::size_t begin = line.find("epoch ") + 6;
    return line.substr(begin, line.find(' ', begin) - begin);
  };
  EXPECT_EQ(epoch(1, 25), "1/3");
  EXPECT_EQ(epoch(10, 25), "1/3");
  EXPECT_EQ(epoch(11, 25), "2/3");
  EXPECT_EQ(epoch(25, 25), "3/3");
  EXPECT_EQ(epoch(0, 30), "1/3");
}

TEST(ProgressLine, WritesTimesAndSpeeds) {
  for (const auto& [seconds, text] : std::vector<std::pair<double, std::string>>{{0.0, "0:00"},
                                                                                 {7.4, "0:07"},
                                                                                 {59.6, "1:00"},
                                                                                 {754.0, "12:34"},
                                                                                 {3600.0, "1:00:00"},
                                                                                 {11554.0, "3:12:34"},
                                                                                 {345599.0, "95:59:59"},
                                                                                 {345600.0, "4 days"},
                                                                                 {1e300, "9999 days"}}) {
    EXPECT_EQ(detail::duration_text(seconds), text);
  }
  for (const auto& [speed, text] : std::vector<std::pair<double, std::string>>{{0.0123, "0.012 steps/s"},
                                                                               {0.5, " 0.50 steps/s"},
                                                                               {9.99, " 9.99 steps/s"},
                                                                               {9.999, " 10.0 steps/s"},
                                                                               {99.96, "  100 steps/s"},
                                                                               {12345.6, "12346 steps/s"}}) {
    EXPECT_EQ(detail::speed_text(speed), text);
  }
}

TEST(Pace, IsKnownFromTheSecondStepOn) {
  Pace pace;
  EXPECT_FALSE(pace.steps_per_second());
  pace.step(1, 100.0);
  EXPECT_FALSE(pace.steps_per_second());
  pace.step(2, 100.25);
  EXPECT_DOUBLE_EQ(pace.steps_per_second().value(), 4.0);
  for (Index step = 3; step < 100; ++step) pace.step(step, 100.0 + 0.25 * static_cast<double>(step - 1));
  EXPECT_NEAR(pace.steps_per_second().value(), 4.0, 1e-9);
}

TEST(Pace, LeavesOutEvaluationsAndWhatFollowsThem) {
  Pace pace;
  double now = 0.0, training = 0.0;
  for (Index step = 1; step <= 200; ++step) {
    now += 0.5;
    training += 0.5;
    pace.step(step, now);
    if (step % 10 != 0) continue;
    now += 30.0;
    pace.evaluation(step, training);
    now += 3.0;  // a checkpoint
  }
  EXPECT_NEAR(pace.steps_per_second().value(), 2.0, 1e-9);
}

TEST(Pace, HasEvaluationsAloneIfEveryStepIsEvaluated) {
  Pace pace;
  for (Index step = 1; step <= 5; ++step) {
    pace.step(step, 100.0 * static_cast<double>(step));
    pace.evaluation(step, 0.2 * static_cast<double>(step));
  }
  EXPECT_NEAR(pace.steps_per_second().value(), 5.0, 1e-9);
}

TEST(Pace, FollowsTheRunAndHardlyASingleStep) {
  Pace pace;
  double now = 0.0;
  Index step = 0;
  const auto steps = [&](int count, double seconds) {
    for (int i = 0; i < count; ++i) pace.step(++step, now += seconds);
    return pace.steps_per_second().value();
  };
  EXPECT_NEAR(steps(1000, 0.1), 10.0, 1e-6);
  EXPECT_GT(steps(1, 1.0), 8.5);                    // one step of ten times the length
  EXPECT_NEAR(steps(400, 0.2), 5.0, 0.05);          // 80 seconds later
  EXPECT_NEAR(steps(200, 60.0), 1.0 / 60.0, 1e-3);  // and steps that take a minute each
  EXPECT_GT(steps(1, 120.0), 0.9 / 60.0);
}

/// The lines that have been drawn over each other.
std::vector<std::string> drawn(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line, '\r');) {
    if (line.ends_with("\033[K")) lines.push_back(line.substr(0, line.size() - 3));
  }
  return lines;
}

TEST(Progress, RedrawsABarOnATerminal) {
  std::ostringstream out;
  Progress progress(out, {.max_steps = 10, .steps_per_epoch = 5, .terminal = true, .columns = 60});
  Progress(out, 0, true).step(3, 1.0);  // past its end: no harm
  out.str("");
  progress.step(5, 1.0);
  EXPECT_EQ(out.str(), "\r[============            ]  5/10  epoch 1/2  loss 1.0000   \033[K");
  progress.step(6, 2.0);  // too soon
  EXPECT_EQ(drawn(out.str()).size(), 1U);
  progress.step(10, 0.5);
  ASSERT_EQ(drawn(out.str()).size(), 2U);
  EXPECT_NE(drawn(out.str())[1].find("10/10  "), std::string::npos);
  EXPECT_NE(drawn(out.str())[1].find("steps/s  0:00 left"), std::string::npos) << out.str();
  out.str("");
  progress.clear();
  EXPECT_EQ(out.str(), "\r\033[K");
  progress.clear();
  EXPECT_EQ(out.str(), "\r\033[K");
}

TEST(Progress, IsRedrawnAfterATenthOfASecondOrAnEvaluation) {
  std::ostringstream out;
  Progress progress(out, {.max_steps = 100, .terminal = true, .columns = 20});
  progress.step(1, 1.0);
  std::this_thread::sleep_for(std::chrono::milliseconds(110));
  progress.step(2, 1.0);
  EXPECT_EQ(drawn(out.str()).size(), 2U);
  progress.evaluation({.step = 2});
  out.str("");
  progress.step(3, 1.0);
  EXPECT_EQ(drawn(out.str()).size(), 1U);
  for (const std::string& line : drawn(out.str())) EXPECT_LT(line.size(), 20U);
}

TEST(Progress, HasNoControlCharactersElsewhere) {
  std::ostringstream out;
  Progress progress(out, {.max_steps = 3, .steps_per_epoch = 2});
  for (Index step = 1; step <= 3; ++step) progress.step(step, 1.0);
  progress.evaluation({.step = 3});
  progress.clear();
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(std::count_if(text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }), 1);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train::progress_test
