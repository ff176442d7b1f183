// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <locale>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigengrad/core/file.hpp>
#include <eigengrad/core/index.hpp>

// Tables of numbers that grow while a program runs.
//   train::CsvFile losses("train_loss.csv", "step,loss");
//   losses.row(step, loss);

namespace eigengrad::EIGENGRAD_ISA::train {

/// A table of numbers as comma-separated values. Each row is in the file as soon as it is written, and whole.
/// Errors   IoError naming the file and the reason if it cannot be written; it then ends with its last whole row
class CsvFile {
 public:
  /// A new table; an earlier one of that name is gone.
  CsvFile(std::filesystem::path path, std::string_view header) : CsvFile(std::move(path), header, 0) {}

  /// The table of a run that goes on after the step `last`, which its first column counts: rows of later steps, and
  /// half a row at the end, are dropped. A new table if there is none.
  /// Errors   also IoError if the file has another header
  static CsvFile continued(std::filesystem::path path, std::string_view header, Index last) {
    const std::size_t kept = std::filesystem::exists(path) ? size_up_to(path, header, last) : 0;
    return CsvFile(std::move(path), header, kept);
  }

  template <class First, class... Rest>
  void row(const First& first, const Rest&... rest) {
    file_.append(joined(cell(first), joined(',', cell(rest))..., '\n'));
  }

  /// Waits until the rows are on the disk.
  void flush() { file_.flush(); }

 private:
  CsvFile(std::filesystem::path path, std::string_view header, std::size_t kept)
      : file_(std::move(path), static_cast<std::int64_t>(kept)) {
    if (kept == 0) file_.append(joined(header, '\n'));
  }

  static std::size_t size_up_to(const std::filesystem::path& path, std::string_view header, Index last) {
    const std::string text = read_file(path);
    if (!text.starts_with(joined(header, '\n')))
      throw IoError(path.string(), joined("is another table, expected one with the header ", header));
    std::size_t kept = header.size() + 1;
    for (std::size_t end = text.find('\n', kept); end != std::string::npos; end = text.find('\n', kept)) {
      Index step = 0;
      const auto problem = std::from_chars(text.data() + kept, text.data() + end, step).ec;
      if (problem != std::errc() || step > last) break;
      kept = end + 1;
    }
    return kept;
  }

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

/// The rows of a table that has Count columns of numbers below a header.
/// Errors   IoError naming the file and the line that is not such a row
template <std::size_t Count>
std::vector<std::array<double, Count>> read_csv(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path));
  std::string line;
  std::getline(lines, line);
  std::vector<std::array<double, Count>> rows;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    cells.imbue(std::locale::classic());
    std::array<double, Count> row{};
    for (std::size_t i = 0; i < Count; ++i) {
      if (i > 0 && cells.get() != ',') cells.setstate(std::ios::failbit);
      cells >> row[i];
    }
    if (!cells || cells.peek() != std::istringstream::traits_type::eof())
      throw IoError(path.string(),
                    joined("line ", rows.size() + 2, " is \"", line, "\", expected ", Count, " numbers"));
    rows.push_back(row);
  }
  return rows;
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
