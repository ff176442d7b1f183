// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include <gtest/gtest.h>

#include "support/trainer_process.hpp"

// A network that a trainer leaves, in the hands of another program. Without stb there is no predict.
#ifdef EIGENGRAD_PREDICT

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::Outcome;

class Predict : public testing::TrainerTest {
 protected:
  Predict() : TrainerTest(EIGENGRAD_PREDICT) {}

  static void expect_in(const Outcome& outcome, int status, const std::string& text) {
    EXPECT_EQ(outcome.status, status) << outcome.output;
    EXPECT_NE(outcome.output.find(text), std::string::npos) << text << " in\n" << outcome.output;
  }
};

/// The number behind a text.
double number_behind(const std::string& text, const std::string& output) {
  std::smatch match;
  return std::regex_search(output, match, std::regex(text + "([0-9.]+)")) ? std::stod(match[1]) : -1.0;
}

TEST_F(Predict, IsAsGoodAsTheTrainerSaysAndNamesWhatItSees) {
  const Outcome trained =
      shell("'" EIGENGRAD_CIFAR10_MLP
            "' --dataset synthetic --hidden-units 30 --activation gelu --batch-norm --max-steps 120 "
            "--eval-freq 40 --init pytorch --normalization channels --run-dir run");
  ASSERT_EQ(trained.status, 0) << trained.output;
  const Outcome best = run("run --test"), last = run("run --test --network last");
  expect_in(best, 0, "confusion matrix");
  EXPECT_EQ(number_behind("accuracy ", best.output), number_behind("\\(best ", trained.output));
  EXPECT_EQ(number_behind("accuracy ", last.output), number_behind("final test accuracy ", trained.output));
  // Ten rows, whose numbers are the 10,000 images.
  const std::regex row("\n(disk|ring|square|triangle|cross|stripes [0-9]+|checkerboard|dots)((?: +[0-9]+){10})\n?");
  const std::string matrix = best.output.substr(0, best.output.find("precision"));
  int images = 0, rows = 0;
  for (std::size_t at = 0; (at = matrix.find('\n', at)) != std::string::npos; ++at) {
    std::smatch match;
    const std::string rest = matrix.substr(at);
    if (!std::regex_search(rest, match, row, std::regex_constants::match_continuous)) continue;
    ++rows;
    std::istringstream counts(match[2]);
    for (int count = 0; counts >> count;) images += count;
  }
  EXPECT_EQ(rows, 10) << best.output;
  EXPECT_EQ(images, 10000);

  std::filesystem::copy_file(EIGENGRAD_GOLDEN_DIR "/colours.png", folder() / "x.png");
  const Outcome seen = run("run x.png");
  EXPECT_EQ(seen.status, 0);
  EXPECT_TRUE(std::regex_search(seen.output, std::regex("(^|\\n)x.png\n(  [01]\\.[0-9]{4}  [a-z0-9 ]+\n){5}$")))
      << seen.output;
}

TEST_F(Predict, SaysWhatItCannotRead) {
  expect_in(run("none x.png"), 1, "error: none/run.json: cannot be read: No such file or directory\n");
  ASSERT_EQ(
      shell("'" EIGENGRAD_CIFAR10_MLP "' --dataset synthetic --hidden-units '' --max-steps 1 --run-dir run").status, 0);
  expect_in(run("run"), 106, "IMAGE or --test is required");
  expect_in(run("run none.png"), 1, "error: none.png: cannot be read: No such file or directory\n");
  std::ofstream(folder() / "text.png") << "no picture";
  expect_in(run("run text.png"), 1, "error: text.png: is no image that can be read: neither PNG nor JPEG nor BMP\n");
  std::ofstream(folder() / "run/run.json") << "{";
  expect_in(run("run text.png"), 1, "error: run/run.json: ");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA

#endif
