// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Every header a second time, in an object that is linked into every test: a function in a header that lacks
// `inline` then does not link.
#include <eigengrad/eigengrad.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {
const void* second_use_of_every_header() { return reinterpret_cast<const void*>(&memory::stats); }
}  // namespace eigengrad::EIGENGRAD_ISA::testing
