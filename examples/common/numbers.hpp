// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <charconv>
#include <concepts>
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

#include <eigengrad/core/text.hpp>

// Flags that are numbers. What is not wholly a finite number of the type, within bounds, is refused with the name of
// the flag and what it takes: nothing is rounded, wrapped or cut.
//   examples::add_number(app, "--dropout", options.dropout, "share of units", examples::kShare);

namespace examples {

/// The numbers that a flag takes.
struct Bounds {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above_least = false;  ///< the least one itself is too small
};
inline constexpr Bounds kNotNegative{.least = 0.0};
inline constexpr Bounds kAboveZero{.least = 0.0, .above_least = true};
inline constexpr Bounds kShare{.least = 0.0, .most = 1.0};

namespace detail {

/// "a number from 0 to 1"
template <class T>
std::string expected(const Bounds& bounds) {
  using eigengrad::joined;
  using Limits = std::numeric_limits<T>;
  if constexpr (std::integral<T>) {
    const T least = bounds.least < 0.0 ? Limits::min() : static_cast<T>(bounds.least) + (bounds.above_least ? 1 : 0);
    return joined("a whole number from ", least, " to ",
                  bounds.most < static_cast<double>(Limits::max()) ? static_cast<T>(bounds.most) : Limits::max());
  } else {
    const bool has_least = bounds.least > -Limits::infinity();
    if (bounds.most < Limits::infinity()) return joined("a number from ", bounds.least, " to ", bounds.most);
    if (!has_least) return "a number";
    return joined("a number ", bounds.above_least ? "above " : "of at least ", bounds.least);
  }
}

/// True if all of the text is a number of that type. No locale has a say.
template <class T>
bool parse(const std::string& text, T& number) {
  if constexpr (std::integral<T>) {
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    return problem == std::errc() && stop == end;
  } else {
    std::istringstream in(text);
    in.imbue(std::locale::classic());
    return static_cast<bool>(in >> std::noskipws >> number) && in.peek() == std::istringstream::traits_type::eof();
  }
}

}  // namespace detail

/// The number that a text is.
/// Errors   CLI::ValidationError naming the flag, the text and what was expected
template <class T>
T number_in(const std::string& flag, const std::string& text, const Bounds& bounds = {}) {
  T number{};
  if (detail::parse(text, number)) {
    const auto value = static_cast<double>(number);
    const bool large_enough = bounds.above_least ? value > bounds.least : value >= bounds.least;
    if (large_enough && value <= bounds.most) return number;
  }
  throw CLI::ValidationError(flag, "\"" + text + "\": expected " + detail::expected<T>(bounds));
}

/// A flag with a number, which has its default already.
template <class T>
CLI::Option* add_number(CLI::App& app, const std::string& flag, T& value, const std::string& help,
                        const Bounds& bounds = {}) {
  return app
      .add_option_function<std::string>(
          flag, [flag, &value, bounds](const std::string& text) { value = number_in<T>(flag, text, bounds); }, help)
      ->type_name(std::integral<T> ? "INT" : "FLOAT")
      ->default_str(eigengrad::joined(value));
}

}  // namespace examples
