// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/core/namespaces.hpp>

#include "support/temporary_directory.hpp"

// A program as its users run it: a process, its exit status and what it prints.

namespace eigengrad::EIGENGRAD_ISA::testing {

struct Outcome {
  int status;
  std::string output;  // standard output and standard error
};

/// A fixture with a program and a folder of its own.
class ProcessTest : public ::testing::Test {
 protected:
  explicit ProcessTest(std::string program) : program_(std::move(program)) {}

  Outcome run(const std::string& arguments, const std::string& environment = "") const {
    return shell(environment + " \"$PROGRAM\" " + arguments);
  }

  /// Lines for the shell, in the fixture's folder, with the program as $PROGRAM.
  Outcome shell(const std::string& script) const {
    const std::string command = "exec 2>&1; PROGRAM='" + program_ + "'; cd '" + folder().string() + "'; " + script;
    FILE* pipe = popen(command.c_str(), "r");
    Outcome outcome{-1, ""};
    std::array<char, 4096> buffer{};
    while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) outcome.output += buffer.data();
    const int status = pclose(pipe);
    if (WIFEXITED(status)) outcome.status = WEXITSTATUS(status);
    return outcome;
  }

  const std::filesystem::path& folder() const { return temporary_.path(); }

 private:
  std::string program_;
  TemporaryDirectory temporary_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::testing
