// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <eigengrad/data/dataset.hpp>

// Normalisation of images. The figures come from the training part and hold for both parts.
//   data::subtract_mean_image(split);        // pixels minus the mean image, 0 to 255 not scaled
//   data::normalize_channels(split);         // mean 0 and standard deviation 1 for every channel

namespace eigengrad::data {

namespace detail {

template <class T>
void set_normalization(Split<ImageDataset<T>>& split, Tensor<T> mean, Tensor<T> scale) {
  check::same_shape("normalization", "test image", split.test.image_shape(), split.train.image_shape());
  split.train.mean = split.test.mean = std::move(mean);
  split.train.scale = split.test.scale = std::move(scale);
}

}  // namespace detail

/// Subtracts the mean training image, pixel by pixel, and scales nothing.
/// Units    pixels from 0 to 255, so results are between -255 and 255
template <class T>
void subtract_mean_image(Split<ImageDataset<T>>& split) {
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
  const ImageDataset<T>& train = split.train;
  const Shape shape = train.image_shape();
  const auto channels = static_cast<std::size_t>(shape[-1]);
  std::vector<std::int64_t> sums(channels, 0);
  std::vector<std::int64_t> squares(channels, 0);
  const std::uint8_t* pixel = train.images.data();
  for (Index i = 0; i < train.images.numel() / shape[-1]; ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      const std::int64_t value = *pixel++;
      sums[c] += value;
      squares[c] += value * value;
    }
  }
  const double count = static_cast<double>(train.images.numel()) / static_cast<double>(channels);
  Tensor<T> mean(shape);
  Tensor<T> scale(shape);
  auto means = mean.mutable_matrix();
  auto scales = scale.mutable_matrix();
  for (std::size_t c = 0; c < channels; ++c) {
    const double average = static_cast<double>(sums[c]) / count;
    const double variance = static_cast<double>(squares[c]) / count - average * average;
    const auto column = static_cast<Index>(c);
    means.col(column).setConstant(static_cast<T>(average));
    scales.col(column).setConstant(static_cast<T>(variance > 0.0 ? 1.0 / std::sqrt(variance) : 1.0));
  }
  detail::set_normalization(split, std::move(mean), std::move(scale));
}

}  // namespace eigengrad::data
