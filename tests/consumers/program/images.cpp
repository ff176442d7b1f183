// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// A user's program that reads an image.
#include <string>

#include <eigengrad/data/image_folder.hpp>
#include <eigengrad/eigengrad.hpp>

int main() {
  const std::string bmp("BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0", 30);
  eigengrad::write_file("image.bmp", bmp + std::string(24, '\0') + std::string("123\0", 4));
  const auto image = eigengrad::data::read_image("image.bmp");
  return image.shape() == eigengrad::Shape{1, 1, 3} && image(0, 0, 0) == '3' ? 0 : 1;
}
