// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <iostream>
#include <streambuf>
#include <string>
#include <unistd.h>

#include <eigengrad/core/system_file.hpp>

// Standard output of a program that must not end well if what it has to say is lost.

namespace examples {

/// As long as it lives, std::cout writes to the process's standard output through it, and it remembers the first error.
/// At its beginning the three standard descriptors are open, to /dev/null if they were closed: else the next file that
/// the program opens would be its standard output. Writing beyond a limit on the size of files becomes an error instead
/// of the end of the process.
class StandardOutput : private std::streambuf {
 public:
  StandardOutput() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      // open() takes the lowest one that is free, which is this one.
      if (::fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) static_cast<void>(::open("/dev/null", O_RDWR));
    }
#ifdef SIGXFSZ
    std::signal(SIGXFSZ, SIG_IGN);
#endif
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    before_ = std::cout.rdbuf(this);
  }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;
  ~StandardOutput() override {
    std::cout.flush();
    std::cout.rdbuf(before_);
  }

  /// Writes what is left. Why something could not be written, in the system's words; empty if all was.
  std::string problem() {
    std::cout.flush();
    return code_ == 0 ? "" : eigengrad::detail::system_reason(code_);
  }

 private:
  int_type overflow(int_type c) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

  int sync() override {
    for (const char* from = pbase(); from < pptr() && code_ == 0;) {
      const ::ssize_t count = ::write(STDOUT_FILENO, from, static_cast<std::size_t>(pptr() - from));
      if (count >= 0)
        from += count;
      else if (errno != EINTR)
        code_ = errno;
    }
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return code_ == 0 ? 0 : -1;
  }

  std::array<char, 4096> buffer_{};
  std::streambuf* before_ = nullptr;
  int code_ = 0;
};

}  // namespace examples
