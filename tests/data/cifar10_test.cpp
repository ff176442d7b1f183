// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/cifar10.hpp>

#include "support/cifar10_files.hpp"
#include "support/temporary_directory.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

/// Writes one record at a place in a file of full size; the rest are zeros, which are valid records.
void write_record(const std::filesystem::path& file, Index index, const std::vector<std::uint8_t>& record) {
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(index * 3073);
  out.write(reinterpret_cast<const char*>(record.data()), static_cast<std::streamsize>(record.size()));
}

class Cifar10 : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_cifar10_files(directory()); }

  const std::filesystem::path& directory() const { return temporary_.path(); }

  std::string load_error() const {
    try {
      load_cifar10(directory());
    } catch (const IoError& error) {
      return error.what();
    }
    return "nothing was thrown";
  }

 private:
  testing::TemporaryDirectory temporary_;
};

TEST_F(Cifar10, ReadsLabelsAndPutsChannelsSideBySide) {
  std::vector<std::uint8_t> record(3073);
  record[0] = 7;
  for (int channel = 0; channel < 3; ++channel) {
    for (int pixel = 0; pixel < 1024; ++pixel) {
      record[static_cast<std::size_t>(1 + 1024 * channel + pixel)] =
          static_cast<std::uint8_t>(80 * channel + pixel % 32);
    }
  }
  write_record(directory() / "data_batch_3.bin", 4321, record);
  const auto split = load_cifar10(directory());
  EXPECT_TRUE(has_cifar10(directory()));
  EXPECT_EQ(split.train.images.shape(), (Shape{50000, 32, 32, 3}));
  EXPECT_EQ(split.test.images.shape(), (Shape{10000, 32, 32, 3}));
  EXPECT_EQ(split.train.labels(24321), 7);
  EXPECT_EQ(split.train.labels(24320), 0);
  EXPECT_EQ(split.train.images(24321, 0, 5, 0), 5);
  EXPECT_EQ(split.train.images(24321, 31, 9, 1), 89);
  EXPECT_EQ(split.train.images(24321, 16, 31, 2), 191);
  EXPECT_EQ(split.train.class_names[7], "horse");
}

TEST_F(Cifar10, NamesADirectoryThatIsNotThere) {
  EXPECT_FALSE(has_cifar10("/nowhere"));
  try {
    load_cifar10("/nowhere");
    FAIL();
  } catch (const IoError& error) {
    EXPECT_STREQ(error.what(), "/nowhere: is not a directory; expected the binary version of CIFAR-10 in it");
  }
}

TEST_F(Cifar10, NamesAFileThatIsCutShort) {
  const auto file = directory() / "data_batch_2.bin";
  std::filesystem::resize_file(file, 1000000);
  EXPECT_EQ(load_error(), file.string() + ": has 1000000 bytes, expected 30730000: 10000 records of 3073");
}

TEST_F(Cifar10, NamesEveryFileThatIsMissing) {
  const std::string expected = "; expected the six files of the binary version of CIFAR-10";
  std::filesystem::remove(directory() / "test_batch.bin");
  EXPECT_EQ(load_error(), directory().string() + ": lacks test_batch.bin" + expected);
  std::filesystem::remove(directory() / "data_batch_1.bin");
  EXPECT_TRUE(has_cifar10(directory())) << "CIFAR-10 is meant";
  EXPECT_EQ(load_error(), directory().string() + ": lacks data_batch_1.bin, test_batch.bin" + expected);
}

TEST_F(Cifar10, RefusesWhatIsNoRegularFile) {
  const auto file = directory() / "data_batch_3.bin";
  std::filesystem::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_EQ(load_error(), file.string() + ": cannot be read: is no regular file");
}

TEST_F(Cifar10, NamesALabelAbove9) {
  const auto file = directory() / "data_batch_5.bin";
  write_record(file, 77, {12});
  EXPECT_EQ(load_error(), file.string() + ": at byte 236621: label 12 of record 77, expected 0 to 9");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
