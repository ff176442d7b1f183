// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <fstream>

#include <eigengrad/data/csv.hpp>

// What a user links eigengrad::csv for.
int main() {
  std::ofstream("houses.csv") << "area,price\n70,2.5\n";
  return eigengrad::data::read_csv("houses.csv").columns({"price"})(0, 0) == 2.5F ? 0 : 1;
}
