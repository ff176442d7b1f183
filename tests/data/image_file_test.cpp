// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/image_file.hpp>

#include "support/message_of.hpp"
#include "support/png.hpp"
#include "support/reader_test.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace image_file_test {
namespace {

using testing::message_of;
using testing::png;

std::string golden(const std::string& name) { return std::string(EIGENGRAD_GOLDEN_DIR "/") + name; }

std::string numbers(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>((i * 11 + i / 17) & 255U);
  return bytes;
}

class ImageFile : public testing::ReaderTest {
 protected:
  ImageFile() : ReaderTest("image.png") {}

  std::string problem(const std::string& bytes) const {
    return problem_with(bytes, [](const auto& path) { return read_image(path); });
  }
};

/// The largest difference from the colours that make_files.py draws.
int distance_from_colours(const Tensor<std::uint8_t>& image) {
  int largest = 0;
  for (Index y = 0; y < 12; ++y) {
    for (Index x = 0; x < 20; ++x) {
      const Index colours[] = {12 * x, 20 * y, 240 - 12 * x};
      for (Index c = 0; c < 3; ++c)
        largest = std::max(largest, std::abs(static_cast<int>(image(y, x, c)) - static_cast<int>(colours[c])));
    }
  }
  return largest;
}

TEST_F(ImageFile, ReadsWhatOtherLibrariesHaveWritten) {
  for (const char* name : {"colours.png", "colours.jpg", "colours_progressive.jpg"}) {
    const Tensor<std::uint8_t> image = read_image(golden(name));
    ASSERT_EQ(image.shape(), (Shape{12, 20, 3})) << name;
    EXPECT_LE(distance_from_colours(image), name == std::string("colours.png") ? 0 : 6) << name;
  }
  const Tensor<std::uint8_t> grey = read_image(golden("grey.jpg"));
  ASSERT_EQ(grey.shape(), (Shape{12, 20, 1}));
  for (Index x = 0; x < 20; ++x) EXPECT_NEAR(grey(5, x, 0), static_cast<double>(12 * x), 4);
  const Tensor<std::uint8_t> palette = read_image(golden("palette.png"));
  ASSERT_EQ(palette.shape(), (Shape{12, 20, 3}));
  for (Index y = 0; y < 12; ++y) {
    for (Index x = 0; x < 20; ++x) {
      const Index colour = x / 5 + 4 * (y / 3);
      EXPECT_EQ(palette(y, x, 0), colour);
      EXPECT_EQ(palette(y, x, 1), 10 * colour);
      EXPECT_EQ(palette(y, x, 2), 255 - colour);
    }
  }
}

TEST_F(ImageFile, ReadsEveryNumberOfChannelsAsItIs) {
  for (const std::uint32_t channels : {1U, 2U, 3U, 4U}) {
    const std::string pixels = numbers(7 * 5 * channels);
    write(png(7, 5, channels, pixels));
    const Shape shape{7, 5, static_cast<Index>(channels)};
    for (const Tensor<std::uint8_t>& image : {read_image(path()), read_image(path(), shape)}) {
      ASSERT_EQ(image.shape(), shape);
      EXPECT_EQ(std::string(image.data(), image.data() + image.numel()), pixels);
    }
  }
}

TEST_F(ImageFile, ConvertsChannelsWhereItIsAskedTo) {
  const std::string pixels = numbers(12);
  write(png(3, 4, 1, pixels));
  const Tensor<std::uint8_t> image = read_image(path(), {3, 4, 3}, {.convert = true});
  for (Index i = 0; i < 36; ++i)
    EXPECT_EQ(image.data()[i], static_cast<std::uint8_t>(pixels[static_cast<std::size_t>(i / 3)]));
  EXPECT_EQ(message_of([&] {
              read_image(path(), {3, 4, 3});
            }),
            path().string() + ": has 1 channel, expected 3; {.convert = true} converts them");
  write(png(3, 4, 4, numbers(48)));
  EXPECT_EQ(message_of([&] {
              read_image(path(), {3, 4, 3});
            }),
            path().string() + ": has 4 channels, expected 3; {.convert = true} converts them");
}

TEST_F(ImageFile, ResizesToTheShapeThatIsAskedFor) {
  // Two halves, far from each other: the middle of each stays what it is.
  std::string pixels;
  for (int y = 0; y < 30; ++y) pixels += std::string(20, '\x20') + std::string(20, '\x60');
  write(png(30, 40, 1, pixels));
  for (const Shape& shape : {Shape{15, 20, 1}, Shape{60, 100, 1}, Shape{7, 31, 1}}) {
    const Tensor<std::uint8_t> image = read_image(path(), shape);
    ASSERT_EQ(image.shape(), shape);
    for (Index y = 0; y < shape[0]; ++y) {
      EXPECT_NEAR(image(y, shape[1] / 5, 0), 0x20, 1);
      EXPECT_NEAR(image(y, shape[1] * 4 / 5, 0), 0x60, 1);
    }
  }
}

TEST_F(ImageFile, RefusesEveryCutAndEveryDamagedByteOfAPng) {
  const std::string whole = png(4, 3, 3, numbers(36));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_NE(problem(whole.substr(0, length)), "no error") << length;
  EXPECT_EQ(problem(whole.substr(0, 50)), "at byte 33: damaged PNG: ends within a chunk of 51 bytes");
  EXPECT_EQ(problem(whole.substr(0, whole.size() - 12)),
            joined("at byte ", whole.size() - 12, ": damaged PNG: ends before its last chunk"));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_NE(problem(damaged), "no error") << at;
  }
  std::string damaged = whole;
  damaged[60] = '\0';
  EXPECT_EQ(problem(damaged), "at byte 33: damaged PNG: wrong checksum of a chunk");
}

