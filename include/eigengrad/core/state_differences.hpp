// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <eigengrad/core/compiler.hpp>
#include <eigengrad/core/text.hpp>

// What stops a saved state from being loaded.

namespace eigengrad::EIGENGRAD_ISA {

/// How the names and shapes of a state differ from those of the layer or optimiser that it is to become.
struct StateDifferences {
  std::vector<std::string> missing;     ///< the layer has them, the state has not
  std::vector<std::string> unexpected;  ///< the state has them, the layer has not
  std::vector<std::string> mismatched;  ///< both have them, in different shapes: "0.bias has shape (4,), expected (3,)"

  bool empty() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }
};

/// All of them in one line, with commas; empty for none.
EIGENGRAD_COLD inline std::string to_string(const StateDifferences& differences) {
  std::string text;
  const auto list = [&text](std::string_view what, const std::vector<std::string>& names) {
    if (names.empty()) return;
    text += joined(text.empty() ? "" : "; ", what);
    for (const std::string& name : names) text += joined(&name == names.data() ? " " : ", ", name);
  };
  list("missing:", differences.missing);
  list("unexpected:", differences.unexpected);
  list("of another shape:", differences.mismatched);
  return text;
}

}  // namespace eigengrad::EIGENGRAD_ISA
