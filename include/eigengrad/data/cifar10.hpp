// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <eigengrad/core/file.hpp>
#include <eigengrad/data/dataset.hpp>

// CIFAR-10 in its binary format: 60,000 colour images of 32 x 32 pixels in 10 classes.
//   auto split = data::load_cifar10("data/cifar-10-batches-bin");
// Source   Krizhevsky, Learning multiple layers of features from tiny images, 2009

namespace eigengrad::EIGENGRAD_ISA::data {

inline constexpr Index kCifar10Side = 32;
inline constexpr Index kCifar10Channels = 3;
inline constexpr Index kCifar10Classes = 10;
inline constexpr Index kCifar10RecordsPerFile = 10000;

inline const std::vector<std::string>& cifar10_class_names() {
  static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

namespace detail {

inline constexpr Index kCifar10Pixels = kCifar10Side * kCifar10Side;
inline constexpr Index kCifar10Record = 1 + kCifar10Channels * kCifar10Pixels;

/// The file, open and of the right size, or IoError says what it is and should be.
inline detail::InputFile open_cifar10_file(const std::filesystem::path& path, Index records) {
  detail::InputFile file(path);
  const auto expected = static_cast<std::uintmax_t>(records * kCifar10Record);
  if (file.size() == expected) return file;
  throw IoError(path.string(), error_text("has ", file.size(), " bytes, expected ", expected, ": ", records,
                                          " records of ", kCifar10Record));
}

/// Reads the records of one file to `images`, (records, 32, 32, 3), and `labels`.
inline void read_cifar10_file(const std::filesystem::path& file, Index records, std::uint8_t* images, Index* labels) {
  std::vector<char> bytes(static_cast<std::size_t>(records * kCifar10Record));
  open_cifar10_file(file, records).read(bytes.data(), bytes.size());
  const auto* record = reinterpret_cast<const std::uint8_t*>(bytes.data());
  for (Index i = 0; i < records; ++i, record += kCifar10Record) {
    if (record[0] >= kCifar10Classes) {
      throw IoError(file.string(), i * kCifar10Record,
                    error_text("label ", int{record[0]}, " of record ", i, ", expected 0 to 9"));
    }
    labels[i] = record[0];
    // The file has a plane for each channel; an image here has the channels of a pixel side by side.
    for (Index pixel = 0; pixel < kCifar10Pixels; ++pixel) {
      for (Index channel = 0; channel < kCifar10Channels; ++channel) {
        *images++ = record[1 + channel * kCifar10Pixels + pixel];
      }
    }
  }
}

template <class T>
ImageDataset<T> read_cifar10_files(const std::vector<std::filesystem::path>& files, Index records) {
  const auto count = static_cast<Index>(files.size());
  Tensor<std::uint8_t> images({count * records, kCifar10Side, kCifar10Side, kCifar10Channels});
  Tensor<Index> labels({count * records});
  std::uint8_t* pixels = images.mutable_data();
  Index* classes = labels.mutable_data();
  parallel_for(count, 1, [&](Index begin, Index) {
    read_cifar10_file(files[static_cast<std::size_t>(begin)], records, pixels + begin * records * (kCifar10Record - 1),
                      classes + begin * records);
  });
  return {std::move(images), std::move(labels), cifar10_class_names(), {}, {}};
}

}  // namespace detail

/// The names of the binary batches: five to learn from, one to measure on.
inline const std::vector<std::string>& cifar10_file_names() {
  static const std::vector<std::string> names{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                              "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
  return names;
}

/// True if the directory has any of the binary batches: CIFAR-10 is meant, even if it is not whole.
inline bool has_cifar10(const std::filesystem::path& directory) {
  const auto& names = cifar10_file_names();
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::symlink_status(directory / name, ignored));
  });
}

/// Reads data_batch_1.bin to data_batch_5.bin and test_batch.bin: 50,000 and 10,000 images, not normalised.
/// Shapes   images (N, 32, 32, 3), labels (N)
/// Errors   IoError naming the directory and all files that it lacks, or a file that cannot be read, has another size
///          or a label above 9
template <class T = float>
Split<ImageDataset<T>> load_cifar10(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    throw IoError(directory.string(), "is not a directory; expected the binary version of CIFAR-10 in it");
  }
  std::string missing;
  std::vector<std::filesystem::path> files;
  for (const std::string& name : cifar10_file_names()) {
    files.push_back(directory / name);
    if (!std::filesystem::exists(files.back(), ignored)) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty()) {
    throw IoError(directory.string(),
                  "lacks " + missing + "; expected the six files of the binary version of CIFAR-10");
  }
  for (const auto& file : files) detail::open_cifar10_file(file, kCifar10RecordsPerFile);
  return {detail::read_cifar10_files<T>({files.begin(), files.end() - 1}, kCifar10RecordsPerFile),
          detail::read_cifar10_files<T>({files.end() - 1, files.end()}, kCifar10RecordsPerFile)};
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
