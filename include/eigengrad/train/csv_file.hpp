// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <eigengrad/core/file.hpp>

// Tables of numbers that grow while a program runs.
//   train::CsvFile losses("train_loss.csv", "step,loss");
//   losses.row(step, loss);

namespace eigengrad::EIGENGRAD_ISA::train {

/// A table of numbers as comma-separated values. Each row is in the file as soon as it is written, and whole.
/// Errors   IoError naming the file and the reason if it cannot be written; it then ends with its last whole row
class CsvFile {
 public:
  CsvFile(std::filesystem::path path, std::string_view header) : file_(std::move(path)) {
    file_.append(joined(header, '\n'));
  }

  template <class First, class... Rest>
  void row(const First& first, const Rest&... rest) {
    file_.append(joined(cell(first), joined(',', cell(rest))..., '\n'));
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

  detail::OutputFile file_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
