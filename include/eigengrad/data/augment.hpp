// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>

#include <eigengrad/core/random.hpp>
#include <eigengrad/data/brightness.hpp>
#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/image_transform.hpp>
#include <eigengrad/data/random_crop.hpp>
#include <eigengrad/data/random_erasing.hpp>

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
        Rng rng(seed_, kAugmentationStreams + detail::stream_of(epoch, samples[static_cast<std::size_t>(i)]));
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

  D dataset_;
  std::uint64_t seed_;
  std::tuple<Transforms...> transforms_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
