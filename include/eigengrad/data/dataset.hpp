// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>

// Data sets: numbered samples that are collected into batches.
//   data::TensorDataset measurements{inputs, targets};      // any tensors with the samples on the first axis
//   data::ImageDataset<> images = ...;                      // bytes, normalised as each batch is made

namespace eigengrad::EIGENGRAD_ISA::data {

/// Inputs and targets of some samples, the samples on the first axis of both.
template <class T, class Target = Index>
struct Batch {
  Tensor<T> inputs;
  Tensor<Target> targets;
};

/// What a Loader needs: a number of samples, and batches of the samples with given numbers. batch may take more:
///   batch(samples, Index epoch)                  if a sample is not the same in every epoch; counted from 0
///   batch(samples, Index epoch, Batch storage)   a batch of before, or an empty one, to make the new one in: recycle()
/// The additional arguments have defaults, so that batch(samples) works for all data sets. Beyond these it may have
///   Shape input_shape(Index count) const         the shape of the inputs in a batch of so many samples
///   const Tensor<Target>& targets() const        those of all samples, as they are in a batch; fit looks at them first
/// batch must be a function of its arguments: a Loader with prefetch calls it on another thread, one call at a time.
template <class D>
concept Dataset = std::copyable<D> && requires(const D& dataset, std::span<const Index> samples) {
  { dataset.size() } -> std::same_as<Index>;
  dataset.batch(samples);
};

/// The type of a data set's batches.
template <class D>
using batch_of = decltype(std::declval<const D&>().batch(std::span<const Index>()));

/// A data set that says before any batch is made which shape its inputs have.
template <class D>
concept HasInputShape = Dataset<D> && requires(const D& dataset, Index count) {
  { dataset.input_shape(count) } -> std::same_as<Shape>;
};

namespace detail {
template <class X>
inline constexpr bool is_tensor = false;
template <class T>
inline constexpr bool is_tensor<Tensor<T>> = true;
}  // namespace detail

/// A data set that can make a batch, with tensors `inputs` and `targets`, in the memory of one before.
template <class D>
concept TakesStorage = Dataset<D> &&
    requires(const D& dataset, std::span<const Index> samples, batch_of<D> storage, Index epoch) {
  dataset.batch(samples, epoch, std::move(storage));
  requires detail::is_tensor<decltype(storage.inputs)> && detail::is_tensor<decltype(storage.targets)>;
  batch_of<D>{};
};

/// The data set's batch with as many of the arguments as it takes.
template <Dataset D>
batch_of<D> make_batch(const D& dataset, std::span<const Index> samples, Index epoch,
                       std::optional<batch_of<D>> storage = {}) {
  if constexpr (TakesStorage<D>)
    return dataset.batch(samples, epoch, storage ? std::move(*storage) : batch_of<D>{});
  else if constexpr (requires { dataset.batch(samples, epoch); })
    return dataset.batch(samples, epoch);
  else
    return dataset.batch(samples);
}

/// A tensor of that shape whose elements have no specified value: on the memory of the old one if that has the
/// size and nobody else holds it, else on memory of its own.
template <class T>
EIGENGRAD_CALLED Tensor<T> recycle(Tensor<T> old, const Shape& shape) {
  if (old.unique() && old.numel() == shape.numel()) return std::move(old).reshape(shape);
  old = Tensor<T>();
  return Tensor<T>(shape);
}

namespace detail {

/// Every number is that of a sample.
EIGENGRAD_CALLED inline void check_samples(std::string_view where, std::span<const Index> samples, Index size) {
  for (const Index sample : samples) {
    if (sample >= 0 && sample < size) continue;
    throw ValueError(error_text(where, ": sample ", sample, " of ", size));
  }
}

/// The chosen rows of the first axis.
template <class T>
EIGENGRAD_CALLED Tensor<T> gather(const Tensor<T>& rows, std::span<const Index> chosen, Tensor<T> storage) {
  Tensor<T> result = recycle(std::move(storage), rows.shape().with(0, static_cast<Index>(chosen.size())));
  const Index length = rows.empty() ? 0 : rows.numel() / rows.size(0);
  T* to = result.mutable_data();
  for (const Index row : chosen) {
    std::memcpy(to, rows.data() + row * length, static_cast<std::size_t>(length) * sizeof(T));
    to += length;
  }
  return result;
}

/// The stream of random numbers of a sample in an epoch, from where those of a purpose begin: one of its own for 2^24
/// epochs of 2^32 samples; then they repeat.
inline std::uint64_t stream_of(Index epoch, Index sample) {
  return ((static_cast<std::uint64_t>(epoch) & 0xFFFFFFU) << 32) + (static_cast<std::uint64_t>(sample) & 0xFFFFFFFFU);
}

/// The pixels of one image as numbers, (p - mean) * scale; the bare pixels without a mean.
template <class T>
void normalize_image(const std::uint8_t* from, const Tensor<T>& mean, const Tensor<T>& scale, Index pixels, T* to) {
  if (mean.empty()) {
    for (Index i = 0; i < pixels; ++i) to[i] = static_cast<T>(from[i]);
    return;
  }
  const T* m = mean.data();
  const T* s = scale.data();
  for (Index i = 0; i < pixels; ++i) to[i] = (static_cast<T>(from[i]) - m[i]) * s[i];
}

}  // namespace detail

/// Samples held as tensors, the samples on the first axis.
/// Errors   ShapeError if inputs and targets differ in their number of samples
template <class T, class Target>
class TensorDataset {
 public:
  TensorDataset(Tensor<T> inputs, Tensor<Target> targets) : inputs_(std::move(inputs)), targets_(std::move(targets)) {
    detail::check::rank_at_least("TensorDataset", inputs_.shape(), 1);
    detail::check::rank_at_least("TensorDataset", targets_.shape(), 1);
    detail::check::same_shape("TensorDataset", "targets", targets_.shape(), targets_.shape().with(0, inputs_.size(0)));
  }

