// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/check.hpp>
#include <eigengrad/data/image_transform.hpp>

// Brightness and contrast, in forms that do not need to know which number is black: images in a batch are usually
// normalised. With a mean and a scale for each channel, what these do to a normalised image is what they do to the
// image.

namespace eigengrad::EIGENGRAD_ISA::data {

/// One number added to the whole image, uniform between -max_delta and max_delta.
/// Units    those of the batch: standard deviations if the images are normalised
/// Source   as tf.image.random_brightness
struct RandomBrightness {
  double max_delta = 0.2;

  void validate() const { detail::check::at_least("RandomBrightness", "max_delta", max_delta, 0.0); }

  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    const T delta = static_cast<T>(rng.uniform(-max_delta, max_delta));
    for (T* x = image.row(0); x < image.row(image.height); ++x) *x += delta;
  }
};

/// Every channel drawn together to its mean over the image, or apart: mean + factor (x - mean), with one factor for
/// all, uniform between lower and upper.
/// Source   as tf.image.random_contrast
struct RandomContrast {
  double lower = 0.8;
  double upper = 1.2;

  void validate() const {
    detail::check::at_least("RandomContrast", "lower", lower, 0.0);
    detail::check::at_least("RandomContrast", "upper", upper, lower);
  }

  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    const T factor = static_cast<T>(rng.uniform(lower, upper));
    const Index pixels = image.height * image.width;
    for (Index c = 0; c < image.channels; ++c) {
      T* const channel = image.pixels + c;
      double sum = 0.0;
      for (Index i = 0; i < pixels; ++i) sum += static_cast<double>(channel[i * image.channels]);
      const T mean = static_cast<T>(sum / static_cast<double>(pixels));
      for (Index i = 0; i < pixels; ++i) {
        T& x = channel[i * image.channels];
        x = mean + factor * (x - mean);
      }
    }
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
