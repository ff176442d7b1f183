// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// A user's program that reads MNIST, or says that there is none.
#include <iostream>

#include <eigengrad/data/mnist.hpp>

int main() {
  try {
    eigengrad::data::load_mnist("nowhere");
  } catch (const eigengrad::IoError& error) {
    std::cout << error.what() << '\n';
    return 0;
  }
  return 1;
}
