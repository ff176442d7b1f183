// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/idx.hpp>

// MNIST and Fashion-MNIST: each 70,000 grey images of 28 x 28 pixels in 10 classes, as they are distributed. It needs
// zlib: link eigengrad::mnist.
//   auto split = data::load_mnist("data/mnist");
// Source   LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998;
//          Xiao, Rasul & Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms,
//          2017

namespace eigengrad::EIGENGRAD_ISA::data {

inline constexpr Index kMnistSide = 28;
inline constexpr Index kMnistClasses = 10;

inline const std::vector<std::string>& mnist_class_names() {
  static const std::vector<std::string> names{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return names;
}

inline const std::vector<std::string>& fashion_mnist_class_names() {
  static const std::vector<std::string> names{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                              "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return names;
}

namespace detail {

/// Two files of a part of the data set, without what their names end in.
struct MnistNames {
  std::string_view images;
  std::string_view labels;
};
inline constexpr MnistNames kMnistTrain{"train-images", "train-labels"};
inline constexpr MnistNames kMnistTest{"t10k-images", "t10k-labels"};

/// The file of that name in one of the ways in which it is distributed; an empty path if there is none.
inline std::filesystem::path find_mnist_file(const std::filesystem::path& directory, std::string_view name,
                                             std::string_view axes) {
  for (const std::string_view compressed : {"", ".gz"}) {
    for (const std::string_view before : {"-", "."}) {
      const std::filesystem::path path = directory / joined(name, before, "idx", axes, "-ubyte", compressed);
      std::error_code ignored;
      if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) return path;
    }
  }
  return {};
}

/// The four files: images and labels to learn from, then those to measure on.
inline std::array<std::filesystem::path, 4> find_mnist_files(const std::filesystem::path& directory,
                                                             std::string_view data_set) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored))
    throw IoError(directory.string(), joined("is not a directory; expected the files of ", data_set, " in it"));
  std::array<std::filesystem::path, 4> files;
  std::string missing;
  std::size_t next = 0;
  for (const MnistNames& names : {kMnistTrain, kMnistTest}) {
    for (const auto& [name, axes] : {std::pair(names.images, "3"), std::pair(names.labels, "1")}) {
      files.at(next) = find_mnist_file(directory, name, axes);
      if (files.at(next).empty()) missing += joined(missing.empty() ? "" : ", ", name, "-idx", axes, "-ubyte");
      ++next;
    }
  }
  if (missing.empty()) return files;
  throw IoError(directory.string(),
                joined("lacks ", missing, "; expected the four files of ", data_set, ", plain or with .gz at the end"));
}

inline Tensor<std::uint8_t> read_mnist_images(const std::filesystem::path& path) {
  UnzippedFile file(path);
  const Shape shape = read_idx_header(file);
  if (shape.rank() != 3 || shape[0] == 0 || shape[1] != kMnistSide || shape[2] != kMnistSide)
    file.fail(4, joined("images of shape ", shape, ", expected (N, 28, 28)"));
  return read_idx_elements(file, shape).reshape({shape[0], kMnistSide, kMnistSide, 1});
}

inline Tensor<Index> read_mnist_labels(const std::filesystem::path& path, Index images) {
  UnzippedFile file(path);
  const Shape shape = read_idx_header(file);
  if (shape != Shape{images})
    file.fail(4, joined("labels of shape ", shape, ", expected ", Shape{images}, ": one for each image"));
  const Tensor<std::uint8_t> bytes = read_idx_elements(file, shape);
  constexpr std::int64_t kHeader = 8;
  Tensor<Index> labels(shape);
  Index* to = labels.mutable_data();
  for (Index i = 0; i < images; ++i) {
    const std::uint8_t label = bytes.data()[i];
    if (label >= kMnistClasses)
      file.fail(kHeader + i, joined("label ", int{label}, " of image ", i, ", expected 0 to 9"));
    to[i] = label;
  }
  return labels;
}

template <class T>
ImageDataset<T> read_mnist_part(const std::filesystem::path& images, const std::filesystem::path& labels,
                                const std::vector<std::string>& class_names) {
  Tensor<std::uint8_t> pixels = read_mnist_images(images);
  Tensor<Index> classes = read_mnist_labels(labels, pixels.size(0));
  return {std::move(pixels), std::move(classes), class_names, {}, {}};
}

template <class T>
Split<ImageDataset<T>> load_mnist_files(const std::filesystem::path& directory, std::string_view data_set,
                                        const std::vector<std::string>& class_names) {
  const std::array<std::filesystem::path, 4> files = find_mnist_files(directory, data_set);
  return {read_mnist_part<T>(files[0], files[1], class_names), read_mnist_part<T>(files[2], files[3], class_names)};
}

}  // namespace detail

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte: 60,000
/// and 10,000 images, not normalised. Each file may be gzipped, with .gz at the end of its name, and may have a dot
/// before "idx".
/// Shapes   images (N, 28, 28, 1), labels (N)
/// Errors   IoError naming the directory and all files that it lacks, or a file, and the byte and what is wrong: no idx
///          file, another shape, longer or shorter than its header says, damaged compression, a label above 9, another
///          number of labels than of images
template <class T = float>
Split<ImageDataset<T>> load_mnist(const std::filesystem::path& directory) {
  return detail::load_mnist_files<T>(directory, "MNIST", mnist_class_names());
}

/// The same for Fashion-MNIST, whose files have the names of MNIST's.
template <class T = float>
Split<ImageDataset<T>> load_fashion_mnist(const std::filesystem::path& directory) {
  return detail::load_mnist_files<T>(directory, "Fashion-MNIST", fashion_mnist_class_names());
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
