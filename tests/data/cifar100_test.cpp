// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/cifar100.hpp>

#include "support/message_of.hpp"
#include "support/temporary_directory.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace cifar100_test {
namespace {

constexpr Index kRecord = 3074;

/// The two files in full size, zeros but for what a test writes; zeros are valid records and holes on the disk.
class Cifar100 : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, records] : {std::pair("train.bin", 50000), std::pair("test.bin", 10000)}) {
      std::ofstream(directory() / name).close();
      std::filesystem::resize_file(directory() / name, static_cast<std::uintmax_t>(records * kRecord));
    }
  }

  const std::filesystem::path& directory() const { return temporary_.path(); }

  void write_record(const std::string& name, Index index, const std::vector<std::uint8_t>& record) const {
    std::fstream out(directory() / name, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(index * kRecord);
    out.write(reinterpret_cast<const char*>(record.data()), static_cast<std::streamsize>(record.size()));
  }

  std::string load_error() const {
    return testing::message_of([&] { load_cifar100(directory()); });
  }

 private:
  testing::TemporaryDirectory temporary_;
};

TEST_F(Cifar100, ReadsFineAndCoarseLabelsAndPutsChannelsSideBySide) {
  std::vector<std::uint8_t> record(kRecord);
  record[0] = 19;
  record[1] = 99;
  for (int channel = 0; channel < 3; ++channel) {
    for (int pixel = 0; pixel < 1024; ++pixel) {
      record[static_cast<std::size_t>(2 + 1024 * channel + pixel)] =
          static_cast<std::uint8_t>(80 * channel + pixel % 32);
    }
  }
  write_record("train.bin", 43210, record);
  write_record("test.bin", 9999, {4, 57});
  const auto split = load_cifar100(directory());
  EXPECT_EQ(split.train.images.shape(), (Shape{50000, 32, 32, 3}));
  EXPECT_EQ(split.test.images.shape(), (Shape{10000, 32, 32, 3}));
  EXPECT_EQ(split.train.labels(43210), 99);
  EXPECT_EQ(split.train.labels(43209), 0);
  EXPECT_EQ(split.train.images(43210, 0, 5, 0), 5);
  EXPECT_EQ(split.train.images(43210, 31, 9, 1), 89);
  EXPECT_EQ(split.train.images(43210, 16, 31, 2), 191);
  EXPECT_EQ(split.train.images(43211, 0, 5, 0), 0);
  EXPECT_EQ(split.test.labels(9999), 57);
  EXPECT_EQ(split.test.class_names[57], "pear");

  const auto coarse = load_cifar100<double>(directory(), {.coarse = true});
  EXPECT_EQ(coarse.train.labels(43210), 19);
  EXPECT_EQ(coarse.test.labels(9999), 4);
  EXPECT_EQ(coarse.test.class_names[4], "fruit_and_vegetables");
  EXPECT_TRUE(equal(coarse.train.images, split.train.images));
}

TEST_F(Cifar100, NamesAllClasses) {
  const auto& fine = cifar100_class_names();
  ASSERT_EQ(fine.size(), 100U);
  EXPECT_TRUE(std::is_sorted(fine.begin(), fine.end()));
  EXPECT_EQ(std::adjacent_find(fine.begin(), fine.end()), fine.end());
  const auto& coarse = cifar100_coarse_class_names();
  ASSERT_EQ(coarse.size(), 20U);
  EXPECT_TRUE(std::is_sorted(coarse.begin(), coarse.end()));
}

TEST_F(Cifar100, NamesADirectoryThatIsNotThereAndFilesThatAreMissing) {
  EXPECT_EQ(testing::message_of([] { load_cifar100("/nowhere"); }),
            "/nowhere: is not a directory; expected the binary version of CIFAR-100 in it");
  std::filesystem::remove(directory() / "train.bin");
  EXPECT_EQ(load_error(),
            directory().string() + ": lacks train.bin; expected the two files of the binary version of CIFAR-100");
}

TEST_F(Cifar100, NamesAFileOfAnotherSize) {
  const auto file = directory() / "test.bin";
  std::filesystem::resize_file(file, 30730000);
  EXPECT_EQ(load_error(), file.string() + ": has 30730000 bytes, expected 30740000: 10000 records of 3074");
}

TEST_F(Cifar100, NamesALabelOutOfRangeEvenIfItIsNotTheOneThatIsWanted) {
  const auto train = (directory() / "train.bin").string();
  write_record("train.bin", 1001, {20, 5});
  EXPECT_EQ(load_error(), train + ": at byte 3077074: coarse label 20 of record 1001, expected 0 to 19");
  write_record("train.bin", 1001, {19, 100});
  EXPECT_EQ(load_error(), train + ": at byte 3077075: fine label 100 of record 1001, expected 0 to 99");
}

}  // namespace
}  // namespace cifar100_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
