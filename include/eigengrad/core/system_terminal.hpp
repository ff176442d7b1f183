// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <eigengrad/core/namespaces.hpp>

#if __has_include(<sys/ioctl.h>) && __has_include(<unistd.h>)
#define EIGENGRAD_POSIX_TERMINAL
#include <sys/ioctl.h>
#include <unistd.h>
#endif

// How wide is the terminal that a program writes to?

namespace eigengrad::EIGENGRAD_ISA::detail {

/// The characters in a line of the terminal that a descriptor is; 0 if it is none or the system does not say.
inline int columns_of([[maybe_unused]] int descriptor) {
#if defined(EIGENGRAD_POSIX_TERMINAL) && defined(TIOCGWINSZ)
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0) return size.ws_col;
#endif
  return 0;
}

/// What is known of a terminal as one number: what the system says, else the variable COLUMNS, else 80.
inline int columns_from(int of_terminal, const char* variable) {
  constexpr int kUsual = 80;
  if (of_terminal > 0) return of_terminal;
  if (variable == nullptr) return kUsual;
  const std::string_view text = variable;
  int columns = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), columns);
  return problem == std::errc() && end == text.data() + text.size() && columns > 0 ? columns : kUsual;
}

/// The characters in a line of the terminal of this program, now: it may be made wider and narrower at any time.
inline int terminal_columns() {
  int columns = 0;
  for (const int descriptor : {1, 2, 0}) {  // standard output, errors and input
    if (columns == 0) columns = columns_of(descriptor);
  }
  return columns_from(columns, std::getenv("COLUMNS"));
}

}  // namespace eigengrad::EIGENGRAD_ISA::detail

#undef EIGENGRAD_POSIX_TERMINAL
