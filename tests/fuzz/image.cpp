// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of images on any bytes: an image of the shape that was asked for, or an IoError that names the file. The
// first byte chooses the shape, and whether the checksums of a PNG are made right first, as no fuzzer finds them.

#include <algorithm>
#include <string>

#include <eigengrad/data/image_file.hpp>

#include "scratch_file.hpp"

namespace {

using namespace eigengrad;
using fuzz::require;

/// The file with right checksums in all chunks that are whole.
std::string repaired(std::string bytes) {
  for (std::size_t at = 8; at + 12 <= bytes.size();) {
    const std::size_t length = data::detail::big_endian(std::string_view(bytes).substr(at));
    if (length > bytes.size() - at - 12) break;
    const std::uint32_t crc = data::detail::crc32(std::string_view(bytes).substr(at + 4, length + 4));
    for (std::size_t i = 0; i < 4; ++i) bytes[at + 8 + length + i] = static_cast<char>(crc >> (24 - 8 * i));
    at += 12 + length;
  }
  return bytes;
}

template <class Read>
void expect_image(const Read& read, const Shape& shape) {
  try {
    const Tensor<std::uint8_t> image = read();
    require(shape.rank() == 0 || image.shape() == shape);
    require(image.rank() == 3 && image.size(2) >= 1 && image.size(2) <= 4);
    unsigned sum = 0;  // every byte is there
    for (const std::uint8_t value : image.span()) sum += value;
    require(sum <= 255U * static_cast<std::uint64_t>(image.numel()));
  } catch (const IoError& error) {
    require(fuzz::names_the_file(error));
  } catch (const MemoryError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(data + 1, data + size);
  if ((data[0] & 1) != 0) bytes = repaired(std::move(bytes));
  const std::filesystem::path& file = fuzz::file_of(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const Shape shape{1 + (data[0] >> 4), 5, 1 + (data[0] >> 1) % 4};
  expect_image([&] { return data::read_image(file); }, {});
  expect_image([&] { return data::read_image(file, shape, {.convert = true}); }, shape);
  return 0;
}
