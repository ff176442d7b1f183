// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <eigengrad/data/cifar_records.hpp>

// CIFAR-10 in its binary format: 60,000 colour images of 32 x 32 pixels in 10 classes.
//   auto split = data::load_cifar10("data/cifar-10-batches-bin");
// Source   Krizhevsky, Learning multiple layers of features from tiny images, 2009

namespace eigengrad::EIGENGRAD_ISA::data {

inline constexpr Index kCifar10Side = detail::kCifarSide;
inline constexpr Index kCifar10Channels = detail::kCifarChannels;
inline constexpr Index kCifar10Classes = 10;
inline constexpr Index kCifar10RecordsPerFile = 10000;

inline const std::vector<std::string>& cifar10_class_names() {
  static const std::vector<std::string> names{"airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck"};
  return names;
}

namespace detail {
inline constexpr std::array<CifarLabel, 1> kCifar10Labels{{{"label", kCifar10Classes}}};
inline constexpr CifarFormat kCifar10{"CIFAR-10", "the six files", kCifar10Labels, 0};
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
  std::vector<detail::CifarFile> files;
  for (const std::string& name : cifar10_file_names()) files.push_back({name, kCifar10RecordsPerFile});
  return detail::load_cifar<T>(detail::kCifar10, directory, std::move(files), cifar10_class_names());
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
