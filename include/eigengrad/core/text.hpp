// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/namespaces.hpp>

// Numbers as text, the one way for everything that the library writes: messages, tables, pictures, printed tensors.
// It knows no locale, neither that of C++ nor that of C: 3072 is "3072" and a half is "0.5" in every country.
//   to_general(0.1F);             // "0.1", as printf's %g
//   to_fixed(2.0, 4);             // "2.0000", as %.4f
//   to_scientific(1.5e-7, 2);     // "1.50e-07", as %.2e
//   to_significant(1.234e-5);     // "1.234e-05"; to_significant(2.5) is "2.5000"
//   joined("step ", 3, ": ", x);  // one string of texts, numbers and whatever has a to_string

namespace eigengrad::EIGENGRAD_ISA {

namespace detail {

/// Not-a-number is "nan" whatever its sign; infinities are "inf" and "-inf".
template <std::floating_point T>
EIGENGRAD_COLD std::string number_text(T value, std::chars_format format, int digits) {
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

/// With at least four significant digits, four of them behind the point where that is enough; a power of ten below
/// 0.0001 and from 100000 on. Losses and metrics are written so: the same digits of a small one are seen as of a large.
///   "2.3026", "123.46", "0.01234", "1.234e-05"
/// At most kSignificantWidth characters, and one more for a minus.
template <std::floating_point T>
EIGENGRAD_COLD std::string to_significant(T value) {
  const T size = value < T(0) ? -value : value;
  if (size == T(0)) return "0.0000";  // also minus zero
  if (!(size >= T(1e-4) && size < T(1e5))) return to_scientific(value, 3);
  int digits = 4;
  for (const double power : {10.0, 100.0, 1000.0, 10000.0}) digits -= size >= T(power) ? 1 : 0;
  for (const double power : {0.1, 0.01, 0.001}) digits += size < T(power) ? 1 : 0;
  return to_fixed(value, digits);
}
inline constexpr std::size_t kSignificantWidth = 9;

/// A text at the right, and at the left, of a field of a least width.
EIGENGRAD_COLD inline std::string right_aligned(std::string text, std::size_t width) {
  return text.insert(0, width - std::min(width, text.size()), ' ');
}
EIGENGRAD_COLD inline std::string left_aligned(std::string text, std::size_t width) {
  return text.append(width - std::min(width, text.size()), ' ');
}

namespace detail {

template <class Part>
EIGENGRAD_COLD std::string text_of(const void* part) {
  const Part& value = *static_cast<const Part*>(part);
  if constexpr (std::is_floating_point_v<Part>) {
    return to_general(value);
  } else {
    using std::to_string;
    return to_string(value);
  }
}

/// A text, or an object and what makes a text of it: one type for all, so that joining is compiled once and not for
/// each list of types. It refers to what it was made from.
struct TextPart {
  std::string_view text;
  const void* object = nullptr;
  std::string (*text_of)(const void* object) = nullptr;
};

template <class Part>
TextPart text_part(const Part& part) {
  if constexpr (std::convertible_to<const Part&, std::string_view>)
    return {.text = part};
  else if constexpr (std::same_as<Part, char>)
    return {.text = {&part, 1}};
  else
    return {.text = {}, .object = &part, .text_of = text_of<Part>};
}

EIGENGRAD_COLD inline std::string join(std::initializer_list<TextPart> parts) {
  std::string text;
  for (const TextPart& part : parts) {
    if (part.object == nullptr)
      text += part.text;
    else
      text += part.text_of(part.object);
  }
  return text;
}

}  // namespace detail

/// One string of all the parts: texts, numbers, and objects for which there is a `to_string`.
template <class... Parts>
std::string joined(const Parts&... parts) {
  return detail::join({detail::text_part(parts)...});
}

}  // namespace eigengrad::EIGENGRAD_ISA
