// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/temporary_directory.hpp"

// A trainer as its users run it: a process, its exit status, what it prints and what it leaves behind.

namespace eigengrad::testing {

struct Outcome {
  int status;
  std::string output;
};

inline std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// A fixture with a folder of its own.
class TrainerTest : public ::testing::Test {
 protected:
  explicit TrainerTest(std::string program) : program_(std::move(program)) {}

  Outcome run(const std::string& arguments, const std::string& environment = "") const {
    const std::string command = environment + " " + program_ + " " + arguments + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    Outcome outcome{-1, ""};
    std::array<char, 4096> buffer{};
    while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) outcome.output += buffer.data();
    const int status = pclose(pipe);
    if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
    return outcome;
  }

  std::string run_dir() const { return (temporary_.path() / "run").string(); }
  const std::filesystem::path& folder() const { return temporary_.path(); }

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
    const Outcome outcome = run("--dataset synthetic " + arguments + " --run-dir " + directory.string());
    EXPECT_EQ(outcome.status, 0) << outcome.output;
    return lines_of(directory / "train_loss.csv");
  }

 private:
  std::string program_;
  TemporaryDirectory temporary_;
};

}  // namespace eigengrad::testing
