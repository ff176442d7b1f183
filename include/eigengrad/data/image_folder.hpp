// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/image_file.hpp>

// A folder of images as a data set: root/cat/1.png, root/cat/2.jpg, root/dog/1.png. It needs stb: link
// eigengrad::images.
//   data::ImageFolder train{"photos/train", {64, 64, 3}};
//   data::ImageFolder test{"photos/test", {64, 64, 3}, {.class_names = train.class_names()}};
//   data::Loader loader{train, {.batch_size = 32, .epochs = 10, .prefetch = true}};

namespace eigengrad::EIGENGRAD_ISA::data {

struct ImageFolderOptions {
  bool convert = false;  ///< images of other channels are converted; else they are an error
  std::vector<std::string> class_names =
      {};  ///< those of another folder, for the same labels; empty for this one's own
};

namespace detail {

/// What is in a directory and is a file, or a directory, whose name does not begin with a dot; sorted by name.
inline std::vector<std::filesystem::path> entries_of(const std::filesystem::path& directory, bool directories) {
  std::vector<std::filesystem::path> paths;
  std::error_code problem;
  auto entry = std::filesystem::directory_iterator(directory, problem);
  while (!problem && entry != std::filesystem::directory_iterator()) {
    std::error_code ignored;
    const bool is_directory = entry->is_directory(ignored);
    if (is_directory == directories && !entry->path().filename().string().starts_with('.'))
      paths.push_back(entry->path());
    entry.increment(problem);
  }
  if (problem) throw IoError(directory.string(), with_reason("cannot be read", problem.value()));
  std::sort(paths.begin(), paths.end(), [](const auto& a, const auto& b) { return a.native() < b.native(); });
  return paths;
}

/// Named .png, .jpg or .jpeg, in letters of any size.
inline bool is_named_as_image(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

}  // namespace detail

/// The images of the folders in a folder, each of which is a class: the classes are sorted by name, the images of each
/// by theirs. Files that are not named .png, .jpg or .jpeg, and what begins with a dot, are left out. An image is read,
/// decoded and resized when a batch asks for it, by all threads or, with a Loader that prefetches, on its thread while
/// the network is trained. A batch has the pixels (p - mean) * scale, p from 0 to 255, and the bare pixels until
/// normalize() is called. A copy shares the list of files.
/// Shapes   inputs (N, H, W, C), C from 1 to 4; targets (N)
/// Errors   IoError naming a folder that cannot be read, is empty or is none of the given class_names; ShapeError for a
///          shape that images have not. batch: IoError naming the file, see read_image; ValueError for a sample out of
///          range
template <class T = float>
class ImageFolder {
 public:
  EIGENGRAD_COLD ImageFolder(const std::filesystem::path& root, const Shape& image_shape,
                             ImageFolderOptions options = {})
      : shape_(image_shape), convert_{options.convert}, class_names_(std::move(options.class_names)) {
    detail::check_image_shape("ImageFolder", image_shape);
    const std::vector<std::filesystem::path> folders = detail::entries_of(root, true);
    if (folders.empty()) throw IoError(root.string(), "has no folders; expected one for each class, with images in it");
    const bool own_names = class_names_.empty();
    std::vector<std::filesystem::path> files;
    std::vector<Index> labels;
    for (const std::filesystem::path& folder : folders) {
      if (own_names) class_names_.push_back(folder.filename().string());
      const Index label = label_of(folder);
      const std::size_t before = files.size();
      for (std::filesystem::path& file : detail::entries_of(folder, false)) {
        if (detail::is_named_as_image(file)) files.push_back(std::move(file));
      }
      if (files.size() == before) throw IoError(folder.string(), "has no file named .png, .jpg or .jpeg");
      labels.resize(files.size(), label);
    }
    targets_ = Tensor<Index>({static_cast<Index>(labels.size())}, std::span<const Index>(labels));
    files_ = std::make_shared<const std::vector<std::filesystem::path>>(std::move(files));
  }

  Index size() const { return targets_.numel(); }
  Index num_classes() const { return static_cast<Index>(class_names_.size()); }
  const std::vector<std::string>& class_names() const { return class_names_; }
  /// Where the samples are.
  const std::vector<std::filesystem::path>& files() const { return *files_; }
  const Tensor<Index>& targets() const { return targets_; }
  /// The shape of one image: (H, W, C).
  Shape image_shape() const { return shape_; }
  Shape input_shape(Index count) const { return {count, shape_[0], shape_[1], shape_[2]}; }

  /// Sets what is subtracted from the pixels, and what they are multiplied by after that.
  /// Shapes   both (H, W, C)
  void normalize(Tensor<T> mean, Tensor<T> scale) {
    detail::check::same_shape("ImageFolder", "mean", mean.shape(), shape_);
    detail::check::same_shape("ImageFolder", "scale", scale.shape(), shape_);
    mean_ = std::move(mean);
    scale_ = std::move(scale);
  }

  Batch<T> batch(std::span<const Index> samples, Index /*epoch*/ = 0, Batch<T> storage = {}) const {
    detail::check_samples("ImageFolder", samples, size());
    const auto count = static_cast<Index>(samples.size());
    Tensor<T> inputs = recycle(std::move(storage.inputs), input_shape(count));
    T* to = inputs.mutable_data();
    for_images(samples, [&](Index i, const std::uint8_t* pixels) {
      detail::normalize_image(pixels, mean_, scale_, shape_.numel(), to + i * shape_.numel());
    });
    return {std::move(inputs), detail::gather(targets_, samples, std::move(storage.targets))};
  }

  /// Some of the images, or all, in memory: to take the figures of a normalisation from, or to train on.
  ImageDataset<T> in_memory(std::span<const Index> samples) const {
    detail::check_samples("ImageFolder", samples, size());
    Tensor<std::uint8_t> images(input_shape(static_cast<Index>(samples.size())));
    std::uint8_t* to = images.mutable_data();
    for_images(samples, [&](Index i, const std::uint8_t* pixels) {
      std::copy_n(pixels, shape_.numel(), to + i * shape_.numel());
    });
    return {std::move(images), detail::gather(targets_, samples, {}), class_names_, mean_, scale_};
  }
  ImageDataset<T> in_memory() const {
    std::vector<Index> all(static_cast<std::size_t>(size()));
    std::iota(all.begin(), all.end(), Index{0});
    return in_memory(all);
  }

 private:
  Index label_of(const std::filesystem::path& folder) const {
    const auto found = std::find(class_names_.begin(), class_names_.end(), folder.filename().string());
    if (found == class_names_.end()) throw IoError(folder.string(), "is none of the class_names that were given");
    return found - class_names_.begin();
  }

  /// Calls use(i, pixels) for the image of the i-th of the samples, on several threads.
  template <class F>
  void for_images(std::span<const Index> samples, const F& use) const {
    parallel_for(static_cast<Index>(samples.size()), 1, [&](Index i, Index) {
      const Index sample = samples[static_cast<std::size_t>(i)];
      detail::with_image((*files_)[static_cast<std::size_t>(sample)], shape_, convert_,
                         [&](const std::uint8_t* pixels) { use(i, pixels); });
    });
  }

  Shape shape_;
  ReadImageOptions convert_;
  std::vector<std::string> class_names_;
  std::shared_ptr<const std::vector<std::filesystem::path>> files_;
  Tensor<Index> targets_;
  Tensor<T> mean_;
  Tensor<T> scale_;
};

ImageFolder(const std::filesystem::path&, const Shape&, ImageFolderOptions = {})->ImageFolder<float>;

}  // namespace eigengrad::EIGENGRAD_ISA::data
