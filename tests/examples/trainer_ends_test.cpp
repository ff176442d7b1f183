// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "support/trainer_process.hpp"

// How a run ends that is disturbed: by another run, by what lies in its folder, by a full disk, by a closed output.

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::lines_of;
using testing::Outcome;

class TrainerEnds : public testing::TrainerTest {
 protected:
  TrainerEnds() : TrainerTest(EIGENGRAD_CIFAR10_MLP) {}

  /// A run of a network without hidden units in the folder "run".
  static std::string short_run(const std::string& more = "", int steps = 3) {
    return "\"$PROGRAM\" --dataset synthetic --hidden-units '' --run-dir run --max-steps " + std::to_string(steps) +
           " " + more;
  }

  std::string contents(const std::string& name) const {
    std::ifstream in(folder() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// Header and whole rows of numbers, and nothing else.
  void expect_table(const std::string& name, std::size_t rows) const {
    const auto lines = lines_of(folder() / name);
    EXPECT_EQ(contents(name).back(), '\n');
    ASSERT_EQ(lines.size(), rows + 1) << contents(name);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      EXPECT_TRUE(std::regex_match(lines[i], std::regex("[0-9]+(,[-+.e0-9]+)+"))) << lines[i];
    }
  }

  static void expect_in(const Outcome& outcome, int status, const std::string& text) {
    EXPECT_EQ(outcome.status, status) << outcome.output;
    EXPECT_NE(outcome.output.find(text), std::string::npos) << text << " in\n" << outcome.output;
  }
};

TEST_F(TrainerEnds, TheReportDoesNotLandInAFileWhenTheOutputIsClosed) {
  for (const std::string closed : {">&-", "<&- >&- 2>&-", "2>&- >/dev/null"}) {
    EXPECT_EQ(shell(short_run("--overwrite " + closed)).status, 0);
    expect_table("run/metrics.csv", 1);
    expect_table("run/train_loss.csv", 3);
  }
}

TEST_F(TrainerEnds, SaysThatItsOutputIsLostAndKeepsItsFiles) {
  expect_in(shell(short_run("2>&1 >/dev/full")), 1,
            "error: standard output cannot be written: No space left on device\n");
  expect_table("run/metrics.csv", 1);
  EXPECT_TRUE(std::filesystem::exists(folder() / "run/curves.svg"));
}

TEST_F(TrainerEnds, FindsBeforeItTrainsWhatItCouldNotWriteAtItsEnd) {
  std::filesystem::create_directories(folder() / "run/curves.svg");
  const Outcome outcome = shell(short_run());
  expect_in(outcome, 1, "error: run/curves.svg: cannot be written: is a directory\n");
  EXPECT_EQ(outcome.output.find("step"), std::string::npos) << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(folder() / "run/train_loss.csv"));
}

// A network has 120 KiB here; the limits are in blocks of 512 bytes or of 1024.
TEST_F(TrainerEnds, SaysTheAccuracyEvenIfItsNetworkCannotBeWritten) {
  const Outcome outcome = shell("ulimit -f 100; " + short_run());
  expect_in(outcome, 1, "error: run/best.safetensors.part: cannot be written: File too large\n");
  expect_in(outcome, 1, "validation accuracy 0.");
  EXPECT_FALSE(std::filesystem::exists(folder() / "run/best.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder() / "run/best.safetensors.part"));
  expect_table("run/train_loss.csv", 3);
}

TEST_F(TrainerEnds, LeavesNoHalfARowOnAFullDisk) {
  const Outcome outcome = shell("ulimit -f 60; " + short_run("--batch-size 1 --eval-freq 100000", 100000));
  expect_in(outcome, 1, "error: run/train_loss.csv: cannot be written: File too large\n");
  expect_table("run/train_loss.csv", lines_of(folder() / "run/train_loss.csv").size() - 1);
  EXPECT_GT(lines_of(folder() / "run/train_loss.csv").size(), 1000U);
}

TEST_F(TrainerEnds, FollowsNoLinkAndHangsAtNoFifo) {
  std::filesystem::create_directory(folder() / "run");
  std::ofstream(folder() / "far") << "far away";
  std::filesystem::create_symlink(folder() / "far", folder() / "run/train_loss.csv");
  for (const std::string overwrite : {"", "--overwrite"}) {
    expect_in(shell(short_run(overwrite)), 1,
              "train_loss.csv: cannot be written: is a symbolic link, which is not followed");
    EXPECT_EQ(contents("far"), "far away");
  }
  ASSERT_EQ(shell("rm run/train_loss.csv && mkfifo run/metrics.csv").status, 0);
  expect_in(shell("timeout 60 " + short_run()), 1, "metrics.csv: cannot be written: is no regular file");
}

TEST_F(TrainerEnds, ARunHasItsFolderForItselfUntilItEndsOrDies) {
  const Outcome outcome = shell(short_run("--eval-freq 100000000 >/dev/null & first=$!\n", 100000000) +
                                "until [ -s run/train_loss.csv ]; do sleep 0.05; done\n" +
                                short_run("; echo status $?\n") + short_run("--overwrite; echo status $?\n") +
                                "kill -9 $first; wait $first 2>/dev/null\n" + short_run("--overwrite"));
  const std::string refused = "error: run: is in use by another run\nstatus 1\n";
  const std::size_t once = outcome.output.find(refused);
  ASSERT_NE(once, std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find(refused, once + 1), std::string::npos) << outcome.output;
  expect_in(outcome, 0, "final test accuracy");
  expect_table("run/train_loss.csv", 3);
}

TEST_F(TrainerEnds, AFolderThatHoldsARunIsNotTouchedUntilAnotherHasSucceeded) {
  ASSERT_EQ(shell(short_run()).status, 0);
  const std::string metrics = contents("run/metrics.csv"), losses = contents("run/train_loss.csv");
  const std::string curves = contents("run/curves.svg");
  const auto expect_untouched = [&] {
    EXPECT_EQ(contents("run/metrics.csv"), metrics);
    EXPECT_EQ(contents("run/train_loss.csv"), losses);
    EXPECT_EQ(contents("run/curves.svg"), curves);
  };
  expect_in(shell(short_run()), 1,
            "error: run: holds a run already (run.json); name another folder, or overwrite it\n");
  expect_untouched();
  expect_in(shell("ulimit -f 1; " + short_run("--overwrite --batch-size 5", 200)), 1,
            ".part: cannot be written: File too large");
  expect_untouched();
  ASSERT_EQ(shell(short_run("--overwrite", 5)).status, 0);
  expect_table("run/train_loss.csv", 5);
  EXPECT_FALSE(std::filesystem::exists(folder() / "run/train_loss.csv.part"));
}

TEST_F(TrainerEnds, WithoutAFolderEveryRunMakesItsOwn) {
  const std::string run = "\"$PROGRAM\" --dataset synthetic --hidden-units '' --max-steps 2";
  expect_in(shell(run), 0, "train_loss.csv and curves.svg to runs/mlp-1\n");
  expect_in(shell(run), 0, "train_loss.csv and curves.svg to runs/mlp-2\n");
  expect_table("runs/mlp-1/train_loss.csv", 2);
  expect_table("runs/mlp-2/train_loss.csv", 2);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
