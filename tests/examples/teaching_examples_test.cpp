// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/process.hpp"

// The programs that show a thing each, in small: they run, and what they show comes true.

namespace eigengrad::EIGENGRAD_ISA {
namespace teaching_examples_test {

/// The number behind a text in an output; NaN if the text is not there.
double number_behind(const std::string& output, std::string_view text) {
  const auto found = output.rfind(text);
  return found == std::string::npos ? std::nan("") : std::strtod(output.c_str() + found + text.size(), nullptr);
}

class FirstSteps : public testing::ProcessTest {
 protected:
  FirstSteps() : ProcessTest(EIGENGRAD_FIRST_STEPS) {}
};
TEST_F(FirstSteps, LearnTheSpirals) {
  const auto [status, output] = run("");
  EXPECT_EQ(status, 0) << output;
  EXPECT_GT(number_behind(output, ": accuracy "), 0.95) << output;
}

class CustomLayer : public testing::ProcessTest {
 protected:
  CustomLayer() : ProcessTest(EIGENGRAD_CUSTOM_LAYER) {}
};
TEST_F(CustomLayer, HasRightGradientsAndLearns) {
  const auto [status, output] = run("");
  EXPECT_EQ(status, 0) << output;
  EXPECT_NE(output.find("gradcheck of Swish 3 passed"), std::string::npos) << output;
  EXPECT_LT(number_behind(output, ": validation loss "), 0.002) << output;
}

class FineTuning : public testing::ProcessTest {
 protected:
  FineTuning() : ProcessTest(EIGENGRAD_FINE_TUNING) {}
};
TEST_F(FineTuning, KeepsTheBodyAndLearnsOtherClasses) {
  const std::string arguments = "--width 4 --pretrain-steps 30 --steps 10";
  const auto [status, output] = run(arguments);
  EXPECT_EQ(status, 0) << output;
  EXPECT_GE(number_behind(output, "six classes"), 1.0 / 6.0) << output;
  EXPECT_GE(number_behind(output, "the same, body frozen"), 0.0) << output;
  EXPECT_TRUE(std::filesystem::exists(folder() / "runs/fine_tuning/six_classes.safetensors"));
  const auto again = run(arguments);  // the body is there
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_EQ(again.output.find("six classes"), std::string::npos) << again.output;
  const auto refused = run("--width 8 --steps 1");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("0.weight has shape (4, 3, 3, 3), expected (8, 3, 3, 3)"), std::string::npos)
      << refused.output;
}

class Regression : public testing::ProcessTest {
 protected:
  Regression() : ProcessTest(EIGENGRAD_REGRESSION) {}
};
TEST_F(Regression, LearnsTheArmAndServesIt) {
  const auto [status, output] = run("--epochs 5");
  EXPECT_EQ(status, 0) << output;
  EXPECT_NE(output.find("20000 rows, 6 inputs, 2 targets"), std::string::npos) << output;
  EXPECT_GT(number_behind(output, "R2"), 0.97) << output;
  EXPECT_GT(number_behind(output, "one prediction takes "), 0.0) << output;
}
TEST_F(Regression, TakesATableOfTheUsers) {
  std::ofstream table(folder() / "line.csv");
  table << "x,y,z\n";
  for (int i = 0; i < 400; ++i) table << i % 20 << ',' << i / 20 << ',' << 3 * (i % 20) - 2 * (i / 20) + 1 << '\n';
  table.close();
  const auto [status, output] = run("--csv line.csv --targets z --epochs 60");
  EXPECT_EQ(status, 0) << output;
  EXPECT_GT(number_behind(output, "R2"), 0.99) << output;
  const auto refused = run("--csv line.csv --targets w");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("has no column \"w\""), std::string::npos) << refused.output;
  EXPECT_NE(run("--csv line.csv").output.find("--csv needs --targets"), std::string::npos);
}

}  // namespace teaching_examples_test
}  // namespace eigengrad::EIGENGRAD_ISA
