// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <eigengrad/core/check.hpp>
#include <eigengrad/data/image_transform.hpp>

namespace eigengrad::EIGENGRAD_ISA::data {

/// What a border around an image consists of: zeros, or the image mirrored at its outermost pixels, which are not
/// repeated.
enum class PaddingMode { constant, reflect };

namespace detail {

/// Moves `count` blocks of `size` numbers, one behind the other, `right` places on, or back if that is negative. The
/// places that become free get the blocks that lie as far from the outermost one on its other side, as they were
/// before.
template <class T>
void move_reflected(T* line, Index count, Index size, Index right) {
  // As if they moved away from the first block: seen from the other end if they do not.
  const auto block = [&](Index i) { return line + (right >= 0 ? i : count - 1 - i) * size; };
  const Index places = std::abs(right);
  if (2 * places < count) {  // what is to be mirrored is still there after the move
    for (Index i = count - 1; i >= places; --i) std::copy_n(block(i - places), size, block(i));
    for (Index i = 1; i <= places; ++i) std::copy_n(block(places + i), size, block(places - i));
    return;
  }
  // Else the mirrored part holds all that is kept, so it comes first.
  for (Index i = 0; 2 * i < places; ++i) std::swap_ranges(block(i), block(i) + size, block(places - i));
  for (Index i = 1; places + i < count; ++i) std::copy_n(block(places - i), size, block(places + i));
}

}  // namespace detail

/// A window of the image's own size at a random place of the image with a border around it; all (2 padding + 1)^2
/// places are equally likely. A border of zeros is the mean of images that are normalised.
/// Source   as torchvision.transforms.RandomCrop(size, padding, padding_mode)
/// Errors   of a call: ShapeError for a reflected border that is not smaller than the sides of the image
struct RandomCrop {
  Index padding = 4;  ///< pixels on each side
  PaddingMode padding_mode = PaddingMode::constant;

  void validate() const {
    detail::check::between("RandomCrop", "padding", padding, Index{0}, detail::kLargestFactor / 2);
  }

  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    const Index down = rng.below(2 * padding + 1) - padding;  // the window's place, from the image's
    const Index right = rng.below(2 * padding + 1) - padding;
    if (padding_mode == PaddingMode::reflect) return reflect(image, down, right);
    // From the top if rows move up, else from the bottom: so every row is read before it is written over.
    for (Index i = 0; i < image.height; ++i) {
      const Index y = down >= 0 ? i : image.height - 1 - i;
      move_row(image, y + down, y, right);
    }
  }

 private:
  template <class T>
  void reflect(const Image<T>& image, Index down, Index right) const {
    if (padding > 0 && padding >= std::min(image.height, image.width)) {
      throw ShapeError(error_text("RandomCrop: padding is ", padding, ", and reflected it must be less than ",
                                  std::min(image.height, image.width), "; image of ", image.height, " x ",
                                  image.width));
    }
    detail::move_reflected(image.pixels, image.height, image.width * image.channels, -down);
    for (Index y = 0; y < image.height; ++y) detail::move_reflected(image.row(y), image.width, image.channels, -right);
  }

  template <class T>
  static void move_row(const Image<T>& image, Index from, Index to, Index right) {
    const Index length = image.width * image.channels;
    T* out = image.row(to);
    const Index kept = from < 0 || from >= image.height ? 0 : std::max<Index>(0, image.width - std::abs(right));
    const Index numbers = kept * image.channels;
    const Index begin = right < 0 ? length - numbers : 0;  // where what is kept goes to
    if (kept > 0) {
      const T* in = image.row(from) + (right < 0 ? 0 : length - numbers);
      std::memmove(out + begin, in, static_cast<std::size_t>(numbers) * sizeof(T));
    }
    std::fill(out, out + begin, T(0));
    std::fill(out + begin + numbers, out + length, T(0));
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