  Index size() const { return inputs_.size(0); }
  Shape input_shape(Index count) const { return inputs_.shape().with(0, count); }
  const Tensor<Target>& targets() const { return targets_; }
  Batch<T, Target> batch(std::span<const Index> samples, Index /*epoch*/ = 0, Batch<T, Target> storage = {}) const {
    detail::check_samples("TensorDataset", samples, size());
    return {detail::gather(inputs_, samples, std::move(storage.inputs)),
            detail::gather(targets_, samples, std::move(storage.targets))};
  }

 private:
  Tensor<T> inputs_;
  Tensor<Target> targets_;
};

/// Labelled images of 8 bits a channel. A batch has the pixels (p - mean) * scale, p from 0 to 255.
/// Shapes   images (N, H, W, C); labels (N); mean and scale (H, W, C), or both empty for the bare pixels
template <class T = float>
struct ImageDataset {
  Tensor<std::uint8_t> images;
  Tensor<Index> labels;
  std::vector<std::string> class_names;
  Tensor<T> mean;
  Tensor<T> scale;

  Index size() const { return labels.numel(); }
  Index num_classes() const { return static_cast<Index>(class_names.size()); }
  /// The shape of one image: (H, W, C).
  Shape image_shape() const { return {images.size(1), images.size(2), images.size(3)}; }
  /// Errors   as of batch
  Shape input_shape(Index count) const {
    check_shapes();
    return images.shape().with(0, count);
  }
  const Tensor<Index>& targets() const { return labels; }

  /// Errors   ShapeError if images, labels, mean and scale do not fit each other; ValueError for a sample out of range
  Batch<T> batch(std::span<const Index> samples, Index /*epoch*/ = 0, Batch<T> storage = {}) const {
    check_shapes();
    detail::check_samples("ImageDataset", samples, size());
    const auto count = static_cast<Index>(samples.size());
    const Index pixels = image_shape().numel();
    Tensor<T> inputs = recycle(std::move(storage.inputs), images.shape().with(0, count));
    T* to = inputs.mutable_data();
    constexpr Index kImages = 8;
    parallel_for(count, kImages, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const std::uint8_t* from = images.data() + samples[static_cast<std::size_t>(i)] * pixels;
        detail::normalize_image(from, mean, scale, pixels, to + i * pixels);
      }
    });
    return {std::move(inputs), detail::gather(labels, samples, std::move(storage.targets))};
  }

 private:
  EIGENGRAD_CALLED void check_shapes() const {
    if (images.rank() != 4)
      throw ShapeError("ImageDataset: images have shape " + to_string(images.shape()) + ", expected (N, H, W, C)");
    detail::check::same_shape("ImageDataset", "labels", labels.shape(), {images.size(0)});
    if (mean.empty() && scale.empty()) return;
    detail::check::same_shape("ImageDataset", "mean", mean.shape(), image_shape());
    detail::check::same_shape("ImageDataset", "scale", scale.shape(), image_shape());
  }
};

/// A data set in two parts: one to learn from, one to measure on.
template <class D>
struct Split {
  D train;
  D test;
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
