// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/file.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/data/image_codec.hpp>

// Images in files: PNG, JPEG and BMP, which is told from their first bytes. It needs stb: link eigengrad::images.
//   Tensor<std::uint8_t> image = data::read_image("cat.jpg", {32, 32, 3});

namespace eigengrad::EIGENGRAD_ISA::data {

struct ReadImageOptions {
  bool convert = false;  ///< an image of other channels, as grey, is converted; else it is an error
};

namespace detail {

/// The remainders of the checksum of PNG files, one for each byte.
inline constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
    table[byte] = value;
  }
  return table;
}();

/// The checksum of PNG files, CRC-32.
inline std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t value = 0xFFFFFFFFU;
  for (const char byte : bytes) value = kCrcTable[(value ^ static_cast<std::uint8_t>(byte)) & 255U] ^ (value >> 8);
  return ~value;
}

/// Four bytes, the highest first.
inline std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

/// A PNG file is whole: all chunks are there, with the checksums that they have. What decodes it does not look.
inline void check_png(const std::string& path, std::string_view bytes) {
  const auto fail = [&](std::size_t at, std::string_view problem) {
    throw IoError(path, static_cast<std::int64_t>(at), joined("damaged PNG: ", problem));
  };
  for (std::size_t at = 8;;) {
    constexpr std::size_t kAround = 12;  // length, type and checksum
    const std::string_view rest = bytes.substr(at);
    if (rest.size() < kAround) fail(at, "ends before its last chunk");
    const std::size_t length = big_endian(rest);
    if (length > rest.size() - kAround) fail(at, joined("ends within a chunk of ", length, " bytes"));
    if (crc32(rest.substr(4, 4 + length)) != big_endian(rest.substr(8 + length))) fail(at, "wrong checksum of a chunk");
    if (rest.substr(4, 4) == "IEND") return;
    at += kAround + length;
  }
}

/// A segment of Huffman tables, whose length stands at byte `at`, has no table with more than 256 codes. Older versions
/// of what decodes it write such a table beyond its end.
inline void check_huffman_tables(const std::string& path, std::string_view bytes, std::size_t at) {
  const std::size_t end = std::min(bytes.size(), at + big_endian(bytes.substr(at, 2)));
  at += 2;
  constexpr std::size_t kLengths = 16;
  while (at < end) {  // also one that is cut by the end of its segment
    std::size_t codes = 0;
    for (const char count : bytes.substr(std::min(at + 1, bytes.size()), kLengths))
      codes += static_cast<std::uint8_t>(count);
    if (codes > 256)
      throw IoError(path, static_cast<std::int64_t>(at), joined("damaged JPEG: a Huffman table of ", codes, " codes"));
    at += 1 + kLengths + codes;
  }
}

/// A JPEG file is not cut: the image is followed by the marker of its end. JPEG has no checksum.
inline void check_jpeg(const std::string& path, std::string_view bytes) {
  constexpr char kTables = '\xC4', kScan = '\xDA';
  const auto two_bytes = [&](std::size_t at) { return big_endian(bytes.substr(at, 2)); };
  std::size_t at = 2;
  // Up to the first scan there are segments that tell their length; pictures in them have ends of their own.
  for (;; at += 2 + two_bytes(at + 2)) {
    at = bytes.find('\xFF', at);
    while (at < bytes.size() && bytes.substr(at, 2) == "\xFF\xFF") ++at;
    if (at >= bytes.size() || at + 4 > bytes.size() || bytes[at + 1] == kScan) break;
    if (bytes[at + 1] == kTables) check_huffman_tables(path, bytes, at + 2);
  }
  // In what is coded, and so behind the first scan, a marker stands for itself.
  const std::size_t scan = std::min(at, bytes.size());
  for (at = scan; (at = bytes.find("\xFF\xC4", at)) != std::string_view::npos && at + 4 <= bytes.size(); at += 2)
    check_huffman_tables(path, bytes, at + 2);
  if (bytes.find("\xFF\xD9", scan) != std::string_view::npos) return;
  throw IoError(path, static_cast<std::int64_t>(bytes.size()), "damaged JPEG: ends before the end of its image");
}

/// The decoded pixels of an image, (height, width, channels).
struct DecodedImage {
  std::unique_ptr<std::uint8_t, void (*)(std::uint8_t*)> pixels;
  int height;
  int width;
  int channels;
};

