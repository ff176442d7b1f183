// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <eigengrad/core/error.hpp>

#if __has_include(<unistd.h>) && __has_include(<sys/file.h>) && !defined(EIGENGRAD_PORTABLE_FILES)
#define EIGENGRAD_POSIX_FILES
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#include <cstdio>
#endif

// What core/file.hpp needs of the system: one class, with the calls of POSIX or, elsewhere, those of C and C++. Its
// functions return what they could do; if that is not all, errno has the reason.

namespace eigengrad::EIGENGRAD_ISA::detail {

/// "No space left on device", if it can be had in English even if the program has set another language.
inline std::string system_reason(int code) {
#if defined(__GLIBC__) && defined(_GNU_SOURCE)
#if __GLIBC_PREREQ(2, 32)
  if (const char* text = ::strerrordesc_np(code); text != nullptr) return text;
#endif
#endif
  return std::generic_category().message(code);
}

/// "cannot be written: No space left on device"
inline std::string with_reason(std::string_view problem, int code = errno) {
  return joined(problem, ": ", system_reason(code));
}

enum class FileUse { read, write };

/// What stops a file from being opened, beside the system's own reasons; empty for nothing. Reading follows symbolic
/// links.
inline std::string_view refusal(const std::filesystem::path& path, FileUse use) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::file_status status = fs::symlink_status(path, ignored);
  if (fs::is_symlink(status) && use == FileUse::write) return "is a symbolic link, which is not followed";
  if (fs::is_symlink(status)) status = fs::status(path, ignored);
  if (fs::is_directory(status)) return "is a directory";
  return fs::is_regular_file(status) || !fs::exists(status) || status.type() == fs::file_type::unknown
             ? ""
             : "is no regular file";
}

/// An open regular file, which is closed at the end.
/// Errors   IoError naming the file and the reason if it cannot be opened or is not regular
class SystemFile {
 public:
  SystemFile(const std::filesystem::path& path, FileUse use, std::string_view problem);
  SystemFile(SystemFile&& other) noexcept : handle_(std::exchange(other.handle_, kNone)), path_(other.path_) {}
  SystemFile& operator=(SystemFile&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~SystemFile() {
    if (handle_ != kNone) close();
  }

  /// From that byte on. Several threads may read at once if kReadsAtOnce.
  std::ptrdiff_t read(char* to, std::size_t count, std::int64_t at);
  std::ptrdiff_t write(const char* from, std::size_t count);
  /// The file ends at that byte, and the next one is written there.
  bool cut(std::int64_t size);
  bool flush();
  /// False if another process, or another object of this one, has locked it. Systems without locks lock nothing.
  bool lock();

#ifdef EIGENGRAD_POSIX_FILES
  static constexpr bool kReadsAtOnce = true;
#else
  static constexpr bool kReadsAtOnce = false;
#endif

 private:
#ifdef EIGENGRAD_POSIX_FILES
  using Handle = int;
  static constexpr Handle kNone = -1;
#else
  using Handle = std::FILE*;
  static constexpr Handle kNone = nullptr;
#endif
  void close();

  Handle handle_ = kNone;
  std::filesystem::path path_;
};

#ifdef EIGENGRAD_POSIX_FILES

inline SystemFile::SystemFile(const std::filesystem::path& path, FileUse use, std::string_view problem) : path_(path) {
  // O_NONBLOCK: a FIFO that has come between the two looks at the file does not hang either.
  const int flags = use == FileUse::read ? O_RDONLY : O_RDWR | O_CREAT | O_NOFOLLOW;
  if (const auto reason = refusal(path, use); !reason.empty())
    throw IoError(path.string(), joined(problem, ": ", reason));
  handle_ = ::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC, 0666);
  if (handle_ < 0) throw IoError(path.string(), with_reason(problem));
  struct stat status {};
  if (::fstat(handle_, &status) == 0 && S_ISREG(status.st_mode)) return;
  ::close(handle_);
  throw IoError(path.string(), joined(problem, ": is no regular file"));
}
inline std::ptrdiff_t SystemFile::read(char* to, std::size_t count, std::int64_t at) {
  return ::pread(handle_, to, count, static_cast<::off_t>(at));
}
inline std::ptrdiff_t SystemFile::write(const char* from, std::size_t count) { return ::write(handle_, from, count); }
inline bool SystemFile::cut(std::int64_t size) {
  return ::ftruncate(handle_, static_cast<::off_t>(size)) == 0 &&
         ::lseek(handle_, static_cast<::off_t>(size), SEEK_SET) >= 0;
}
inline bool SystemFile::flush() { return ::fsync(handle_) == 0 || errno == EINVAL || errno == ENOTSUP; }
inline bool SystemFile::lock() { return ::flock(handle_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }
inline void SystemFile::close() { ::close(handle_); }

#else

inline SystemFile::SystemFile(const std::filesystem::path& path, FileUse use, std::string_view problem) : path_(path) {
  if (const auto reason = refusal(path, use); !reason.empty())
    throw IoError(path.string(), joined(problem, ": ", reason));
  handle_ = std::fopen(path.string().c_str(), use == FileUse::read ? "rb" : "ab+");
  if (handle_ == kNone) throw IoError(path.string(), with_reason(problem));
  std::setvbuf(handle_, nullptr, _IONBF, 0);
}
inline std::ptrdiff_t SystemFile::read(char* to, std::size_t count, std::int64_t at) {
  if (std::fseek(handle_, static_cast<long>(at), SEEK_SET) != 0) return -1;
  const std::size_t got = std::fread(to, 1, count, handle_);
  return got == 0 && std::ferror(handle_) != 0 ? -1 : static_cast<std::ptrdiff_t>(got);
}
inline std::ptrdiff_t SystemFile::write(const char* from, std::size_t count) {
  const std::size_t done = std::fwrite(from, 1, count, handle_);
  return done == 0 && count > 0 ? -1 : static_cast<std::ptrdiff_t>(done);
}
inline bool SystemFile::cut(std::int64_t size) {
  std::error_code problem;
  std::filesystem::resize_file(path_, static_cast<std::uintmax_t>(size), problem);
  if (problem) errno = problem.value();
  return !problem;  // what is written next goes to the end: mode "a"
}
inline bool SystemFile::flush() { return std::fflush(handle_) == 0; }
inline bool SystemFile::lock() { return true; }
inline void SystemFile::close() { std::fclose(handle_); }

#endif

}  // namespace eigengrad::EIGENGRAD_ISA::detail
