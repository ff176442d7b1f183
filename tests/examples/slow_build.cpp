// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <iostream>

#include "common/slow_build.hpp"

// Compiled for a processor without wide vectors: the note says so, or that there is nothing to say.
int main() {
  const std::string note = examples::slow_build_note();
  std::cout << (note.empty() ? "as fast as this processor" : note) << '\n';
}