TEST_F(ImageFile, RefusesCutsOfAJpeg) {
  for (const char* name : {"colours.jpg", "colours_progressive.jpg", "grey.jpg"}) {
    const std::string whole = read_file(golden(name));
    for (std::size_t length = 0; length < whole.size(); length += 7)
      EXPECT_NE(problem(whole.substr(0, length)), "no error") << name << ' ' << length;
    const std::size_t most = whole.size() - 1;
    EXPECT_EQ(problem(whole.substr(0, most)),
              joined("at byte ", most, ": damaged JPEG: ends before the end of its image"));
    // The picture within a picture, as cameras write it, does not end the file's own.
    const std::string with_thumbnail =
        whole.substr(0, 2) + std::string("\xFF\xE1\x00\x06xx\xFF\xD9", 8) + whole.substr(2);
    write(with_thumbnail);
    EXPECT_EQ(message_of([&] { read_image(path()); }), "no error");
    EXPECT_EQ(problem(with_thumbnail.substr(0, with_thumbnail.size() - 2)),
              joined("at byte ", most + 7, ": damaged JPEG: ends before the end of its image"));
  }
}

TEST_F(ImageFile, RefusesHuffmanTablesOfMoreCodesThanThereAreBytes) {
  const std::string whole = read_file(golden("colours.jpg"));
  const std::size_t tables = whole.find("\xFF\xC4");
  ASSERT_NE(tables, std::string::npos);
  std::string damaged = whole;
  for (std::size_t i = 0; i < 16; ++i) damaged[tables + 5 + i] = '\x7F';
  EXPECT_EQ(problem(damaged), joined("at byte ", tables + 4, ": damaged JPEG: a Huffman table of 2032 codes"));
  // One that its segment cuts short takes its counts from what follows.
  const std::string cut = std::string("\xFF\xC4\x00\x03\x00", 5) + std::string(16, '\x7F');
  EXPECT_EQ(problem(whole.substr(0, tables) + cut + whole.substr(tables)),
            joined("at byte ", tables + 4, ": damaged JPEG: a Huffman table of 2032 codes"));
  // Behind the first scan too.
  const std::string later = whole.substr(0, whole.size() - 2) + cut + whole.substr(whole.size() - 2);
  EXPECT_EQ(problem(later), joined("at byte ", whole.size() + 2, ": damaged JPEG: a Huffman table of 2032 codes"));
}

TEST_F(ImageFile, ReadsBmp) {
  std::string bmp("BM\x3E\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\2\0\0\0\1\0\x18\0", 30);
  bmp += std::string(24, '\0') + std::string(
                                     "123\0"
                                     "456\0",
                                     8);  // blue, green, red, from the lowest row
  write(bmp);
  const Tensor<std::uint8_t> image = read_image(path());
  ASSERT_EQ(image.shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(image(0, 0, 0), '6');
  EXPECT_EQ(image(1, 0, 2), '1');
}

TEST_F(ImageFile, RefusesWhatIsNoImageOrTooLarge) {
  EXPECT_EQ(problem("no picture"), "is no image that can be read: neither PNG nor JPEG nor BMP");
  EXPECT_EQ(problem("P6 2 1 255\n123456"), "is no image that can be read: neither PNG nor JPEG nor BMP");
  EXPECT_EQ(problem(""), "is no image that can be read: neither PNG nor JPEG nor BMP");
  const std::string header = testing::png_number(16000) + testing::png_number(16000) + std::string("\10\2\0\0\0", 5);
  EXPECT_EQ(problem("\x89PNG\r\n\x1A\n" + testing::png_chunk("IHDR", header) + testing::png_chunk("IDAT", "") +
                    testing::png_chunk("IEND", "")),
            "has 16000 x 16000 pixels, expected 1 to 134217728");
  EXPECT_EQ(message_of([] { read_image("/nowhere/x.png"); }),
            "/nowhere/x.png: cannot be read: No such file or directory");
}

TEST_F(ImageFile, RefusesShapesThatImagesHaveNot) {
  for (const Shape& shape :
       {Shape{4, 4}, Shape{4, 4, 5}, Shape{0, 4, 3}, Shape{4, Index{1} << 30, 3}, Shape{1, 4, 4, 3}})
    EXPECT_THROW(read_image(golden("colours.png"), shape), ShapeError);
  EXPECT_EQ(message_of([] {
              read_image("x.png", {4, 4});
            }),
            "read_image: images of shape (4, 4), expected (H, W, C) with sides from 1 to 1048576 and 1 to 4 channels");
}

}  // namespace
}  // namespace image_file_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
