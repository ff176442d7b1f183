// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <vector>

#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/namespaces.hpp>

// How far two names are apart, so that an error can say which one may be meant.
//   edit_distance("pice", "price");   // 1

namespace eigengrad::EIGENGRAD_ISA {

/// The insertions, deletions, changes and swaps of neighbouring letters that make one text of the other.
/// Cost     the product of the lengths
/// Source   Damerau 1964, no letter being touched twice ("optimal string alignment")
EIGENGRAD_COLD inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> table((a.size() + 1) * width);  // [i, j]: of the first i and j letters
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return table[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  std::iota(table.begin(), table.begin() + static_cast<std::ptrdiff_t>(width), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return table.back();
}

}  // namespace eigengrad::EIGENGRAD_ISA
