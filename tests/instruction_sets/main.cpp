// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <eigengrad/core/error.hpp>

#include "units.hpp"

// numbers write DIR   writes the numbers of each unit of this program to DIR/NAME
// numbers check DIR   compares them with those files, byte for byte

std::vector<Unit>& units() {
  static std::vector<Unit> all;
  return all;
}

int main(int argc, char** argv) {
  if (argc != 3 || units().empty()) return 2;
  bool right = true;
  const auto report = [&](const Unit& unit, const char* problem) {
    std::cout << unit.name << ": " << problem << '\n';
    right = false;
  };
  for (const Unit& unit : units()) {
    const std::vector<float> numbers = unit.train();
    std::string bytes(numbers.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
    const std::string path = argv[2] + std::string("/") + unit.name;
    if (argv[1] == std::string("write")) {
      if (!std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        report(unit, "cannot be written");
      continue;
    }
    std::ifstream file(path, std::ios::binary);
    const std::string expected(std::istreambuf_iterator<char>(file), {});
    if (expected.empty()) report(unit, "has not been run alone");
    if (bytes != expected) report(unit, "computes other numbers than in a program of its own");
    try {
      unit.misuse();
      report(unit, "took a wrong shape");
    } catch (const eigengrad::ShapeError&) {  // by the name that this file knows, compiled for another processor
    }
  }
  std::cout << units().size() << " units\n";
  return right ? 0 : 1;
}
