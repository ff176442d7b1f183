// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/contents.hpp"
#include "support/trainer_process.hpp"

// Runs that are stopped, killed and resumed end as those that are not.

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::contents;
using testing::lines_of;
using testing::Outcome;

class Resume : public testing::TrainerTest {
 protected:
  Resume() : TrainerTest(EIGENGRAD_CIFAR10_MLP) {}
  explicit Resume(const std::string& program) : TrainerTest(program) {}

  static std::string start(const std::string& run_dir, const std::string& more) {
    return "\"$PROGRAM\" --dataset synthetic --run-dir " + run_dir + " " + more;
  }

  static void expect_in(const Outcome& outcome, int status, const std::string& text) {
    EXPECT_EQ(outcome.status, status) << outcome.output;
    EXPECT_NE(outcome.output.find(text), std::string::npos) << text << " in\n" << outcome.output;
  }

  /// The same files, but for the seconds of the measurements.
  void expect_same_run(const std::string& one, const std::string& other) const {
    for (const std::string name : {"last.safetensors", "best.safetensors", "train_loss.csv", "curves.svg"}) {
      ASSERT_TRUE(std::filesystem::exists(folder() / one / name)) << name;
      EXPECT_TRUE(contents(folder() / one / name) == contents(folder() / other / name)) << name;
    }
    const auto without_seconds = [&](const std::string& run) {
      auto lines = lines_of(folder() / run / "metrics.csv");
      for (std::string& line : lines) line.erase(line.rfind(','));
      return lines;
    };
    EXPECT_EQ(without_seconds(one), without_seconds(other));
  }
};

class ResumeCnn : public Resume {
 protected:
  ResumeCnn() : Resume(EIGENGRAD_CIFAR10_CNN) {}
};

TEST_F(Resume, AnInterruptedRunGoesOnWithAllThatItHadWithEveryOptimizer) {
  for (const std::string optimizer : {"sgd --momentum 0.9", "adam", "adamw --weight-decay 0.1", "rmsprop"}) {
    const std::string flags = "--optimizer " + optimizer +
                              " --hidden-units 16 --batch-norm --dropout 0.3 --input-dropout 0.1 --max-steps 400 "
                              "--eval-freq 150 --batch-size 20 --augment crop,flip --schedule one-cycle --init pytorch";
    ASSERT_EQ(shell("rm -rf whole parts; " + start("whole", flags + " --threads 1")).status, 0);
    const Outcome stopped = shell(start("parts", flags + " --threads 2 & run=$!\n") +
                                  "until [ -s parts/train_loss.csv ] && [ $(wc -l < parts/train_loss.csv) -gt 50 ]; "
                                  "do kill -0 $run || break; done; kill -INT $run; wait $run");
    expect_in(stopped, 130, "to go on: cifar10_mlp --run-dir parts --resume\n");
    EXPECT_TRUE(std::filesystem::exists(folder() / "parts/last.safetensors"));
    expect_in(shell("\"$PROGRAM\" --run-dir parts --resume --threads 1"), 0, "goes on after step ");
    expect_same_run("whole", "parts");
  }
}

// EIGENGRAD_KILLS=50 kills more often.
TEST_F(ResumeCnn, ARunThatIsKilledAtAnyMomentGoesOn) {
  const char* wanted = std::getenv("EIGENGRAD_KILLS");
  const int kills = wanted == nullptr ? 4 : std::atoi(wanted);
  const std::string flags =
      "--width 8 --max-steps 240 --eval-freq 20 --checkpoint-every 7 --batch-size 8 --augment crop,flip,cutout "
      "--dropout 0.2";
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(shell(start("whole", flags)).status, 0);
  const double duration = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  unsigned random = 12345;
  int killed = 0, resumed = 0;
  for (int attempt = 0; killed < kills || std::filesystem::exists(folder() / "parts"); ++attempt) {
    ASSERT_LT(attempt, 10 * kills + 20);
    random = random * 1664525U + 1013904223U;
    const bool begun = std::filesystem::exists(folder() / "parts/checkpoint.safetensors");
    const std::string run = begun ? "\"$PROGRAM\" --run-dir parts --resume" : start("parts", flags + " --overwrite");
    const double part = attempt == 0 ? 0.8 : 0x1p-32 * random;  // the first leaves a checkpoint
    const std::string killer = killed < kills ? "timeout -s KILL " + std::to_string(duration * part) + " " : "";
    const Outcome outcome = shell(killer + run + " --threads " + std::to_string(1 + attempt % 2));
    ASSERT_EQ(outcome.output.find("error"), std::string::npos) << outcome.output;
    resumed += begun;
    if (outcome.status != 0) {
      ++killed;
      continue;
    }
    expect_same_run("whole", "parts");  // and once more from the beginning, until there are enough
    std::filesystem::remove_all(folder() / "parts");
  }
  EXPECT_GT(resumed, 0);
}

TEST_F(Resume, RefusesWhatCannotGoOn) {
  const std::string flags = "--hidden-units '' --max-steps 3";
  ASSERT_EQ(shell(start("run", flags)).status, 0);
  const std::string resume = "\"$PROGRAM\" --run-dir run --resume ";
  expect_in(shell(resume + "--hidden-units 5"), 105, "the run in run goes on as it began, with \"\"");
  expect_in(shell(resume + "--batch-norm"), 105, "the run in run goes on as it began, without it");
  expect_in(shell(resume + "--overwrite"), 108, "--overwrite excludes --resume");
  expect_in(shell("\"$PROGRAM\" --resume"), 105, "--resume: needs --run-dir");
  expect_in(shell("\"$PROGRAM\" --run-dir none --resume"), 1, "none/run.json: cannot be read: No such file");
  EXPECT_FALSE(std::filesystem::exists(folder() / "none"));
  expect_in(shell(resume + "--max-steps 5"), 0, "goes on after step 3\n");
  EXPECT_EQ(lines_of(folder() / "run/train_loss.csv").size(), 6U);
  expect_in(shell(resume + "--max-steps 4"), 1, "the run has made 5 steps, expected fewer than --max-steps 4\n");
  expect_in(shell(resume), 0, "final test accuracy");  // nothing is left to do
  EXPECT_EQ(lines_of(folder() / "run/train_loss.csv").size(), 6U);
  ASSERT_EQ(shell("sed -i '$d' run/train_loss.csv").status, 0);
  expect_in(shell(resume), 1, "run/train_loss.csv: has 4 rows, expected one for each of 5 steps");
  ASSERT_EQ(shell("rm run/checkpoint.safetensors").status, 0);
  expect_in(shell(resume), 1, "run/checkpoint.safetensors: cannot be read: No such file");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
