// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of CSV files on any bytes: a table of finite numbers that is written and read again as it is, or an
// IoError that names the file and a line that it has. The first byte chooses the options.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <eigengrad/core/text.hpp>
#include <eigengrad/data/csv.hpp>

#include "scratch_file.hpp"

namespace {

using namespace eigengrad;
using fuzz::require;

std::string in_quotes(const std::string& cell) {
  std::string result = "\"";
  for (const char c : cell) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

/// The table as a file with the same columns: numbers, then classes.
std::string written(const data::Table<double>& table, const data::CsvOptions& options) {
  std::string text;
  const auto end_row = [&] { text.back() = '\n'; };
  const auto put = [&](const std::string& cell) { text += in_quotes(cell) + options.delimiter; };
  for (const std::string& name : table.names()) put(name);
  for (const std::string& name : options.labels) put(name);
  end_row();
  for (Index row = 0; row < table.rows(); ++row) {
    for (Index column = 0; column < table.columns().size(1); ++column)
      put(to_general(table.columns()(row, column), 17));
    for (const std::string& name : options.labels) {
      const auto& [labels, class_names] = table.labels(name);
      require(labels(row) >= 0 && labels(row) < static_cast<Index>(class_names.size()));
      put(class_names[static_cast<std::size_t>(labels(row))]);
    }
    end_row();
  }
  return text;
}

void check_same(const data::Table<double>& a, const data::Table<double>& b, const data::CsvOptions& options) {
  require(a.names() == b.names() && equal(a.columns(), b.columns()));
  for (const std::string& name : options.labels) {
    require(a.labels(name).class_names == b.labels(name).class_names);
    require(equal(a.labels(name).labels, b.labels(name).labels));
  }
}

/// "...: line 3" of a file with as many lines.
void check_line(const std::string& message, std::string_view bytes) {
  constexpr std::string_view kBefore = ": line ";
  const std::size_t at = message.find(kBefore);
  require(at != std::string::npos);
  Index line = 0;
  std::from_chars(message.data() + at + kBefore.size(), message.data() + message.size(), line);
  const Index ends = std::count(bytes.begin(), bytes.end(), '\n') + std::count(bytes.begin(), bytes.end(), '\r');
  require(line >= 1 && line <= ends + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  data::CsvOptions options{.delimiter = (bytes[0] & 1) != 0 ? ';' : ',', .header = (bytes[0] & 2) == 0};
  if ((bytes[0] & 4) != 0) options.labels = {"0"};
  if ((bytes[0] & 8) != 0) options.columns = {"1"};
  const std::filesystem::path& file = fuzz::file_of(bytes + 1, size - 1);
  data::Table<double> table{Tensor<double>(Shape{0, 0}), {}};
  try {
    table = data::read_csv<double>(file, options);
  } catch (const IoError& error) {
    require(fuzz::names_the_file(error));
    check_line(error.what(), {reinterpret_cast<const char*>(bytes) + 1, size - 1});
    return 0;
  }
  for (const double number : table.columns().span()) require(std::isfinite(number));
  const std::string text = written(table, options);
  options.header = true;
  fuzz::file_of(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  check_same(table, data::read_csv<double>(file, options), options);
  return 0;
}
