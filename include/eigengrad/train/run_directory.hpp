// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <eigengrad/core/error.hpp>

// The folder that a run writes to, and the tables in it.
//   train::RunDirectory run("runs/mlp");
//   train::CsvFile losses(run.file("train_loss.csv"), "step,loss");
//   losses.row(step, loss);

namespace eigengrad::train {

/// A folder that exists.
/// Errors   IoError naming the folder and the reason where it cannot be made
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code problem;
    std::filesystem::create_directories(path_, problem);
    if (problem) throw IoError(path_.string(), "cannot be made: " + problem.message());
    if (!std::filesystem::is_directory(path_, problem)) throw IoError(path_.string(), "is not a directory");
  }

  std::filesystem::path file(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// A table of numbers as comma-separated values, each row on the disk as soon as it is written.
/// Errors   IoError naming the file where it cannot be written
class CsvFile {
 public:
  CsvFile(std::filesystem::path path, std::string_view header) : path_(std::move(path)), out_(path_) {
    out_ << header << std::endl;
    if (!out_) throw IoError(path_.string(), "cannot be written");
  }

  template <class First, class... Rest>
  void row(const First& first, const Rest&... rest) {
    out_ << joined(cell(first), joined(',', cell(rest))..., '\n') << std::flush;
    if (!out_) throw IoError(path_.string(), "cannot be written");
  }

 private:
  template <class Number>
  static std::string cell(Number number) {
    if constexpr (std::is_floating_point_v<Number>) {
      return to_general(number, 9);  // enough to read a float back exactly
    } else {
      return joined(number);
    }
  }

  std::filesystem::path path_;
  std::ofstream out_;
};

/// Writes a whole file, or none: the text goes to a neighbour that then takes the name.
/// Errors   IoError naming the file where it cannot be written
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path unfinished = path.string() + ".part";
  std::ofstream out(unfinished, std::ios::binary);
  out << text;
  out.close();
  std::error_code problem;
  if (out) std::filesystem::rename(unfinished, path, problem);
  if (out && !problem) return;
  std::error_code ignored;
  std::filesystem::remove(unfinished, ignored);
  throw IoError(path.string(), "cannot be written" + (problem ? ": " + problem.message() : std::string()));
}

}  // namespace eigengrad::train
