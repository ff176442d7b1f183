// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/normalize.hpp>

// A data set that needs no download: drawn shapes and textures in the format of CIFAR-10.
//   auto [train, test] = data::synthetic_cifar10(/*seed=*/42);
// Ten classes of 32 x 32 colour images: disk, ring, square, triangle, cross, stripes in three directions,
// checkerboard and dots, at random places, sizes, angles and colours, under noise. Which of figure and ground
// is the brighter one varies, so that the sum of pixels under a template, all that a linear model can see,
// says little: a multi-layer perceptron is clearly better, and a convolutional network better still.

namespace eigengrad::EIGENGRAD_ISA::data {

struct SyntheticOptions {
  Index train = 50000;
  Index test = 10000;
};

namespace detail {

inline constexpr int kSyntheticSide = 32;

/// The figure of one image: where it is, how large, how turned. Lengths in pixels.
struct Figure {
  int kind;
  double x, y;          // its middle, or where a texture begins
  double size;          // half its width, or the period of a texture
  double cosine, sine;  // of its angle

  /// Which pixels of a row belong to the figure: ~0, the others 0. One loop for each kind.
  void cover(int row, std::array<int, kSyntheticSide>& covered) const {
    const auto where = [&](auto inside) {
      for (int column = 0; column < kSyntheticSide; ++column) {
        const double dx = column - x;
        const double dy = row - y;
        const double u = cosine * dx + sine * dy;
        const double v = cosine * dy - sine * dx;
        covered[static_cast<std::size_t>(column)] = inside(u, v) ? ~0 : 0;
      }
    };
    const auto radius2 = [this](double u, double v) { return (u * u + v * v) / (size * size); };
    switch (kind) {
      case 0:
        return where([&](double u, double v) { return radius2(u, v) < 1.0; });  // disk
      case 1:
        return where([&](double u, double v) { return radius2(u, v) < 1.0 && radius2(u, v) > 0.36; });  // ring
      case 2:
        return where([&](double u, double v) { return std::abs(u) < 0.85 * size && std::abs(v) < 0.85 * size; });
      case 3:  // triangle
        return where([&](double u, double v) { return v < 0.7 * size && v > 2.0 * std::abs(u) - 1.1 * size; });
      case 4:  // cross
        return where(
            [&](double u, double v) { return std::min(std::abs(u), std::abs(v)) < 0.3 * size && radius2(u, v) < 1.0; });
      case 5:
      case 6:
      case 7:
        return where([&](double, double v) { return phase(v) < 0.5; });  // stripes
      case 8:
        return where([&](double u, double v) { return (phase(u) < 0.5) != (phase(v) < 0.5); });  // checkerboard
      default:
        return where([&](double u, double v) {  // dots
          const double a = phase(u) - 0.5;
          const double b = phase(v) - 0.5;
          return a * a + b * b < 0.09;
        });
    }
  }

  /// The place within the period, from 0 to 1.
  double phase(double length) const {
    const double periods = length / size;
    return periods - std::floor(periods);
  }
};

inline Figure random_figure(int kind, Rng& rng) {
  const bool texture = kind >= 5;
  Figure figure{};
  figure.kind = kind;
  figure.x = rng.uniform(12.0, 20.0);
  figure.y = rng.uniform(12.0, 20.0);
  figure.size = texture ? rng.uniform(6.0, 9.0) : rng.uniform(8.0, 12.0);
  // Stripes lie at 0, 60 and 120 degrees; everything turns by up to 10 degrees to both sides.
  const double base = kind == 6 ? 1.0 / 6.0 : (kind == 7 ? 1.0 / 3.0 : 0.0);
  const double turn = base + rng.uniform(-1.0 / 36.0, 1.0 / 36.0);
  std::tie(figure.cosine, figure.sine) = detail::exact_cos_sin(turn < 0.0 ? turn + 1.0 : turn);
  return figure;
}

/// Noise from the sum of the four bytes of a word: nearly normal, with the given standard deviation.
inline int byte_noise(std::uint32_t word, int deviation) {
  const int sum = static_cast<int>((word & 255U) + ((word >> 8) & 255U) + ((word >> 16) & 255U) + (word >> 24));
  return (sum - 510) * deviation / 148;
}

inline void draw_synthetic_image(int kind, Rng& rng, std::uint8_t* pixels) {
  const Figure figure = random_figure(kind, rng);
  constexpr double kBrighterFigures = 0.75;
  const int direction = rng.uniform() < kBrighterFigures ? 1 : -1;
  std::array<int, 3> ground{};
  std::array<int, 3> contrast{};
  for (std::size_t c = 0; c < 3; ++c) {
    ground[c] = static_cast<int>(rng.uniform(90.0, 165.0));
    contrast[c] = direction * static_cast<int>(rng.uniform(20.0, 90.0));
  }
  constexpr std::size_t kSide = kSyntheticSide;
  constexpr int kNoise = 40;
  std::array<std::uint32_t, 3 * kSide * kSide> words;
  rng.fill(words);
  const std::uint32_t* word = words.data();
  for (int row = 0; row < kSyntheticSide; ++row, word += 3 * kSide, pixels += 3 * kSide) {
    std::array<int, kSide> covered;
    figure.cover(row, covered);
    std::array<int, 3 * kSide> values;
    for (std::size_t i = 0; i < kSide; ++i) {
      for (std::size_t c = 0; c < 3; ++c) values[3 * i + c] = ground[c] + (contrast[c] & covered[i]);
    }
    for (std::size_t i = 0; i < 3 * kSide; ++i) {
      pixels[i] = static_cast<std::uint8_t>(std::clamp(values[i] + byte_noise(word[i], kNoise), 0, 255));
    }
  }
}

template <class T>
EIGENGRAD_COLD ImageDataset<T> synthetic_images(Index count, std::uint64_t seed, std::uint64_t first_stream) {
  Tensor<std::uint8_t> images({count, kSyntheticSide, kSyntheticSide, 3});
  Tensor<Index> labels({count});
  std::uint8_t* pixels = images.mutable_data();
  Index* classes = labels.mutable_data();
  parallel_for(count, 64, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      Rng rng(seed, first_stream + static_cast<std::uint64_t>(i));
      classes[i] = rng.below(10);
      draw_synthetic_image(static_cast<int>(classes[i]), rng, pixels + i * kSyntheticSide * kSyntheticSide * 3);
    }
  });
  return {
      std::move(images),
      std::move(labels),
      {"disk", "ring", "square", "triangle", "cross", "stripes 0", "stripes 60", "stripes 120", "checkerboard", "dots"},
      {},
      {}};
}

}  // namespace detail

/// Drawn images in the shape of CIFAR-10, the channels normalised. The same seed draws the same images.
/// Shapes   images (N, 32, 32, 3), labels (N) from 0 to 9
/// Errors   ValueError for a size below 1
template <class T = float>
EIGENGRAD_COLD Split<ImageDataset<T>> synthetic_cifar10(std::uint64_t seed, const SyntheticOptions& options = {}) {
  detail::check::above_zero("synthetic_cifar10", "train", options.train);
  detail::check::above_zero("synthetic_cifar10", "test", options.test);
  constexpr std::uint64_t kTestStream = std::uint64_t{1} << 32;
  Split<ImageDataset<T>> split{detail::synthetic_images<T>(options.train, seed, kSyntheticStreams),
                               detail::synthetic_images<T>(options.test, seed, kSyntheticStreams + kTestStream)};
  normalize_channels(split);
  return split;
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
