// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/data/csv_parser.hpp>
#include <eigengrad/data/table.hpp>
#include <eigengrad/data/table_rows.hpp>

// Tables in files of comma-separated values. It needs libcsv: link eigengrad::csv.
//   auto houses = data::read_csv("houses.csv");                                   // all columns are numbers
//   auto some = data::read_csv("houses.csv", {.columns = {"area", "price"}, .delimiter = ';'});
//   auto flowers = data::read_csv("iris.csv", {.labels = {"species"}});           // a column of names of classes

namespace eigengrad::EIGENGRAD_ISA::data {

struct CsvOptions {
  std::vector<std::string> columns = {};  ///< to read as numbers, in this order; if empty, all that are not labels
  std::vector<std::string> labels = {};   ///< to read as names of classes
  char delimiter = ',';                   ///< between cells; '\t' for tabs
  bool header = true;                     ///< the first line has the names; else they are "0", "1", ...
};

namespace detail {

/// True if a number that its type does not hold is too small and not too large.
EIGENGRAD_COLD inline bool is_tiny(std::string_view text) {
  const std::size_t letter = std::min(text.find_first_of("eE"), text.size());
  const std::size_t point = std::min(text.find('.'), letter);
  const std::size_t first = text.find_first_of("123456789");
  int exponent = 0;
  if (letter < text.size()) {
    const char* const end = text.data() + text.size();
    const char* begin = text.data() + letter + 1;
    if (*begin == '+') ++begin;
    if (std::from_chars(begin, end, exponent).ec != std::errc()) return *begin == '-';
  }
  return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + exponent < 0;
}

/// Reads a finite number in English spelling, in any locale: "3", "-0.5", ".5", "+1e-3". One too small for T is 0.
/// Returns what is wrong with a text, or nothing.
template <std::floating_point T>
const char* read_number(std::string_view text, T& number) {
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data() + (plus ? 1 : 0), end, number);
  if (problem == std::errc() && stop == end && check::finite(number)) return nullptr;
  if (problem == std::errc::invalid_argument || stop != end) return "expected a number";
  if (problem == std::errc()) return "expected a finite number";
  if (!is_tiny(text)) return std::same_as<T, float> ? "more than a float holds" : "more than a double holds";
  number = T(0);
  return nullptr;
}

/// What becomes of a column of a file: its place among the columns of numbers and that among the labels, or -1.
struct CsvRole {
  Index number = -1;
  Index label = -1;
};

/// Gives every column of a file its role; afterwards options.columns names all columns of numbers.
/// Errors   ValueError for a column that is chosen twice; a text of what is wrong with the names of the file
EIGENGRAD_COLD inline std::string assign_csv_roles(const std::vector<std::string>& names, CsvOptions& options,
                                                   std::vector<CsvRole>& roles) {
  roles.assign(names.size(), {});
  NameMap places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto [at, is_new] = places.emplace(names[i], static_cast<Index>(i));
    if (!is_new) return joined("has two columns ", in_quotes(names[i]), ", number ", at->second + 1, " and ", i + 1);
  }
  std::string problem;
  const auto choose = [&](const std::vector<std::string>& chosen, Index CsvRole::*role) {
    for (std::size_t i = 0; i < chosen.size() && problem.empty(); ++i) {
      const auto found = places.find(chosen[i]);
      if (found == places.end()) {
        problem = no_such_name("column", chosen[i], names);
        return;
      }
      Index& place = roles[static_cast<std::size_t>(found->second)].*role;
      if (place >= 0) throw ValueError(error_text("read_csv: column ", in_quotes(chosen[i]), " is chosen twice"));
      place = static_cast<Index>(i);
    }
  };
  choose(options.labels, &CsvRole::label);
  if (options.columns.empty()) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (roles[i].label < 0) options.columns.push_back(names[i]);
    }
  }
  choose(options.columns, &CsvRole::number);
  return problem;
}

/// Fills a table from the cells of a file.
template <std::floating_point T>
class CsvTableReader final : private CsvParser {
 public:
  CsvTableReader(const std::filesystem::path& path, const CsvOptions& options)
      : CsvParser(path, options.delimiter), options_(options), chooses_(!options.columns.empty()) {}

  /// Once.
  Table<T> read_table() {
    read();
    if (!numbers_)
      fail_row(options_.header ? "is the end, expected the names of the columns" : "is the end, expected a row");
    const Tensor<std::int32_t> classes = classes_->take();
    typename Table<T>::NamedLabels labels;
    for (std::size_t i = 0; i < labels_.size(); ++i)
      labels.emplace(options_.labels[i], labels_[i].finish(classes, static_cast<Index>(i)));
    return {numbers_->take(), std::move(options_.columns), std::move(labels)};
  }

