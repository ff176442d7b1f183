// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/core/namespaces.hpp>

#include "support/message_of.hpp"
#include "support/temporary_directory.hpp"

namespace eigengrad::EIGENGRAD_ISA::testing {

/// A fixture for the reader of a file format: a folder of its own, and in it the file in question.
class ReaderTest : public ::testing::Test {
 protected:
  explicit ReaderTest(std::string name) : name_(std::move(name)) {}

  std::filesystem::path path() const { return path(name_); }
  std::filesystem::path path(const std::string& name) const { return temporary_.path() / name; }

  void write(const std::string& bytes) const { std::ofstream(path(), std::ios::binary) << bytes; }

  /// What is said of a file with these bytes, behind its path.
  template <class F>
  std::string problem_with(const std::string& bytes, const F& read) const {
    write(bytes);
    const std::string message = message_of([&] { read(path()); });
    EXPECT_EQ(message.rfind(path().string() + ": ", 0), 0U) << message;
    return message.substr(path().string().size() + 2);
  }

 private:
  std::string name_;
  TemporaryDirectory temporary_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::testing
