// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <eigengrad/core/error.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// What the error says that f throws.
template <class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
