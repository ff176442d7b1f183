// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <eigengrad/core/namespaces.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// How often this process has asked the system's allocator for memory so far: malloc and its relatives, on
/// all threads, and with them operator new.
std::int64_t system_allocations();

}  // namespace eigengrad::EIGENGRAD_ISA::testing
