// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <eigengrad/core/index.hpp>
#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/system_file.hpp>

// Files, the one place that opens them. Everything that is no regular file is refused at once, so that a FIFO
// does not hang; what is written goes through no symbolic link; errors carry the system's reason.
//   OutputFile table("m.csv");  table.append("1,2\n");   // the whole row or, on a full disk, none of it
//   write_file("curves.svg", text);                      // the whole file, or the earlier one stays
//   std::string text = read_file("corpus.txt");
//   auto lock = FileLock::of("run.lock");                // empty if another process has it

namespace eigengrad::EIGENGRAD_ISA {
namespace detail {

/// A file that is written from its beginning, or from a byte on: what it held before up to there stays, the rest is
/// gone.
/// Errors   IoError naming the file and the reason if it cannot be written, is a symbolic link or no regular file
class OutputFile {
 public:
  explicit OutputFile(std::filesystem::path path, std::int64_t begin = 0)
      : path_(std::move(path)), file_(path_, FileUse::write, kProblem), size_(begin) {
    if (!file_.cut(begin)) fail(errno);
  }

  /// Writes all of a text; on an error the file is as it was before.
  void append(std::string_view text) {
    for (std::size_t done = 0; done < text.size();) {
      const std::ptrdiff_t count = file_.write(text.data() + done, text.size() - done);
      if (count >= 0) {
        done += static_cast<std::size_t>(count);
      } else if (const int code = errno; code != EINTR) {
        file_.cut(size_);
        fail(code);
      }
    }
    size_ += static_cast<std::int64_t>(text.size());
  }

  /// Waits until what was written is on the disk.
  void flush() {
    if (!file_.flush()) fail(errno);
  }

 private:
  static constexpr std::string_view kProblem = "cannot be written";

  [[noreturn]] void fail(int code) const { throw IoError(path_.string(), with_reason(kProblem, code)); }

  std::filesystem::path path_;
  SystemFile file_;
  std::int64_t size_;
};

/// If a file is written before it takes its name.
inline std::filesystem::path unfinished(const std::filesystem::path& path) { return path.string() + ".part"; }

/// Gives a finished file its name; one that had it is replaced.
/// Errors   IoError naming the file and the reason
inline void finish_file(const std::filesystem::path& path) {
  std::error_code problem;
  std::filesystem::rename(unfinished(path), path, problem);
  if (problem) throw IoError(path.string(), with_reason("cannot be written", problem.value()));
}

/// A file can be given that name: there is none, or it is a regular one.
/// Errors   IoError naming it
inline void check_replaceable(const std::filesystem::path& path) {
  const std::string_view reason = refusal(path, FileUse::write);
  if (!reason.empty()) throw IoError(path.string(), joined("cannot be written: ", reason));
}

/// A file that is read from its beginning.
/// Errors   IoError naming the file, the reason and, in the middle of it, the byte
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path) : path_(std::move(path)), file_(path_, FileUse::read, kProblem) {
    std::error_code problem;
    size_ = std::filesystem::file_size(path_, problem);
    if (problem) throw IoError(path_.string(), with_reason(kProblem, problem.value()));
  }

  std::uintmax_t size() const { return size_; }

  /// The next so many bytes; many of them on several threads, since most of the time goes into copying them and into
  /// the first touch of the memory.
  void read(char* to, std::size_t count) {
    constexpr Index kPiece = Index{1} << 24;
    const auto bytes = static_cast<Index>(count);
    const auto read_piece = [&](Index begin, Index end) { read_at(to + begin, end - begin, position_ + begin); };
    try {
      parallel_for(bytes, SystemFile::kReadsAtOnce ? kPiece : bytes, read_piece);
    } catch (const IoError&) {
      read_piece(0, bytes);  // names the first byte that is not there, not that of the fastest thread
    }
    position_ += bytes;
  }

 private:
  static constexpr std::string_view kProblem = "cannot be read";

  void read_at(char* to, Index count, std::int64_t at) {
    while (count > 0) {
      const std::ptrdiff_t got = file_.read(to, static_cast<std::size_t>(count), at);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw IoError(path_.string(), at, with_reason(kProblem));
      if (got == 0) throw IoError(path_.string(), at, "ends while it is read");
      to += got;
      at += got;
      count -= got;
    }
  }

  std::filesystem::path path_;
  SystemFile file_;
  std::uintmax_t size_ = 0;
  std::int64_t position_ = 0;
};

/// A lock on a file that one object of all processes has at a time. It is the system's, so whatever ends the process
/// releases it; the file itself stays. If the file system has no locks it locks nothing.
class FileLock {
 public:
  /// Empty if another has the lock.
  /// Errors   IoError naming the file and the reason if it cannot be opened or is no regular one
  static std::optional<FileLock> of(const std::filesystem::path& path) {
    FileLock lock(path);
    if (!lock.file_.lock()) return std::nullopt;
    return lock;
  }

 private:
  explicit FileLock(const std::filesystem::path& path) : file_(path, FileUse::write, "cannot be locked") {}

  SystemFile file_;
};

/// Writes a whole file, or none: write(file) fills a neighbour, which is flushed to the disk and takes the name.
/// Errors   IoError naming the file and the reason if it cannot be written; one of that name is then as it was
template <class F>
void replace_file(const std::filesystem::path& path, const F& write) {
  check_replaceable(path);
  try {
    OutputFile file(unfinished(path));
    write(file);
    file.flush();
    finish_file(path);
  } catch (...) {
    std::error_code ignored;
    if (refusal(unfinished(path), FileUse::write).empty()) std::filesystem::remove(unfinished(path), ignored);
    throw;
  }
}

}  // namespace detail

/// Writes a whole file, or none: the text goes to a neighbour, is flushed to the disk, and takes the name.
/// Errors   IoError naming the file and the reason if it cannot be written; one of that name is then as it was
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  detail::replace_file(path, [&](detail::OutputFile& file) { file.append(text); });
}

/// All bytes of a file.
/// Errors   IoError naming the file, the reason and, in the middle of it, the byte
inline std::string read_file(const std::filesystem::path& path) {
  detail::InputFile file(path);
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  file.read(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace eigengrad::EIGENGRAD_ISA
