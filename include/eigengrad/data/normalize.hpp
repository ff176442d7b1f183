// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <eigengrad/data/dataset.hpp>

// Normalisation of images. The figures come from the training part and hold for both parts. Training images without
// pixels, or test images of another shape, are a ShapeError.
//   data::subtract_mean_image(split);        // pixels minus the mean image, 0 to 255 not scaled
//   data::normalize_channels(split);         // mean 0 and standard deviation 1 for every channel
//   data::normalize_pixels(split);           // the same for every pixel

namespace eigengrad::EIGENGRAD_ISA::data {

namespace detail {

/// Training images with pixels to take figures from.
template <class T>
void check_training_images(const Split<ImageDataset<T>>& split) {
  if (split.train.images.rank() == 4 && !split.train.images.empty()) return;
  throw ShapeError(error_text("normalization: training images have shape ", split.train.images.shape(),
                              ", expected (N, H, W, C) with pixels"));
}

template <class T>
void set_normalization(Split<ImageDataset<T>>& split, Tensor<T> mean, Tensor<T> scale) {
  detail::check::same_shape("normalization", "test image", split.test.image_shape(), split.train.image_shape());
  split.train.mean = split.test.mean = std::move(mean);
  split.train.scale = split.test.scale = std::move(scale);
}

/// Mean 0 and standard deviation 1 over the training images for each of `kinds` sorts of numbers, which follow each
/// other in turn. A sort that never changes is not scaled.
template <class T>
void standardize(Split<ImageDataset<T>>& split, Index kinds) {
  const ImageDataset<T>& train = split.train;
  const auto period = static_cast<std::size_t>(kinds);
  std::vector<std::int64_t> sums(period, 0);
  std::vector<std::int64_t> squares(period, 0);
  const std::uint8_t* number = train.images.data();
  const Index repeats = kinds == 0 ? 0 : train.images.numel() / kinds;
  for (Index i = 0; i < repeats; ++i) {
    for (std::size_t kind = 0; kind < period; ++kind) {
      const std::int64_t value = *number++;
      sums[kind] += value;
      squares[kind] += value * value;
    }
  }
  const double count = static_cast<double>(train.images.numel()) / static_cast<double>(kinds);
  Tensor<T> mean(train.image_shape());
  Tensor<T> scale(train.image_shape());
  T* means = mean.mutable_data();
  T* scales = scale.mutable_data();
  for (Index i = 0; i < mean.numel(); ++i) {
    const auto kind = static_cast<std::size_t>(i % kinds);
    const double average = static_cast<double>(sums[kind]) / count;
    const double variance = static_cast<double>(squares[kind]) / count - average * average;
    means[i] = static_cast<T>(average);
    scales[i] = static_cast<T>(variance > 0.0 ? 1.0 / std::sqrt(variance) : 1.0);
  }
  set_normalization(split, std::move(mean), std::move(scale));
}

}  // namespace detail

/// Subtracts the mean training image, pixel by pixel, and scales nothing.
/// Units    pixels from 0 to 255, so results are between -255 and 255
template <class T>
void subtract_mean_image(Split<ImageDataset<T>>& split) {
  detail::check_training_images(split);
  const ImageDataset<T>& train = split.train;
  const Shape shape = train.image_shape();
  std::vector<std::int64_t> sums(static_cast<std::size_t>(shape.numel()), 0);
  const std::uint8_t* pixel = train.images.data();
  for (Index image = 0; image < train.size(); ++image) {
    for (std::int64_t& sum : sums) sum += *pixel++;
  }
  std::size_t next = 0;
  Tensor<T> mean = Tensor<T>::generate(
      shape, [&] { return static_cast<T>(static_cast<double>(sums[next++]) / static_cast<double>(train.size())); });
  detail::set_normalization(split, std::move(mean), Tensor<T>::ones(shape));
}

/// Gives every channel of the training images mean 0 and standard deviation 1.
/// Units    standard deviations
template <class T>
void normalize_channels(Split<ImageDataset<T>>& split) {
  detail::check_training_images(split);
  detail::standardize(split, split.train.image_shape()[-1]);
}

/// Gives every pixel of the training images, each channel by itself, mean 0 and standard deviation 1 over the images:
/// subtracts the mean image and divides by the image of the deviations. A pixel that never changes is not scaled.
/// Units    standard deviations
template <class T>
void normalize_pixels(Split<ImageDataset<T>>& split) {
  detail::check_training_images(split);
  detail::standardize(split, split.train.image_shape().numel());
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
