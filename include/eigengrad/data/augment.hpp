// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>

#include <eigengrad/core/random.hpp>
#include <eigengrad/data/dataset.hpp>

// Augmentation: images that are changed at random, anew in every epoch. It is for the training part alone.
//   data::Augmented train{split.train, /*seed=*/42, data::RandomCrop{.padding = 4}, data::RandomHorizontalFlip{}};
//   data::Loader loader{train, {.batch_size = 128, .epochs = 30, .prefetch = true}};
// A transform is any copyable value that can be called with an image and random numbers:
//   struct Darken {
//     double most = 0.5;
//     void validate() const { detail::check::at_least("Darken", "most", most, 0.0); }     // optional
//     template <class T>
//     void operator()(const data::Image<T>& image, Rng& rng) const { ... }
//   };

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

/// A window of the image's own size at a random place of the image with a border of zeros around it; all
/// (2 padding + 1)^2 places are equally likely. Zero is the mean of images that are normalised.
/// Source   as torchvision.transforms.RandomCrop(size, padding)
struct RandomCrop {
  Index padding = 4;  ///< pixels on each side

  void validate() const {
    detail::check::between("RandomCrop", "padding", padding, Index{0}, detail::kLargestFactor / 2);
  }

  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    const Index down = rng.below(2 * padding + 1) - padding;  // the window's place, from the image's
    const Index right = rng.below(2 * padding + 1) - padding;
    // From the top if rows move up, else from the bottom: so every row is read before it is written over.
    for (Index i = 0; i < image.height; ++i) {
      const Index y = down >= 0 ? i : image.height - 1 - i;
      move_row(image, y + down, y, right);
    }
  }

 private:
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

/// Left and right exchanged, with probability p.
/// Source   as torchvision.transforms.RandomHorizontalFlip
struct RandomHorizontalFlip {
  double p = 0.5;

  void validate() const { detail::check::between("RandomHorizontalFlip", "p", p, 0.0, 1.0); }

  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    if (rng.uniform() >= p) return;
    for (Index y = 0; y < image.height; ++y) {
      T* left = image.row(y);
      T* right = image.row(y + 1) - image.channels;
      for (; left < right; left += image.channels, right -= image.channels) {
        std::swap_ranges(left, left + image.channels, right);
      }
    }
  }
};

/// A square set to 0. Its middle is any pixel, each as likely as the others; what lies outside the image is cut off.
/// Source   DeVries & Taylor, Improved regularization of convolutional neural networks with cutout, 2017
struct Cutout {
  Index size = 8;  ///< side of the square in pixels; with an even side it begins size / 2 before its middle

  void validate() const { detail::check::above_zero("Cutout", "size", size); }

  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    const Index top = rng.below(image.height) - size / 2;
    const Index left = rng.below(image.width) - size / 2;
    const Index begin = std::max<Index>(left, 0);
    const Index end = std::min(left + size, image.width);
    for (Index y = std::max<Index>(top, 0); y < std::min(top + size, image.height); ++y) {
      std::fill(image.row(y) + begin * image.channels, image.row(y) + end * image.channels, T(0));
    }
  }
};

/// A data set of images, (N, H, W, C) in a batch, changed by transforms one after the other. What becomes of a sample
/// depends on the seed, the epoch and the sample's number alone. batch(samples) without an epoch is of epoch 0.
/// Around another Augmented it needs another seed, or both draw the same numbers.
/// Errors   ValueError for options of a transform out of range; batch: ShapeError for inputs that are not of rank 4,
///          and what the data set throws
template <Dataset D, class... Transforms>
class Augmented {
 public:
  using BatchType = batch_of<D>;
  using Scalar = typename decltype(BatchType::inputs)::Scalar;
  static_assert((ImageTransform<Transforms, Scalar> && ...),
                "a transform is a copyable value that can be called with (const data::Image<T>&, Rng&)");

  Augmented(D dataset, std::uint64_t seed, Transforms... transforms)
      : dataset_(std::move(dataset)), seed_(seed), transforms_(std::move(transforms)...) {
    std::apply([](const auto&... each) { (validate(each), ...); }, transforms_);
  }

  Index size() const { return dataset_.size(); }
  /// Errors   as of batch
  Shape input_shape(Index count) const requires HasInputShape<D> {
    const Shape shape = dataset_.input_shape(count);
    check_shape(shape, count);
    return shape;
  }
  const auto& targets() const requires requires(const D& dataset) { dataset.targets(); }
  { return dataset_.targets(); }
  /// The data set as it is, not augmented.
  const D& dataset() const { return dataset_; }

  BatchType batch(std::span<const Index> samples, Index epoch = 0, BatchType storage = {}) const {
    BatchType batch = make_batch(dataset_, samples, epoch, std::move(storage));
    const auto count = static_cast<Index>(samples.size());
    const Shape shape = batch.inputs.shape();
    check_shape(shape, count);
    if (batch.inputs.empty()) return batch;
    const Index numbers = shape.numel() / count;
    Scalar* pixels = batch.inputs.mutable_data();
    constexpr Index kImages = 8;
    parallel_for(count, kImages, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        Rng rng(seed_, stream(epoch, samples[static_cast<std::size_t>(i)]));
        const Image<Scalar> image{pixels + i * numbers, shape[1], shape[2], shape[3]};
        std::apply([&](const auto&... each) { (each(image, rng), ...); }, transforms_);
      }
    });
    return batch;
  }

 private:
  template <class F>
  static void validate(const F& transform) {
    if constexpr (requires { transform.validate(); }) transform.validate();
  }

  static void check_shape(const Shape& shape, Index count) {
    if (shape.rank() == 4 && shape[0] == count) return;
    throw ShapeError(error_text("Augmented: inputs have shape ", shape, ", expected (", count, ", H, W, C)"));
  }

  /// One of its own for 2^24 epochs of 2^32 samples; then they repeat.
  static std::uint64_t stream(Index epoch, Index sample) {
    return kAugmentationStreams + ((static_cast<std::uint64_t>(epoch) & 0xFFFFFFU) << 32) +
           (static_cast<std::uint64_t>(sample) & 0xFFFFFFFFU);
  }

  D dataset_;
  std::uint64_t seed_;
  std::tuple<Transforms...> transforms_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
