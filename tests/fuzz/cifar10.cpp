// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of CIFAR-10 on any bytes: either the images and labels that the bytes stand for, or an IoError and no byte
// beyond the memory that it was given. The first byte chooses how many records are asked for.

#include <cstdint>
#include <vector>

#include <eigengrad/data/cifar10.hpp>

#include "scratch_file.hpp"

namespace {

using namespace eigengrad;
using fuzz::require;
constexpr Index kRecord = 3073, kMostRecords = 3;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Index records = data[0] % (kMostRecords + 1);
  const std::uint8_t* bytes = data + 1;
  const std::size_t count = size - 1;
  const std::filesystem::path& file = fuzz::file_of(bytes, count);

  bool labels_are_right = true;
  for (Index i = 0; i < records && static_cast<std::size_t>(i * kRecord) < count; ++i)
    labels_are_right = labels_are_right && bytes[i * kRecord] < 10;
  const bool valid = count == static_cast<std::size_t>(records * kRecord) && labels_are_right;

  std::vector<std::uint8_t> images(static_cast<std::size_t>(records * (kRecord - 1)));
  std::vector<Index> labels(static_cast<std::size_t>(records));
  try {
    data::detail::read_cifar10_file(file, records, images.data(), labels.data());
  } catch (const IoError& error) {
    require(!valid);
    require(fuzz::names_the_file(error));
    return 0;
  }
  require(valid);
  for (Index i = 0; i < records; ++i) {
    const std::uint8_t* record = bytes + i * kRecord;
    require(labels[static_cast<std::size_t>(i)] == record[0]);
    for (Index at = 0; at < kRecord - 1; ++at) {
      const Index plane = at % 3 * 1024 + at / 3;
      require(images[static_cast<std::size_t>(i * (kRecord - 1) + at)] == record[1 + plane]);
    }
  }
  return 0;
}
