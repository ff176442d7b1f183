// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <eigengrad/core/namespaces.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

inline std::string png_number(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

/// A chunk of a PNG file, with its checksum computed bit by bit.
inline std::string png_chunk(const std::string& type, const std::string& data) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : type + data) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return png_number(static_cast<std::uint32_t>(data.size())) + type + data + png_number(~crc);
}

/// A PNG file of 8 bits a channel, not compressed: `pixels` row by row.
inline std::string png(std::uint32_t height, std::uint32_t width, std::uint32_t channels, const std::string& pixels) {
  std::string rows;
  for (std::size_t y = 0; y < height; ++y) rows += '\0' + pixels.substr(y * width * channels, width * channels);
  std::uint32_t a = 1, b = 0;  // the checksum Adler-32
  for (const char byte : rows) {
    a = (a + static_cast<std::uint8_t>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  std::string zlib("\x78\x01", 2);
  constexpr std::size_t kBlock = 65535;
  for (std::size_t at = 0; at < rows.size(); at += kBlock) {
    const std::string block = rows.substr(at, kBlock);
    const auto low = static_cast<char>(block.size() & 255U), high = static_cast<char>(block.size() >> 8);
    zlib += static_cast<char>(at + kBlock >= rows.size());
    zlib += {low, high, static_cast<char>(~low), static_cast<char>(~high)};
    zlib += block;
  }
  zlib += png_number(b << 16 | a);
  constexpr char kColourTypes[] = {'\0', '\0', '\4', '\2', '\6'};
  const std::string header =
      png_number(width) + png_number(height) + '\10' + kColourTypes[channels] + std::string(3, '\0');
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header) + png_chunk("IDAT", zlib) + png_chunk("IEND", "");
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
