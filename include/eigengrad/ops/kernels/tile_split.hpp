// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <eigengrad/core/shape.hpp>

// Tiles are compiled for a few lengths only: what a program with a product takes to compile is mostly tiles.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// True for the lengths, rows or other lines, in which tiles are compiled. The largest of a kernel is one of them.
constexpr bool is_tile_length(Index length) {
  return (length >= 1 && length <= 4) || length == 6 || length == 8 || length == 12;
}

/// Tiles by their number of lines from one less, up to Most: tile.operator()<Lines>() if there are tiles of that
/// length, else null.
template <class Tile, int Most, class TileOf>
constexpr std::array<Tile, static_cast<std::size_t>(Most)> tile_table(const TileOf& tile) {
  static_assert(is_tile_length(Most));
  const auto tile_if_any = [&]<int Lines>() -> Tile {
    if constexpr (is_tile_length(Lines))
      return tile.template operator()<Lines>();
    else
      return nullptr;
  };
  return [&]<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Tile, static_cast<std::size_t>(Most)>{tile_if_any.template operator()<I + 1>()...};
  }
  (std::make_integer_sequence<int, Most>{});
}

/// [0, size) cut into tiles: of the largest as many as fit, then at most three others. Fewer than three lines are a
/// tile only if there is no other way: their few sums wait for each other.
class TileSplit {
 public:
  TileSplit(Index size, Index largest) : largest_(largest), full_(size / largest) {
    Index rest = size % largest;
    if (needs_short_tile(rest) && full_ > 0) {
      --full_;
      rest += largest;
    }
    count = full_;
    ends_[0] = full_ * largest;
    for (std::size_t i = 1; rest > 0; ++i, ++count) {
      const Index length = longest_of(rest, largest);
      ends_[i] = ends_[i - 1] + length;
      rest -= length;
    }
  }

  Index begin(Index tile) const {
    return tile < full_ ? tile * largest_ : ends_[static_cast<std::size_t>(tile - full_)];
  }
  Index length(Index tile) const { return begin(tile + 1) - begin(tile); }

  Index count = 0;

 private:
  /// True if lines cannot be cut into tiles of three and more.
  static bool needs_short_tile(Index lines) { return lines == 1 || lines == 2 || lines == 5; }

  /// The longest tile after which what is left needs no short one.
  static Index longest_of(Index rest, Index largest) {
    for (Index length = largest; length > 2; --length) {
      if (is_tile_length(length) && length <= rest && !needs_short_tile(rest - length)) return length;
    }
    return std::min<Index>(rest, 2);
  }

  Index largest_;
  Index full_;                   // tiles of the largest length
  std::array<Index, 5> ends_{};  // of those tiles, and of each that follows
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
