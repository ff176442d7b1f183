// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <eigengrad/core/namespaces.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// All of a file; nothing if it is not there.
inline std::string contents(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
