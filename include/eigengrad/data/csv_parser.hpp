// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <csv.h>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/core/file.hpp>
#include <eigengrad/core/index.hpp>

#if !defined(CSV_STRICT_FINI)
#error "data/csv.hpp needs libcsv's <csv.h>; another library has put its own before it."
#endif

// Files of comma-separated values, cut into cells by libcsv and with the place of every error.

namespace eigengrad::EIGENGRAD_ISA::data::detail {

/// Reads a file block by block and hands over its cells, row by row, without their quotes. Where RFC 4180 leaves it
/// open: lines end in LF, CRLF or CR; lines without anything are skipped; spaces and tabs around a cell that is not in
/// quotes, or around the quotes, do not count. Its rows may have any numbers of cells.
/// Errors   IoError naming the file, the line and the column
class CsvParser {
 public:
  CsvParser(std::filesystem::path path, char delimiter) : path_(std::move(path)), file_(path_) {
    csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter));
    csv_set_blk_size(&parser_, 1 << 16);  // by which the memory of a long cell grows
  }
  CsvParser(const CsvParser&) = delete;
  CsvParser& operator=(const CsvParser&) = delete;

  /// Once.
  void read() {
    constexpr std::uintmax_t kBlock = 1 << 18;
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    std::vector<char> buffer(static_cast<std::size_t>(std::min(kBlock, file_.size())));
    for (std::uintmax_t done = 0; done < file_.size(); done += buffer.size()) {
      buffer.resize(static_cast<std::size_t>(std::min<std::uintmax_t>(buffer.size(), file_.size() - done)));
      file_.read(buffer.data(), buffer.size());
      std::string_view block(buffer.data(), buffer.size());
      if (done == 0 && block.starts_with(kByteOrderMark)) block.remove_prefix(kByteOrderMark.size());
      parse_block(block);
    }
    const int status = csv_fini(&parser_, on_cell, on_row_end, this);
    if (failure_) std::rethrow_exception(failure_);
    if (status != 0) fail_cell(cell_line_, cells_, "has a quote at its beginning and none at its end");
  }

 protected:
  virtual ~CsvParser() { csv_free(&parser_); }

  /// The next cell of a row, its columns counted from 0.
  virtual void cell(std::string_view text, Index column) = 0;
  /// All cells of a row have been handed over: at least one.
  virtual void row_end(Index cells) = 0;
  /// What an error calls a column.
  virtual std::string column_text(Index column) const = 0;

  const std::filesystem::path& path() const { return path_; }

  /// "houses.csv: line 3: has 2 cells"
  [[noreturn]] EIGENGRAD_COLD void fail_row(std::string_view problem) const {
    throw IoError(path_.string(), joined("line ", line(), ": ", problem));
  }
  /// 'houses.csv: line 3, column "area": is empty'
  [[noreturn]] EIGENGRAD_COLD void fail_cell(Index column, std::string_view problem) const {
    fail_cell(line(), column, problem);
  }

 private:
  /// The line that is being parsed, from 1: in it ends what is handed over.
  Index line() const { return line_ + (after_cr_ ? 1 : 0); }

  [[noreturn]] EIGENGRAD_COLD void fail_cell(Index line, Index column, std::string_view problem) const {
    throw IoError(path_.string(), joined("line ", line, ", ", column_text(column), ": ", problem));
  }

  /// Line by line, as libcsv does not say where it is.
  void parse_block(std::string_view block) {
    while (!block.empty()) {
      const std::size_t end = block.find('\n');
      const std::string_view piece = block.substr(0, end == std::string_view::npos ? end : end + 1);
      const std::size_t zero = piece.find('\0');
      parse(piece.substr(0, zero));
      if (zero != std::string_view::npos) fail_cell(cells_, "has a byte of value 0, expected text in UTF-8");
      block.remove_prefix(piece.size());
      if (end != std::string_view::npos) ++line_;
    }
  }

  void parse(std::string_view text) {
    constexpr std::size_t kLongestCell = 1 << 24;
    const std::size_t done = csv_parse(&parser_, text.data(), text.size(), on_cell, on_row_end, this);
    if (failure_) std::rethrow_exception(failure_);
    if (done < text.size() && csv_error(&parser_) == CSV_EPARSE)
      fail_cell(cells_, parser_.quoted != 0
                            ? "has text behind the quote at its end"
                            : "has a quote and none at its beginning; a quote in quotes is written twice");
    if (done < text.size()) throw MemoryError(error_text(path_.string(), ": no memory for a cell of line ", line()));
    if (parser_.entry_pos > kLongestCell)
      fail_cell(cell_line_, cells_,
                joined("is longer than ", kLongestCell, " bytes", parser_.quoted != 0 ? "; is a quote missing?" : ""));
  }

  // What libcsv calls. An exception must not pass through it: it waits until the line is parsed.
  static void on_cell(void* text, std::size_t size, void* self) noexcept {
    auto& parser = *static_cast<CsvParser*>(self);
    if (parser.failure_) return;
    try {
      if (std::exchange(parser.after_cr_, false)) ++parser.line_;
      parser.cell({static_cast<const char*>(text), size}, parser.cells_);
      ++parser.cells_;
      parser.cell_line_ = parser.line_;
    } catch (...) {
      parser.failure_ = std::current_exception();
    }
  }
  static void on_row_end(int end, void* self) noexcept {
    auto& parser = *static_cast<CsvParser*>(self);
    if (parser.failure_) return;
    try {
      if (end != '\n' && std::exchange(parser.after_cr_, false)) ++parser.line_;
      if (const Index cells = std::exchange(parser.cells_, 0); cells > 0) parser.row_end(cells);
      parser.after_cr_ = end == '\r';
      parser.cell_line_ = parser.line_ + 1;
    } catch (...) {
      parser.failure_ = std::current_exception();
    }
  }

  std::filesystem::path path_;
  InputFile file_;
  csv_parser parser_{};
  std::exception_ptr failure_;
  Index cells_ = 0;        // of this row that have been handed over
  Index line_ = 1;         // without that behind after_cr_
  Index cell_line_ = 1;    // in which the cell begins that has not ended
  bool after_cr_ = false;  // the last line ended in CR, to which an LF would belong
};

}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
