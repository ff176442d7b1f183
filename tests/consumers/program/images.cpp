// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// A user's program that reads an image.
#include <eigengrad/data/image_folder.hpp>
#include <eigengrad/eigengrad.hpp>

int main() {
  eigengrad::write_file("image.ppm", "P6 2 1 255\n123456");
  const auto image = eigengrad::data::read_image("image.ppm");
  return image.shape() == eigengrad::Shape{1, 2, 3} && image(0, 1, 2) == '6' ? 0 : 1;
}
