// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include <eigengrad/io/npy.hpp>

#include "support/contents.hpp"
#include "support/message_of.hpp"
#include "support/reader_test.hpp"

namespace eigengrad::EIGENGRAD_ISA::io {
namespace {

using eigengrad::testing::contents;
using eigengrad::testing::message_of;

std::filesystem::path golden(const std::string& name) { return std::filesystem::path(EIGENGRAD_GOLDEN_DIR) / name; }

class Npy : public testing::ReaderTest {
 protected:
  Npy() : ReaderTest("f.npy") {}

  /// What is said of a file of version 1 with that header and so many bytes of data.
  std::string problem_of(const std::string& header, std::size_t data) const {
    const std::string length = {static_cast<char>(header.size() & 255U), static_cast<char>(header.size() >> 8)};
    return problem_with(std::string("\x93NUMPY\x01\x00", 8) + length + header + std::string(data, '\0'),
                        [](const auto& file) { load_npy<float>(file); });
  }
};

TEST_F(Npy, ReadsWhatNumPyHasWritten) {
  EXPECT_TRUE(
      equal(load_npy<float>(golden("f4.npy")), Tensor<float>({2, 3}, {-2.0F, -0.5F, 0.0F, 1.0F, 1.5F, 192.0F})));
  Tensor<double> counted({2, 3, 4});
  for (Index i = 0; i < 24; ++i) counted.mutable_data()[i] = static_cast<double>(i);
  EXPECT_TRUE(equal(load_npy<double>(golden("f8_fortran_big_endian.npy")), counted));
  EXPECT_EQ(load_npy<std::int16_t>(golden("i2_scalar.npy")).item(), -7);
  EXPECT_EQ(load_npy<std::int16_t>(golden("i2_scalar.npy")).rank(), 0);
  EXPECT_TRUE(equal(load_npy<bool>(golden("b1.npy")), Tensor<bool>({2, 3}, {false, true, false, true, false, false})));
  const Tensor<std::uint32_t> numbers({2, 3}, {0, 1, 2, 3, 4, 200});
  for (const std::string version : {"1", "2", "3"})
    EXPECT_TRUE(equal(load_npy<std::uint32_t>(golden("u4_version_" + version + ".npy")), numbers)) << version;
}

TEST_F(Npy, WritesWhatNumPyWrites) {
  save_npy(path(), Tensor<float>({2, 3}, {-2.0F, -0.5F, 0.0F, 1.0F, 1.5F, 192.0F}));
  EXPECT_EQ(contents(path()), contents(golden("f4.npy")));
  save_npy(path(), Tensor<std::int16_t>({}, {-7}));
  EXPECT_EQ(contents(path()), contents(golden("i2_scalar.npy")));
  save_npy(path(), Tensor<bool>({2, 3}, {false, true, false, true, false, false}));
  EXPECT_EQ(contents(path()), contents(golden("b1.npy")));
}

TEST_F(Npy, EveryTypeAndShapeComesBack) {
  const auto round_trip = [&]<class T>(T) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{5}, Shape{2, 0, 3}, Shape{1, 2, 3, 1, 2, 2}}) {
      Rng rng(1);
      const auto x = Tensor<T>::generate(shape, [&] { return static_cast<T>(rng.below(2)); });
      save_npy(path(), x);
      EXPECT_TRUE(equal(load_npy<T>(path()), x)) << to_string(shape);
    }
  };
  round_trip(false);
  round_trip(std::int8_t());
  round_trip(std::uint8_t());
  round_trip(std::int16_t());
  round_trip(std::uint16_t());
  round_trip(std::int32_t());
  round_trip(std::uint32_t());
  round_trip(std::int64_t());
  round_trip(std::uint64_t());
  round_trip(1.0F);
  round_trip(1.0);
}

TEST_F(Npy, ConvertsOnRequest) {
  EXPECT_EQ(message_of([&] { load_npy<double>(golden("f4.npy")); }),
            golden("f4.npy").string() + ": holds numbers of type f4, expected f8; {.convert = true} converts them");
  EXPECT_EQ(load_npy<double>(golden("f4.npy"), {.convert = true})(1, 2), 192.0);
  EXPECT_EQ(load_npy<Index>(golden("u4_version_1.npy"), {.convert = true})(1, 2), 200);
  EXPECT_EQ(message_of([&] { load_npy<std::int8_t>(golden("u4_version_1.npy"), {.convert = true}); }),
            golden("u4_version_1.npy").string() + ": element 5 in the file's order does not fit into i1");
  EXPECT_EQ(message_of([&] { load_npy<Index>(golden("f4.npy"), {.convert = true}); }),
            golden("f4.npy").string() + ": holds numbers of type f4, expected i8");
}

TEST_F(Npy, CutShortOrChangedItIsRefusedOrRead) {
  const std::string whole = contents(golden("f8_fortran_big_endian.npy"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write(whole.substr(0, length));
    EXPECT_THROW(load_npy<double>(path()), IoError) << length;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {1, 2, 0x10, 0x80, 0xFF}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      write(bytes);
      try {
        EXPECT_EQ(load_npy<double>(path(), {.convert = true}).numel(), 24) << at;
      } catch (const IoError&) {
      }
    }
  }
}

TEST_F(Npy, HostileHeadersAreRefusedWithAReason) {
  EXPECT_EQ(problem_of("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7),
            "at byte 67: 7 bytes of numbers, which shape (2,) of f4 does not have");
  EXPECT_EQ(problem_of("{'descr': '<f4', 'fortran_order': False}", 8),
            "at byte 50: npy header: descr, fortran_order or shape is missing");
  EXPECT_EQ(problem_of("{'descr': '<f4', 'descr': '<f4'}", 8), "at byte 35: npy header: unexpected key descr");
  EXPECT_EQ(problem_of("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 8),
            "at byte 25: npy header: the number type <c8 is not known");
  EXPECT_EQ(problem_of("{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}", 8),
            "at byte 25: npy header: the number type |f4 is not known");
  EXPECT_EQ(problem_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 8),
            "at byte 20: npy header: an array of records, expected one of numbers");
  EXPECT_EQ(problem_of("{'descr': '<f4', 'fortran_order': None, 'shape': (1,)}", 8),
            "at byte 44: npy header: expected True or False");
  EXPECT_EQ(problem_of("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 8),
            "at byte 61: npy header: expected a size");
  EXPECT_EQ(problem_of("{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,)}", 8),
            "at byte 61: npy header: expected a size");
  EXPECT_EQ(problem_of("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1)}", 8),
            "at byte 74: npy header: more than 6 axes");
  EXPECT_EQ(
      problem_of("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4)}", 8).substr(0, 24),
      "at byte 87: npy header: ");
  EXPECT_EQ(problem_of("{'descr': '<f4", 0), "at byte 20: npy header: a text without its end");
  EXPECT_EQ(problem_of("", 0), "at byte 10: npy header: expected {");
  EXPECT_EQ(problem_of("{} x", 0), "at byte 13: npy header: text behind the description");
  write("\x93NUMPY\x04\x00\x00\x00");
  EXPECT_THROW(load_npy<float>(path()), IoError);
  write(std::string("\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF{}", 14));
  EXPECT_EQ(message_of([&] { load_npy<float>(path()); }),
            path().string() + ": at byte 8: a header of 4294967295 bytes, expected at most 2");
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_THROW(load_npy<float>(path("fifo")), IoError);
  EXPECT_THROW(save_npy(path("fifo"), Tensor<float>::ones({1})), IoError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::io
