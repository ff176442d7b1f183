// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of CIFAR-10 on any bytes: either the images and labels that the bytes stand for, or an IoError and no byte
// beyond the memory that it was given. The first byte chooses how many records are asked for.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <eigengrad/data/cifar10.hpp>

namespace {

using namespace eigengrad;
constexpr Index kRecord = 3073, kMostRecords = 3;

void require(bool holds) {
  if (!holds) std::abort();
}

/// A file of this process alone, removed at its end.
const std::filesystem::path& scratch_file() {
  static const struct File {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("eigengrad_fuzz_cifar10_" + std::to_string(::getpid()));
    ~File() {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    }
  } file;
  return file.path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Index records = data[0] % (kMostRecords + 1);
  const std::uint8_t* bytes = data + 1;
  const std::size_t count = size - 1;
  std::ofstream(scratch_file(), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes), static_cast<std::streamsize>(count));

  bool labels_are_right = true;
  for (Index i = 0; i < records && static_cast<std::size_t>(i * kRecord) < count; ++i)
    labels_are_right = labels_are_right && bytes[i * kRecord] < 10;
  const bool valid = count == static_cast<std::size_t>(records * kRecord) && labels_are_right;

  std::vector<std::uint8_t> images(static_cast<std::size_t>(records * (kRecord - 1)));
  std::vector<Index> labels(static_cast<std::size_t>(records));
  try {
    data::detail::read_cifar10_file(scratch_file(), records, images.data(), labels.data());
  } catch (const IoError& error) {
    require(!valid);
    require(std::string(error.what()).find(scratch_file().filename().string()) != std::string::npos);
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
