// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/namespaces.hpp>

#include "support/process.hpp"

// A trainer as its users run it: a process, and the files it leaves behind.

namespace eigengrad::EIGENGRAD_ISA::testing {

inline std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// A fixture with a folder of its own.
class TrainerTest : public ProcessTest {
 protected:
  using ProcessTest::ProcessTest;

  std::string run_dir() const { return (folder() / "run").string(); }

  /// The run ends with an error that says `problem` and leaves nothing in the run directory.
  void expect_refused(const std::string& arguments, const std::string& problem) const {
    const Outcome outcome = run("--run-dir " + run_dir() + " " + arguments);
    EXPECT_GT(outcome.status, 0) << outcome.output;
    EXPECT_NE(outcome.output.find(problem), std::string::npos) << outcome.output;
    EXPECT_FALSE(std::filesystem::exists(run_dir())) << arguments;
  }

  /// The losses of all steps, as the run writes them.
  std::vector<std::string> losses(const std::string& arguments) const {
    const std::filesystem::path directory = folder() / std::to_string(std::hash<std::string>{}(arguments));
    const Outcome outcome = run("--dataset synthetic " + arguments + " --overwrite --run-dir " + directory.string());
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    return lines_of(directory / "train_loss.csv");
  }

  /// A run of so many steps has the same losses with 1, 2 and 3 threads, and others with another seed.
  void expect_same_losses_for_any_number_of_threads(const std::string& arguments, std::size_t steps) const {
    const auto one = losses(arguments + " --threads 1");
    EXPECT_EQ(one.size(), steps + 1);
    EXPECT_EQ(one, losses(arguments + " --threads 2"));
    EXPECT_EQ(one, losses(arguments + " --threads 3"));
    EXPECT_NE(one, losses(arguments + " --seed 7"));
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::testing
