// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <eigengrad/core/file.hpp>
#include <eigengrad/data/dataset.hpp>

// What the binary formats of CIFAR-10 and CIFAR-100 have in common: files of records, each of one byte or two of labels
// and an image.

namespace eigengrad::EIGENGRAD_ISA::data::detail {

inline constexpr Index kCifarSide = 32;
inline constexpr Index kCifarChannels = 3;
inline constexpr Index kCifarPixels = kCifarSide * kCifarSide;

/// One of the labels of a record: what messages call it, and how many classes it tells apart.
struct CifarLabel {
  std::string_view name;
  Index classes;
};

/// A data set in that format.
struct CifarFormat {
  std::string_view name;
  std::string_view files;              // "the six files"
  std::span<const CifarLabel> labels;  // in the order of their bytes, before the pixels
  std::size_t label;                   // the one that is wanted

  Index record() const { return static_cast<Index>(labels.size()) + kCifarChannels * kCifarPixels; }
};

/// A file, and how many records it has.
struct CifarFile {
  std::filesystem::path path;
  Index records;
};

/// The file, open and of the right size, or IoError says what it is and should be.
inline InputFile open_cifar_file(const CifarFormat& format, const CifarFile& file) {
  InputFile input(file.path);
  const auto expected = static_cast<std::uintmax_t>(file.records * format.record());
  if (input.size() == expected) return input;
  throw IoError(file.path.string(), error_text("has ", input.size(), " bytes, expected ", expected, ": ", file.records,
                                               " records of ", format.record()));
}

/// The label of a record that is wanted. All are looked at.
inline Index cifar_label(const CifarFormat& format, const CifarFile& file, Index number, const std::uint8_t* record) {
  for (std::size_t i = 0; i < format.labels.size(); ++i) {
    const CifarLabel& label = format.labels[i];
    if (record[i] < label.classes) continue;
    throw IoError(
        file.path.string(), number * format.record() + static_cast<Index>(i),
        error_text(label.name, ' ', int{record[i]}, " of record ", number, ", expected 0 to ", label.classes - 1));
  }
  return record[format.label];
}

/// Reads the records of one file to `images`, (records, 32, 32, 3), and `labels`.
inline void read_cifar_file(const CifarFormat& format, const CifarFile& file, std::uint8_t* images, Index* labels) {
  constexpr Index kAtOnce = 1000;
  const Index size = format.record();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::min(kAtOnce, file.records) * size));
  InputFile input = open_cifar_file(format, file);
  for (Index begin = 0; begin < file.records; begin += kAtOnce) {
    const Index count = std::min(kAtOnce, file.records - begin);
    input.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::size_t>(count * size));
    for (Index i = 0; i < count; ++i) {
      const std::uint8_t* record = bytes.data() + i * size;
      *labels++ = cifar_label(format, file, begin + i, record);
      // The file has a plane for each channel; an image here has the channels of a pixel side by side.
      const std::uint8_t* planes = record + format.labels.size();
      for (Index pixel = 0; pixel < kCifarPixels; ++pixel) {
        for (Index channel = 0; channel < kCifarChannels; ++channel) {
          *images++ = planes[channel * kCifarPixels + pixel];
        }
      }
    }
  }
}

template <class T>
ImageDataset<T> read_cifar_files(const CifarFormat& format, std::span<const CifarFile> files,
                                 const std::vector<std::string>& class_names) {
  std::vector<Index> begins{0};
  for (const CifarFile& file : files) begins.push_back(begins.back() + file.records);
  Tensor<std::uint8_t> images({begins.back(), kCifarSide, kCifarSide, kCifarChannels});
  Tensor<Index> labels({begins.back()});
  std::uint8_t* pixels = images.mutable_data();
  Index* classes = labels.mutable_data();
  parallel_for(static_cast<Index>(files.size()), 1, [&](Index i, Index) {
    const auto number = static_cast<std::size_t>(i);
    const Index begin = begins[number];
    read_cifar_file(format, files[number], pixels + begin * kCifarChannels * kCifarPixels, classes + begin);
  });
  return {std::move(images), std::move(labels), class_names, {}, {}};
}

/// Reads the files of a directory; the last is the one to measure on.
/// Errors   IoError naming the directory and all files that it lacks, or a file and what is wrong
template <class T>
Split<ImageDataset<T>> load_cifar(const CifarFormat& format, const std::filesystem::path& directory,
                                  std::vector<CifarFile> files, const std::vector<std::string>& class_names) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored)) {
    throw IoError(directory.string(),
                  joined("is not a directory; expected the binary version of ", format.name, " in it"));
  }
  std::string missing;
  for (CifarFile& file : files) {
    const std::string name = file.path.string();
    file.path = directory / name;
    if (!std::filesystem::exists(file.path, ignored)) missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty()) {
    throw IoError(directory.string(),
                  joined("lacks ", missing, "; expected ", format.files, " of the binary version of ", format.name));
  }
  for (const CifarFile& file : files) open_cifar_file(format, file);
  const std::span<const CifarFile> all(files);
  return {read_cifar_files<T>(format, all.first(all.size() - 1), class_names),
          read_cifar_files<T>(format, all.last(1), class_names)};
}

}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
