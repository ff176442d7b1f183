// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <iterator>
#include <system_error>

#include <eigengrad/core/shape.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// The threads of this process now; 0 on a system that does not list them.
inline Index threads_of_process() {
  std::error_code problem;
  const std::filesystem::directory_iterator tasks("/proc/self/task", problem);
  return problem ? 0 : static_cast<Index>(std::distance(begin(tasks), end(tasks)));
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