/// Channels of 0 means those of the file.
inline DecodedImage decode_image(const std::string& path, std::string_view bytes, int channels,
                                 const ReadImageOptions& options) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw IoError(path, joined("has ", bytes.size(), " bytes, too many for an image"));
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"))
    check_png(path, bytes);
  else if (bytes.starts_with("\xFF\xD8\xFF"))
    check_jpeg(path, bytes);
  else if (!bytes.starts_with("BM"))
    throw IoError(path, "is no image that can be read: neither PNG nor JPEG nor BMP");
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  const int size = static_cast<int>(bytes.size());
  DecodedImage image{{nullptr, eigengrad_image_free}, 0, 0, 0};
  const char* problem = nullptr;
  if (!eigengrad_image_info(data, size, &image.width, &image.height, &image.channels, &problem))
    throw IoError(path, joined("is no image that can be read: ", problem));
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 27;
  if (image.width <= 0 || image.height <= 0 || image.width > kMostPixels / image.height) {
    throw IoError(path, joined("has ", image.width, " x ", image.height, " pixels, expected 1 to ", kMostPixels));
  }
  if (channels == 0) channels = image.channels;
  if (image.channels != channels && !options.convert) {
    throw IoError(path, joined("has ", image.channels, image.channels == 1 ? " channel" : " channels", ", expected ",
                               channels, "; {.convert = true} converts them"));
  }
  image.channels = channels;
  image.pixels.reset(eigengrad_image_decode(data, size, channels, &problem));
  if (image.pixels == nullptr) throw IoError(path, joined("is no image that can be read: ", problem));
  return image;
}

/// The channels of a shape (H, W, C) that an image can have.
EIGENGRAD_COLD inline void check_image_shape(const check::Where& where, const Shape& shape) {
  constexpr Index kLargestSide = 1 << 20;
  if (shape.rank() == 3 && shape[2] >= 1 && shape[2] <= 4 && shape[0] >= 1 && shape[0] <= kLargestSide &&
      shape[1] >= 1 && shape[1] <= kLargestSide)
    return;
  throw ShapeError(error_text(where.name(), ": images of shape ", shape, ", expected (H, W, C) with sides from 1 to ",
                              kLargestSide, " and 1 to 4 channels"));
}

/// Calls use(pixels) with the image of a file, resized to a shape that an image can have.
template <class F>
void with_image(const std::filesystem::path& path, const Shape& shape, const ReadImageOptions& options, const F& use) {
  const std::string name = path.string();
  const std::string bytes = read_file(path);
  const DecodedImage image = decode_image(name, bytes, static_cast<int>(shape[2]), options);
  if (image.height == shape[0] && image.width == shape[1]) return use(image.pixels.get());
  Tensor<std::uint8_t> resized(shape);
  if (!eigengrad_image_resize(image.pixels.get(), image.width, image.height, resized.mutable_data(),
                              static_cast<int>(shape[1]), static_cast<int>(shape[0]), image.channels))
    throw IoError(name, joined("cannot be resized from ", image.width, " x ", image.height, " pixels"));
  use(resized.data());
}

}  // namespace detail

/// The pixels of an image file, resized to a shape with as many channels as it has: grey, grey and transparency, red,
/// green and blue, or these and transparency. 16 bits a channel become 8; how a camera was held (EXIF) is not looked
/// at.
/// Shapes   (H, W, C), C from 1 to 4
/// Errors   ShapeError for another shape; IoError naming the file, and the byte where there is one, if it is no image,
///          is damaged, has other channels and is not to be converted, or has more than 2^27 pixels
inline Tensor<std::uint8_t> read_image(const std::filesystem::path& path, const Shape& shape,
                                       const ReadImageOptions& options = {}) {
  detail::check_image_shape("read_image", shape);
  Tensor<std::uint8_t> image(shape);
  detail::with_image(path, shape, options,
                     [&](const std::uint8_t* pixels) { std::copy_n(pixels, shape.numel(), image.mutable_data()); });
  return image;
}

/// The pixels of an image file as they are.
/// Shapes   (H, W, C), those of the file
/// Errors   IoError as above
inline Tensor<std::uint8_t> read_image(const std::filesystem::path& path) {
  const detail::DecodedImage image = detail::decode_image(path.string(), read_file(path), 0, {});
  Tensor<std::uint8_t> result({image.height, image.width, image.channels});
  std::copy_n(image.pixels.get(), result.numel(), result.mutable_data());
  return result;
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
