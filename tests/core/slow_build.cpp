// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <iostream>

#include <eigengrad/core/slow_build.hpp>

// Compiled without optimisation, or for a processor without wide vectors: the note says so, or that there is nothing to
// say.
int main() {
  const std::string note = eigengrad::slow_build_note();
  std::cout << (note.empty() ? "as fast as this processor" : note) << '\n';
}
