// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include <eigengrad/core/shape.hpp>
#include <eigengrad/core/text.hpp>

// Numbers as NumPy writes the elements of an array: one width for all, points below each other.
//   NumberFormat<float> format(options);
//   for (float x : numbers) format.show(x);
//   format.choose();
//   for (float x : numbers) format.measure(x);
//   text = format(numbers[0]);

namespace eigengrad::EIGENGRAD_ISA {

struct PrintOptions {
  int precision = 4;       ///< most digits behind the point
  Index threshold = 1000;  ///< with more elements than this, "..." stands for those in the middle of each axis
  Index edge_items = 3;    ///< how many are shown before and after it
  int line_width = 75;     ///< characters after which a row goes on in the next line
};

namespace detail {

/// Numbers of type T as texts of one width.
template <class T>
class NumberFormat {
 public:
  explicit NumberFormat(const PrintOptions& options) : precision_(options.precision) {}

  /// Every number that will be printed is shown first; those that are not finite count for the width alone.
  void show(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) {
        special_ = std::max(special_, special(value).size());
        return;
      }
      const double size = std::abs(static_cast<double>(value));
      if (size > 0.0) {
        largest_ = std::max(largest_, size);
        smallest_ = smallest_ == 0.0 ? size : std::min(smallest_, size);
      }
    } else {
      before_ = std::max(before_, plain(value).size());
    }
  }

  /// Between the two rounds of show and measure: decides for or against powers of ten, by NumPy's rule.
  void choose() {
    scientific_ = largest_ >= 1e8 || (smallest_ > 0.0 && (smallest_ < 1e-4 || largest_ > 1e3 * smallest_));
  }

  /// Every number once more, for the digits on both sides of the point.
  void measure(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) return;
      const std::string text = digits(value, precision_);
      const std::size_t point = text.find('.');
      const std::size_t end = std::min(text.find('e'), text.size());
      before_ = std::max(before_, point);
      after_ = std::max(after_, end - point - 1);
      exponent_ = std::max(exponent_, text.size() - end);
    }
  }

  std::string operator()(T value) const {
    if constexpr (std::is_floating_point_v<T>) {
      const std::size_t tail = 1 + after_ + exponent_;
      const std::size_t width = std::max(before_ + tail, special_);
      if (!std::isfinite(value)) return right_aligned(special(value), width);
      if (scientific_) return right_aligned(written(value, static_cast<int>(after_)), width);
      std::string text = digits(value, static_cast<int>(after_));
      text.append(after_ - (text.size() - text.find('.') - 1), ' ');
      return right_aligned(text, width);
    } else {
      return right_aligned(plain(value), before_);
    }
  }

 private:
  static std::string special(T value) {
    if (std::isnan(value)) return "nan";
    return value > T(0) ? "inf" : "-inf";
  }

  static std::string plain(T value) {
    if constexpr (std::is_same_v<T, bool>)
      return value ? "True" : "False";
    else
      return std::to_string(value);
  }

  /// With a point in any case: "3.", "3.e+08".
  std::string written(T value, int precision) const {
    std::string text = scientific_ ? to_scientific(value, precision) : to_fixed(value, precision);
    if (precision == 0) text.insert(std::min(text.find('e'), text.size()), 1, '.');
    return text;
  }

  /// Without zeros at the end of the digits: "1.25", "3.", "1.5e-07".
  std::string digits(T value, int precision) const {
    std::string text = written(value, precision);
    const std::size_t end = std::min(text.find('e'), text.size());
    std::size_t last = end;
    while (text[last - 1] == '0') --last;
    return text.erase(last, end - last);
  }

  int precision_;
  bool scientific_ = false;
  double largest_ = 0.0;
  double smallest_ = 0.0;     // above 0
  std::size_t before_ = 0;    // characters before the point, of integers all
  std::size_t after_ = 0;     // digits behind it
  std::size_t exponent_ = 0;  // "e-07"
  std::size_t special_ = 0;   // of nan and inf
};

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA
