// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <eigengrad/core/random.hpp>

// What a transform of images is.

namespace eigengrad::EIGENGRAD_ISA::data {

/// One image of a batch, in place: channel c of the pixel at (y, x) is pixels[(y * width + x) * channels + c].
template <class T>
struct Image {
  T* pixels;
  Index height;
  Index width;
  Index channels;

  /// The first number of a row; a row has width * channels of them, and the next row follows it.
  T* row(Index y) const { return pixels + y * width * channels; }
};

/// The contract of a transform of images: called with an image and random numbers that belong to this image in this
/// epoch alone, it changes the image in place. It is called by several threads at once and takes no memory. It may have
///   void validate() const     throws ValueError for options out of range; called when a data set is made with it
template <class F, class T = float>
concept ImageTransform = std::copyable<F> && requires(const F& transform, const Image<T>& image, Rng& rng) {
  transform(image, rng);
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
