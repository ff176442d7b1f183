// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>
#include <utility>

#include <eigengrad/core/number_format.hpp>
#include <eigengrad/core/tensor.hpp>

// Tensors as text, as NumPy prints arrays with a precision of 4.
//   std::cout << x << '\n';                                // [[ 1.     -0.5   ]
//                                                          //  [ 0.3333  2.    ]]
//   std::string text = to_string(x, {.precision = 8});

namespace eigengrad::EIGENGRAD_ISA {

namespace detail {

/// Walks over what is shown of a tensor and writes it.
template <class T>
class TensorPrinter {
 public:
  TensorPrinter(const Tensor<T>& x, const PrintOptions& options)
      : x_(x), options_(options), format_(options), shortened_(x.numel() > options.threshold) {
    const auto each = [&](const auto& f) { visit(0, 0, f); };
    each([&](T value) { format_.show(value); });
    format_.choose();
    each([&](T value) { format_.measure(value); });
  }

  std::string text() {
    if (x_.rank() == 0) return format_(x_.item());
    write(0, 0);
    return std::move(text_);
  }

 private:
  bool shortened(Index size) const { return shortened_ && size > 2 * options_.edge_items; }

  /// f(i) for the positions of an axis that are shown; skipped() where the others would be.
  template <class F, class G>
  void positions(int axis, const F& f, const G& skipped) const {
    const Index size = x_.size(axis);
    for (Index i = 0; i < size; ++i) {
      if (shortened(size) && i == options_.edge_items) {
        skipped();
        i = size - options_.edge_items;
        if (i >= size) return;
      }
      f(i);
    }
  }

  template <class F>
  void visit(int axis, Index offset, const F& f) const {
    if (x_.empty()) return;
    if (axis == x_.rank()) return f(x_.data()[offset]);
    positions(
        axis, [&](Index i) { visit(axis + 1, offset * x_.size(axis) + i, f); }, [] {});
  }

  void write(int axis, Index offset) {
    if (x_.empty()) {
      text_ += "[]";
      return;
    }
    text_ += '[';
    if (axis + 1 == x_.rank())
      write_row(offset * x_.size(axis));
    else
      write_parts(axis, offset * x_.size(axis));
    text_ += ']';
  }

  /// Parts of an axis stand on lines of their own, with empty lines between those of three axes and more.
  void write_parts(int axis, Index offset) {
    const std::string gap = std::string(static_cast<std::size_t>(x_.rank() - axis - 1), '\n') +
                            std::string(static_cast<std::size_t>(axis) + 1, ' ');
    bool first = true;
    const auto separate = [&] {
      if (!first) text_ += gap;
      first = false;
    };
    positions(
        axis,
        [&](Index i) {
          separate();
          write(axis + 1, offset + i);
        },
        [&] {
          separate();
          text_ += "...";
        });
  }

  /// The numbers of a row, on further lines if one is too short.
  void write_row(Index offset) {
    const auto indent = static_cast<std::size_t>(x_.rank());
    std::size_t line = indent;  // characters of this line
    bool first = true;
    const auto word = [&](const std::string& text) {
      // Room is left for the brackets that close behind the last number.
      const std::size_t most = static_cast<std::size_t>(options_.line_width) - indent;
      if (!first && line + 1 + text.size() > most) {
        text_ += '\n' + std::string(indent, ' ');
        line = indent;
      } else if (!first) {
        text_ += ' ';
        ++line;
      }
      text_ += text;
      line += text.size();
      first = false;
    };
    positions(
        x_.rank() - 1, [&](Index i) { word(format_(x_.data()[offset + i])); }, [&] { word("..."); });
  }

  const Tensor<T>& x_;
  PrintOptions options_;
  NumberFormat<T> format_;
  bool shortened_;
  std::string text_;
};

}  // namespace detail

/// The elements as NumPy's str() gives them: nested brackets, columns of one width, powers of ten if the numbers are
/// large, small or far apart, "..." in the middle of each axis of a large tensor.
/// Errors   ValueError for a precision or a number of edge items below 0
template <class T>
std::string to_string(const Tensor<T>& x, const PrintOptions& options = {}) {
  if (options.precision < 0)
    throw ValueError(error_text("to_string: precision is ", options.precision, ", expected 0 or more"));
  if (options.edge_items < 0)
    throw ValueError(error_text("to_string: edge_items is ", options.edge_items, ", expected 0 or more"));
  return detail::TensorPrinter<T>(x, options).text();
}

template <class T>
std::ostream& operator<<(std::ostream& out, const Tensor<T>& x) {
  return out << to_string(x);
}

}  // namespace eigengrad::EIGENGRAD_ISA