 private:
  static constexpr std::size_t kMostColumns = 1 << 20;

  void cell(std::string_view text, Index column) override {
    if (numbers_) return put(text, column);
    if (names_.size() == kMostColumns) fail_row(joined("has more than ", kMostColumns, " cells"));
    names_.emplace_back(text);
  }

  void row_end(Index cells) override {
    if (!numbers_) return first_row();
    if (cells < width()) fail_row(joined("ends after cell ", cells, " of ", width()));
    add_row();
  }

  /// Where a cell of a row of numbers belongs.
  void put(std::string_view text, Index column) {
    if (column == width()) fail_row(joined("goes on after cell ", width(), " of ", width()));
    const CsvRole& role = roles_[static_cast<std::size_t>(column)];
    if (role.number >= 0) {
      if (const char* problem = read_number(text, numbers_->next()[role.number])) refuse(text, column, problem);
    }
    if (role.label >= 0) {
      if (text.empty()) refuse(text, column, "expected the name of a class");
      classes_->next()[role.label] = labels_[static_cast<std::size_t>(role.label)].number_of(text);
    }
  }
  void add_row() {
    numbers_->add();
    classes_->add();
  }

  [[noreturn]] EIGENGRAD_COLD void refuse(std::string_view text, Index column, std::string_view problem) const {
    fail_cell(column, joined("is ", text.empty() ? "empty" : in_quotes(text), ", ", problem,
                             chooses_ ? "" : "; .columns chooses columns, .labels those of classes"));
  }

  /// The names, or a row of numbers that came before anybody knew how many columns there are.
  EIGENGRAD_COLD void first_row() {
    std::vector<std::string> cells;
    if (!options_.header) {
      cells = std::move(names_);
      names_.clear();
      for (std::size_t i = 0; i < cells.size(); ++i) names_.push_back(std::to_string(i));
    }
    const std::string problem = assign_csv_roles(names_, options_, roles_);
    if (!problem.empty()) fail_row(problem);
    labels_.resize(options_.labels.size());
    numbers_.emplace(static_cast<Index>(options_.columns.size()));
    classes_.emplace(static_cast<Index>(options_.labels.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) put(cells[i], static_cast<Index>(i));
    if (!options_.header) add_row();
  }

  Index width() const { return static_cast<Index>(names_.size()); }

  std::string column_text(Index column) const override {
    if (!numbers_ || column >= width()) return joined("column ", column + 1);
    return joined("column ", in_quotes(names_[static_cast<std::size_t>(column)]));
  }

  CsvOptions options_;
  bool chooses_;
  std::vector<std::string> names_;  // of all columns of the file
  std::vector<CsvRole> roles_;
  std::vector<LabelColumn> labels_;
  std::optional<RowList<T>> numbers_;  // from the end of the first row
  std::optional<RowList<std::int32_t>> classes_;
};

}  // namespace detail

/// Reads columns of numbers, and of names of classes, from a file of comma-separated values as RFC 4180 has it: UTF-8
/// with or without a byte order mark, lines that end in LF, CRLF or CR, a last line with or without its end. Cells may
/// be in quotes, and then hold delimiters, line ends, and quotes that are written twice. Spaces and tabs around cells
/// do not count, nor do lines without anything. In columns that are not chosen a cell may hold any text. A file is read
/// block by block and is never in memory as a whole.
/// Shapes   a row of the table for each row of the file; none if it has names alone
/// Errors   ValueError for a column that is chosen twice, or a delimiter that is a quote or ends lines; IoError naming
///          the file, the line and the column (of a cell that goes over several lines the last): a column that is not
///          there, or there twice; a cell that is empty or no finite number in a column of numbers, or empty in one of
///          classes; a row with more or fewer cells than the first, more than 1,048,576 cells or 16 MiB in one of them;
///          quotes that are not as above; a byte of value 0
template <std::floating_point T = float>
Table<T> read_csv(const std::filesystem::path& path, const CsvOptions& options = {}) {
  if (std::string_view("\"\r\n\0", 4).find(options.delimiter) != std::string_view::npos)
    throw ValueError("read_csv: delimiter is a quote, a line end or a byte of value 0");
  return detail::CsvTableReader<T>(path, options).read_table();
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
