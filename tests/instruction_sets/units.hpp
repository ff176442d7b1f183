// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

// Files of one program that are compiled for different processors.

struct Unit {
  const char* name;
  std::vector<float> (*train)();  // losses, outputs and weights
  void (*misuse)();               // throws a ShapeError
};

std::vector<Unit>& units();
