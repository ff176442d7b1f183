// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of CIFAR-10 and CIFAR-100 on any bytes: either the images and labels that the bytes stand for, or an
// IoError and no byte beyond the memory that it was given. The first byte chooses the data set and how many records are
// asked for.

#include <cstdint>
#include <vector>

#include <eigengrad/data/cifar10.hpp>
#include <eigengrad/data/cifar100.hpp>

#include "scratch_file.hpp"

namespace {

using namespace eigengrad;
using fuzz::require;
constexpr Index kPixels = 3072, kMostRecords = 3;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Index records = data[0] % (kMostRecords + 1);
  const data::detail::CifarFormat& format = data[0] < 64    ? data::detail::kCifar10
                                            : data[0] < 128 ? data::detail::kCifar100Coarse
                                                            : data::detail::kCifar100Fine;
  const auto label_bytes = static_cast<Index>(format.labels.size());
  const Index record_size = label_bytes + kPixels;
  const std::uint8_t* bytes = data + 1;
  const std::size_t count = size - 1;
  const std::filesystem::path& file = fuzz::file_of(bytes, count);

  bool labels_are_right = true;
  const bool whole = count == static_cast<std::size_t>(records * record_size);
  for (Index i = 0; whole && i < records; ++i) {
    const std::uint8_t* record = bytes + i * record_size;
    labels_are_right = labels_are_right && (label_bytes == 1 ? record[0] < 10 : record[0] < 20 && record[1] < 100);
  }
  const bool valid = whole && labels_are_right;

  std::vector<std::uint8_t> images(static_cast<std::size_t>(records * kPixels));
  std::vector<Index> labels(static_cast<std::size_t>(records));
  try {
    data::detail::read_cifar_file(format, {file, records}, images.data(), labels.data());
  } catch (const IoError& error) {
    require(!valid);
    require(fuzz::names_the_file(error));
    return 0;
  }
  require(valid);
  for (Index i = 0; i < records; ++i) {
    const std::uint8_t* record = bytes + i * record_size;
    require(labels[static_cast<std::size_t>(i)] == record[format.label]);
    for (Index at = 0; at < kPixels; ++at) {
      const Index plane = at % 3 * 1024 + at / 3;
      require(images[static_cast<std::size_t>(i * kPixels + at)] == record[label_bytes + plane]);
    }
  }
  return 0;
}
