// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

// Numbers as text, the one way for everything that the library writes: messages, tables, pictures, printed tensors.
// It knows no locale, neither that of C++ nor that of C: 3072 is "3072" and a half is "0.5" in every country.
//   to_general(0.1F);             // "0.1", as printf's %g
//   to_fixed(2.0, 4);             // "2.0000", as %.4f
//   to_scientific(1.5e-7, 2);     // "1.50e-07", as %.2e
//   joined("step ", 3, ": ", x);  // one string of texts, numbers and whatever has a to_string

namespace eigengrad {

namespace detail {

/// Not-a-number is "nan" whatever its sign; infinities are "inf" and "-inf".
template <std::floating_point T>
std::string number_text(T value, std::chars_format format, int digits) {
  if (value != value) return "nan";
  std::string text(32, '\0');
  while (true) {
    const auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), value, format, digits);
    if (problem == std::errc()) return text.erase(static_cast<std::size_t>(end - text.data()));
    text.resize(2 * text.size());
  }
}

}  // namespace detail

/// With so many significant digits, without zeros at the end; a power of ten if the number is large or small.
template <std::floating_point T>
std::string to_general(T value, int digits = 6) {
  return detail::number_text(value, std::chars_format::general, digits);
}

/// With so many digits behind the point.
template <std::floating_point T>
std::string to_fixed(T value, int digits) {
  return detail::number_text(value, std::chars_format::fixed, digits);
}

/// With one digit before the point, so many behind it and a power of ten.
template <std::floating_point T>
std::string to_scientific(T value, int digits) {
  return detail::number_text(value, std::chars_format::scientific, digits);
}

/// A text at the right, and at the left, of a field of a least width.
inline std::string right_aligned(std::string text, std::size_t width) {
  return text.insert(0, width - std::min(width, text.size()), ' ');
}
inline std::string left_aligned(std::string text, std::size_t width) {
  return text.append(width - std::min(width, text.size()), ' ');
}

namespace detail {

template <class Part>
void append(std::string& text, const Part& part) {
  if constexpr (std::convertible_to<const Part&, std::string_view>) {
    text += std::string_view(part);
  } else if constexpr (std::same_as<Part, char>) {
    text += part;
  } else if constexpr (std::is_floating_point_v<Part>) {
    text += to_general(part);
  } else {
    using std::to_string;
    text += to_string(part);
  }
}

}  // namespace detail

/// One string of all the parts: texts, numbers, and objects for which there is a `to_string`.
template <class... Parts>
std::string joined(const Parts&... parts) {
  std::string text;
  (detail::append(text, parts), ...);
  return text;
}

}  // namespace eigengrad
