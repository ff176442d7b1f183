// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#include "support/process.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::Outcome;

/// The numbers that the first group of a pattern finds, in their order.
std::vector<double> numbers(const std::string& text, const std::string& pattern) {
  std::vector<double> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    found.push_back(std::stod((*match)[1]));
  }
  return found;
}

class AutodiffTour : public testing::ProcessTest {
 protected:
  AutodiffTour() : ProcessTest(EIGENGRAD_AUTODIFF_TOUR) {}
};

TEST_F(AutodiffTour, PrintsTheDerivativesThatOneExpects) {
  const Outcome outcome = run("");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  for (const std::string expected : {"Rosenbrock at (-1.2, 1): 24.2\n",
                                     "its gradient there:      [-215.6  -88. ]\n",
                                     "x^3 + x^2 - x at 2: 10.   derivative 3x^2 + 2x - 1: 15.\n",
                                     "d(x * detach(x))/dx at 3: 3. ",
                                     "requires a gradient: false\n",
                                     "the matrix itself\n[[ 0.8 -0.6]\n [ 0.6  0.8]]\n",
                                     "at (3, 4)\n[[ 0.128 -0.096]\n [-0.096  0.072]]\n",
                                     "along (1, 0): [ 0.128 -0.096]\n",
                                     "goes round:         [-0.8  0.6]\n",
                                     "(-1.2, 1)\n[[1330.  480.]\n [ 480.  200.]]\n",
                                     "times (1, 2):                [2290.  880.]\n",
                                     "never building it: [2290.  880.]\n",
                                     "x^5 at 2: 32.   derivatives 5x^4: 80.   20x^3: 160.   60x^2: 240.\n",
                                     "[[-0.4851 -0.5155]\n",
                                     "measured: -0.4851\n",
                                     "rounded:                    [ 0.  2. -2.]\n",
                                     "(rounded^2): [ 0.  4. -4.]\n",
                                     "1 Function ",
                                     "output [[1.4621 3.5232]]\n",
                                     "by its input [[4.2    6.2185]]\n",
                                     "by beta [2.4663]\n"}) {
    EXPECT_NE(outcome.output.find(expected), std::string::npos) << expected << "in\n" << outcome.output;
  }
}

TEST_F(AutodiffTour, NewtonsMethodFindsTheMinimumInAFewSteps) {
  for (const std::string arguments : {"", "--start 5 -3", "--start 0 0"}) {
    const Outcome outcome = run(arguments);
    ASSERT_EQ(outcome.status, 0) << outcome.output;
    const auto values = numbers(outcome.output, "\nstep [0-9]+  .*  value (.*)");
    ASSERT_GT(values.size(), 1U) << outcome.output;
    EXPECT_LE(values.size(), 9U) << outcome.output;
    EXPECT_GE(values.front(), 1.0) << outcome.output;
    EXPECT_LT(values.back(), 1e-15) << outcome.output;
    EXPECT_TRUE(std::regex_search(outcome.output, std::regex("  \\(x, y\\) \\[1\\. 1\\.\\]  value .*\n$")))
        << outcome.output;
  }
  EXPECT_GT(run("--start 5").status, 0);
  EXPECT_GT(run("--start 5 nan").status, 0);
}

TEST_F(AutodiffTour, SaysThatItsOutputIsLost) {
  const Outcome outcome = shell("\"$PROGRAM\" 2>&1 >/dev/full");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.output.find("error: standard output cannot be written: No space left on device\n"),
            std::string::npos)
      << outcome.output;
  EXPECT_EQ(shell("\"$PROGRAM\" >&-").status, 0);
}

class CharRnn : public testing::ProcessTest {
 protected:
  CharRnn() : ProcessTest(EIGENGRAD_CHAR_RNN) {}

  static std::vector<double> losses(const Outcome& outcome) {
    return numbers(outcome.output, "\nstep +[0-9]+  loss (.*)");
  }
};

TEST_F(CharRnn, LowersItsLoss) {
  const Outcome outcome = run("--steps 160 --hidden 48 --batch 16 --window 24 --length 60");
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  const auto found = losses(outcome);
  ASSERT_EQ(found.size(), 16U) << outcome.output;
  EXPECT_GT(found.front(), 2.0) << outcome.output;
  EXPECT_LT(found.back(), 0.3 * found.front()) << outcome.output;
  for (const std::string expected : {"\nafter 0 steps it writes\n    | ", "\nafter 20 steps", "\nafter 80 steps",
                                     "\nafter 160 steps", " lines are true\n"}) {
    EXPECT_NE(outcome.output.find(expected), std::string::npos) << expected << outcome.output;
  }
}

TEST_F(CharRnn, TheSameSeedGivesTheSameOutputForAnyNumberOfThreads) {
  const std::string arguments = "--steps 10 --hidden 192 --batch 48 --window 24 --length 40 ";
  const Outcome one = run(arguments + "--threads 1");
  EXPECT_EQ(one.status, 0) << one.output;
  EXPECT_EQ(losses(one).size(), 10U) << one.output;
  EXPECT_EQ(one.output, run(arguments + "--threads 2").output);
  EXPECT_EQ(one.output, run(arguments + "--threads 3").output);
  EXPECT_NE(one.output, run(arguments + "--seed 2").output);
}

TEST_F(CharRnn, LearnsATextOfItsUsers) {
  const std::string file = (folder() / "text.txt").string();
  std::ofstream out(file);
  for (int i = 0; i < 200; ++i) out << "the quick brown fox\njumps over the lazy dog\n";
  out.close();
  const Outcome outcome =
      run("--steps 240 --hidden 32 --batch 8 --window 24 --temperature 0.1 --length 150 --text " + file);
  ASSERT_EQ(outcome.status, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("text: 8800 characters, 28 different ones\n"), std::string::npos) << outcome.output;
  const std::string last = outcome.output.substr(outcome.output.find("after 240 steps"));
  EXPECT_NE(last.find("    | the quick brown fox\n    | jumps over the lazy dog\n"), std::string::npos) << last;
  EXPECT_EQ(outcome.output.find("lines are true"), std::string::npos) << outcome.output;
}

// A graph that stayed would take some 25 MB in these steps.
TEST_F(CharRnn, ItsMemoryDoesNotGrow) {
  const auto most_kilobytes = [&](const std::string& steps) {
    EXPECT_EQ(run("--hidden 32 --batch 8 --window 24 --length 20 --threads 1 --steps " + steps).status, 0);
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);  // the largest process that has ended so far
    return usage.ru_maxrss;
  };
  const long few = most_kilobytes("16");
  EXPECT_LT(most_kilobytes("48"), few + 2000);
}

TEST_F(CharRnn, RefusesWrongFlags) {
  ASSERT_EQ(shell("mkfifo fifo").status, 0);
  for (const std::string arguments :
       {"--steps 0", "--hidden -1", "--window x", "--temperature 0", "--text /no/such/file", "--words",
        "--temperature nan", "--learning-rate inf", "--seed -1", "--seed 18446744073709551616", "--text fifo"}) {
    const Outcome outcome = run(arguments);
    EXPECT_GT(outcome.status, 0) << arguments;
    EXPECT_EQ(outcome.output.find("loss"), std::string::npos) << outcome.output;
  }
  const std::string file = (folder() / "empty.txt").string();
  std::ofstream{file};
  EXPECT_NE(run("--temperature nan").output.find("--temperature: \"nan\": expected a number above 0"),
            std::string::npos);
  const Outcome outcome = run("--text " + file);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(outcome.output.ends_with("error: the text has less than two characters\n")) << outcome.output;
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
