// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eigengrad/data/table.hpp>

// What a table is made from while its rows come one by one.

namespace eigengrad::EIGENGRAD_ISA::data::detail {

/// Rows of one length, of which nobody knows how many will come: in blocks, so that none is copied as they grow.
template <class T>
class RowList {
 public:
  explicit RowList(Index length)
      : length_(length), in_block_(length == 0 ? kLargestIndex : std::max<Index>(1, kBlock / length)) {
    add_block();
  }

  /// Where the next row is written, which add() then counts.
  T* next() { return next_; }
  void add() {
    next_ += length_;
    if (++in_last_ == in_block_) add_block();
  }

  /// (rows, length), once. The blocks go in the order in which the system takes their memory back: the last first.
  Tensor<T> take() {
    Tensor<T> result({static_cast<Index>(blocks_.size() - 1) * in_block_ + in_last_, length_});
    T* to = result.mutable_data() + result.numel();
    for (Index rows = in_last_; !blocks_.empty(); rows = in_block_) {
      to -= rows * length_;
      std::copy_n(blocks_.back().get(), rows * length_, to);
      blocks_.pop_back();
    }
    return result;
  }

 private:
  static constexpr Index kBlock = 1 << 13;  // elements

  void add_block() {
    blocks_.emplace_back(new T[static_cast<std::size_t>(in_block_ * length_)]);
    next_ = blocks_.back().get();
    in_last_ = 0;
  }

  Index length_;
  Index in_block_;  // rows
  Index in_last_ = 0;
  T* next_ = nullptr;
  std::vector<std::unique_ptr<T[]>> blocks_;
};

/// A column of classes: numbered as they come while it is read.
class LabelColumn {
 public:
  std::int32_t number_of(std::string_view name) {
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return found->second;
    return numbers_.emplace(name, static_cast<std::int32_t>(numbers_.size())).first->second;
  }

  /// Numbers them anew, in their order: column `column` of what number_of returned for the rows.
  EIGENGRAD_COLD Labels finish(const Tensor<std::int32_t>& numbers, Index column) const {
    std::vector<std::pair<std::int64_t, std::string_view>> order;  // now that of the names
    bool are_numbers = true;
    for (const auto& [name, number] : numbers_) {
      std::int64_t value = 0;
      const char* const end = name.data() + name.size();
      const auto [stop, problem] = std::from_chars(name.data(), end, value);
      are_numbers = are_numbers && problem == std::errc() && stop == end;
      order.emplace_back(value, name);
    }
    if (are_numbers) std::sort(order.begin(), order.end());
    std::vector<std::string> names;
    std::vector<Index> place(numbers_.size());
    for (const auto& [value, name] : order) {
      place[static_cast<std::size_t>(numbers_.find(name)->second)] = static_cast<Index>(names.size());
      names.emplace_back(name);
    }
    Tensor<Index> labels({numbers.size(0)});
    Index* to = labels.mutable_data();
    for (Index row = 0; row < numbers.size(0); ++row)
      *to++ = place[static_cast<std::size_t>(numbers.data()[row * numbers.size(1) + column])];
    return {std::move(labels), std::move(names)};
  }

 private:
  std::map<std::string, std::int32_t, std::less<>> numbers_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
