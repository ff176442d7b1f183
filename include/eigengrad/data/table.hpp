// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/core/edit_distance.hpp>
#include <eigengrad/core/tensor.hpp>

// Columns of numbers and of classes by name, as tensors: what data::read_csv gives.
//   auto x = table.columns_except({"price"});
//   auto y = table.columns({"price"});
//   auto [labels, names] = table.labels("species");

namespace eigengrad::EIGENGRAD_ISA::data {

/// The class of each row, and the names that the classes had.
/// Shapes   labels (rows), from 0 to class_names.size() - 1
struct Labels {
  Tensor<Index> labels;
  std::vector<std::string> class_names;
};

namespace detail {

/// A text of a file within a message: in quotes, shortened, without what would break the line.
EIGENGRAD_COLD inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 40;
  std::size_t length = std::min(text.size(), kMost);
  if (length < text.size()) {
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;  // whole letters
  }
  std::string result = "\"";
  for (const char c : text.substr(0, length)) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return result + (length < text.size() ? "...\"" : "\"");
}

/// 'has no column "pice"; the nearest is "price"; it has "area", "price"'
EIGENGRAD_COLD inline std::string no_such_name(std::string_view kind, std::string_view name,
                                               const std::vector<std::string>& names) {
  constexpr std::size_t kListed = 20, kLongest = 100, kCompared = 10'000;
  std::string text = joined("has no ", kind, " ", in_quotes(name));
  const std::string* nearest = nullptr;
  std::size_t least = name.size() / 2 + 1;  // more differences than that are no slip
  for (std::size_t i = 0; i < std::min(names.size(), kCompared) && name.size() <= kLongest; ++i) {
    if (names[i].size() > kLongest) continue;
    const std::size_t distance = edit_distance(name, names[i]);
    if (distance >= least) continue;
    least = distance;
    nearest = &names[i];
  }
  if (nearest != nullptr) text += joined("; the nearest is ", in_quotes(*nearest));
  text += names.empty() ? "; it has none" : "; it has ";
  for (std::size_t i = 0; i < std::min(names.size(), kListed); ++i) text += (i > 0 ? ", " : "") + in_quotes(names[i]);
  if (names.size() > kListed) text += joined(", ... (", names.size(), ")");
  return text;
}

/// Names with the numbers of their places.
using NameMap = std::map<std::string_view, Index>;

EIGENGRAD_COLD inline NameMap places_of(const std::vector<std::string>& names) {
  NameMap places;
  for (std::size_t i = 0; i < names.size(); ++i) places.emplace(names[i], static_cast<Index>(i));
  return places;
}

}  // namespace detail

/// Rows of numbers and classes.
template <class T = float>
class Table {
 public:
  using NamedLabels = std::map<std::string, Labels, std::less<>>;

  /// Shapes   numbers (rows, names.size())
  /// Errors   ShapeError for another number of names, or of rows of a column of labels
  Table(Tensor<T> numbers, std::vector<std::string> names, NamedLabels labels = {})
      : numbers_(std::move(numbers)), names_(std::move(names)), labels_(std::move(labels)) {
    if (numbers_.rank() != 2 || numbers_.size(1) != static_cast<Index>(names_.size()))
      throw ShapeError(error_text("Table: numbers have shape ", numbers_.shape(), ", expected (rows, ", names_.size(),
                                  "), a column for each name"));
    for (const auto& [name, column] : labels_) {
      if (column.labels.shape() == Shape{rows()}) continue;
      throw ShapeError(error_text("Table: labels ", detail::in_quotes(name), " have shape ", column.labels.shape(),
                                  ", expected ", Shape{rows()}));
    }
  }

  Index rows() const { return numbers_.size(0); }
  /// The names of the columns of numbers.
  const std::vector<std::string>& names() const { return names_; }

  /// All columns of numbers: (rows, names().size()).
  const Tensor<T>& columns() const { return numbers_; }
  /// Those columns, in that order: (rows, n).
  /// Errors   ValueError for a name that is not there; it lists those that are
  Tensor<T> columns(const std::vector<std::string>& names) const { return gather(places(names)); }
  /// All columns of numbers but those: (rows, names().size() - n).
  /// Errors   as columns
  Tensor<T> columns_except(const std::vector<std::string>& names) const {
    std::vector<bool> left_out(names_.size(), false);
    for (const Index place : places(names)) left_out[static_cast<std::size_t>(place)] = true;
    std::vector<Index> chosen;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (!left_out[i]) chosen.push_back(static_cast<Index>(i));
    }
    return gather(chosen);
  }

  /// A column of classes. They are numbered in the order of their names: of the numbers if all names are whole numbers,
  /// else of the bytes.
  /// Errors   ValueError for a name that is not there; it lists those that are
  const Labels& labels(std::string_view name) const {
    const auto found = labels_.find(name);
    if (found != labels_.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& each : labels_) names.push_back(each.first);
    throw ValueError(error_text("Table: ", detail::no_such_name("labels", name, names)));
  }
  /// The same numbered by given names: those of the data that a network was trained on.
  /// Errors   as labels, or ValueError for a class that is not among them
  Tensor<Index> labels(std::string_view name, const std::vector<std::string>& class_names) const {
    const Labels& own = labels(name);
    const auto given = detail::places_of(class_names);
    std::vector<Index> numbers;
    for (const std::string& each : own.class_names) {
      const auto found = given.find(each);
      if (found == given.end())
        throw ValueError(error_text("Table: labels ", detail::in_quotes(name),
                                    " have a class that is not given: what is ", "given ",
                                    detail::no_such_name("class", each, class_names)));
      numbers.push_back(found->second);
    }
    Tensor<Index> result = own.labels;
    for (Index& label : result.mutable_span()) label = numbers[static_cast<std::size_t>(label)];
    return result;
  }

 private:
  std::vector<Index> places(const std::vector<std::string>& names) const {
    const auto known = detail::places_of(names_);
    std::vector<Index> result;
    for (const std::string& name : names) {
      const auto found = known.find(name);
      if (found == known.end()) throw ValueError(error_text("Table: ", detail::no_such_name("column", name, names_)));
      result.push_back(found->second);
    }
    return result;
  }

  Tensor<T> gather(const std::vector<Index>& columns) const {
    Tensor<T> result({rows(), static_cast<Index>(columns.size())});
    T* to = result.mutable_data();
    for (Index row = 0; row < rows(); ++row) {
      const T* const from = numbers_.data() + row * numbers_.size(1);
      for (const Index column : columns) *to++ = from[column];
    }
    return result;
  }

  Tensor<T> numbers_;
  std::vector<std::string> names_;
  NamedLabels labels_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
