// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/memory.hpp>
#include <eigengrad/data/idx.hpp>
#include <eigengrad/data/mnist.hpp>

#include "support/gzip.hpp"
#include "support/message_of.hpp"
#include "support/reader_test.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace mnist_test {
namespace {

using testing::gzip;
using testing::message_of;

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string idx(const std::vector<std::uint32_t>& sizes, const std::string& elements, char type = 8) {
  std::string bytes{'\0', '\0', type, static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes) bytes += big_endian(size);
  return bytes + elements;
}

/// Bytes that differ from their neighbours, and from those of another start.
std::string numbers(std::size_t count, unsigned start = 0) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>((start + i * 7 + i / 251) & 255U);
  return bytes;
}

class Idx : public testing::ReaderTest {
 protected:
  Idx() : ReaderTest("numbers.idx") {}

  std::string problem(const std::string& bytes) const { return problem_with(bytes, read_idx); }
};

TEST_F(Idx, ReadsArraysOfEveryRankPlainAndGzipped) {
  std::vector<std::uint32_t> sizes;
  std::size_t count = 1;
  for (const std::uint32_t size : {3U, 2U, 5U, 1U, 4U, 2U}) {
    sizes.push_back(size);
    count *= size;
    const std::string bytes = idx(sizes, numbers(count));
    for (const std::string& file : {bytes, gzip(bytes)}) {
      write(file);
      const Tensor<std::uint8_t> x = read_idx(path());
      ASSERT_EQ(x.shape(), Shape(std::vector<Index>(sizes.begin(), sizes.end())));
      EXPECT_EQ(std::string(x.data(), x.data() + x.numel()), numbers(count));
    }
  }
}

TEST_F(Idx, ReadsMoreThanItHoldsAtOnce) {
  const std::string bytes = idx({300, 1000}, numbers(300000));
  for (const std::string& file : {bytes, gzip(bytes)}) {
    write(file);
    const Tensor<std::uint8_t> x = read_idx(path());
    EXPECT_EQ(std::string(x.data(), x.data() + x.numel()), numbers(300000));
  }
}

TEST_F(Idx, ReadsAnArrayWithoutElements) {
  for (const std::string& file : {idx({0, 7}, ""), gzip(idx({0, 7}, ""))}) {
    write(file);
    EXPECT_EQ(read_idx(path()).shape(), (Shape{0, 7}));
  }
}

TEST_F(Idx, RefusesOtherFiles) {
  const std::string no_idx = "at byte 0: is no idx file";
  EXPECT_EQ(problem(""), no_idx);
  EXPECT_EQ(problem(std::string(3, '\0')), no_idx);
  EXPECT_EQ(problem("\1" + idx({1}, "x").substr(1)), no_idx);
  EXPECT_EQ(problem(std::string("\0\1", 2) + idx({1}, "x").substr(2)), no_idx);
  EXPECT_EQ(problem("<html>"), no_idx);
  EXPECT_EQ(problem(idx({1}, "x", 0x0D)), "at byte 2: numbers of type 13, expected 8: bytes without a sign");
  EXPECT_EQ(problem(idx({}, "x")), "at byte 3: 0 axes, expected 1 to 6");
  EXPECT_EQ(problem(idx({1, 1, 1, 1, 1, 1, 1}, "x")), "at byte 3: 7 axes, expected 1 to 6");
}

TEST_F(Idx, RefusesAFileOfAnotherLength) {
  const std::string bytes = idx({2, 3}, numbers(6));
  EXPECT_EQ(problem(bytes.substr(0, 17)), "at byte 4: shape (2, 3) needs 18 bytes, and there are 17");
  EXPECT_EQ(problem(bytes + "x"), "at byte 4: shape (2, 3) needs 18 bytes, and there are 19");
  EXPECT_EQ(problem(bytes.substr(0, 6)), "at byte 6: ends too early");
  EXPECT_EQ(problem(gzip(bytes.substr(0, 17))), "at byte 17 of what it inflates to: ends too early");
  EXPECT_EQ(problem(gzip(bytes + "xyz")), "at byte 18 of what it inflates to: bytes follow, expected the end");
  const std::string whole = gzip(bytes);
  EXPECT_EQ(problem(whole + "more"),
            joined("at byte ", whole.size(), ": bytes follow the gzip part, expected the end"));
  EXPECT_EQ(problem(whole + whole), joined("at byte ", whole.size(), ": bytes follow the gzip part, expected the end"));
}

TEST_F(Idx, RefusesSizesThatNoFileHasBeforeItTakesMemory) {
  const auto most = std::uint32_t{0xFFFFFFFF};
  EXPECT_NE(problem(idx({most, most, most}, "x")).find("at byte 4: Shape: "), std::string::npos);
  const auto before = memory::stats().system_allocations;
  EXPECT_EQ(problem(idx({most}, "x")), "at byte 4: shape (4294967295,) needs 4294967303 bytes, and there are 9");
  const std::string claim = gzip(idx({most}, "x"));
  EXPECT_EQ(problem(claim), joined("at byte 4 of what it inflates to: shape (4294967295,) needs 4294967303 bytes, and "
                                   "there are at most ",
                                   1032 * claim.size()));
  EXPECT_EQ(memory::stats().system_allocations, before);
}

TEST_F(Idx, InflatesNoMoreThanTheHeaderSays) {
  const std::string bomb = gzip(idx({10}, std::string(30'000'000, '\0')));
  ASSERT_LT(bomb.size(), 40000U);
  EXPECT_EQ(problem(bomb), "at byte 18 of what it inflates to: bytes follow, expected the end");
}

TEST_F(Idx, RefusesEveryDamagedByteOfAGzipFile) {
  const std::string bytes = idx({40, 30}, numbers(1200));
  const std::string whole = gzip(bytes);
  // Behind the magic, the flags, the time and the system, which change nothing of the content, a byte that is another
  // one changes it, and then the checksum is wrong.
  for (std::size_t at = 10; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_NE(problem(damaged), "no error") << at;
  }
  std::string checksum = whole;
  checksum[whole.size() - 8] = static_cast<char>(checksum[whole.size() - 8] ^ 1);
  EXPECT_EQ(problem(checksum), joined("at byte ", whole.size() - 4, ": damaged gzip part: incorrect data check"));
  for (const std::size_t length : {whole.size() - 1, whole.size() - 8, whole.size() / 2, std::size_t{12}})
    EXPECT_EQ(problem(whole.substr(0, length)), joined("at byte ", length, ": ends within its gzip part"));
}

class Mnist : public ::testing::Test {
 protected:
  const std::filesystem::path& directory() const { return temporary_.path(); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory() / name, std::ios::binary) << bytes;
  }
  void write_images(const std::string& name, std::uint32_t count, unsigned start) const {
    write(name, idx({count, 28, 28}, numbers(std::size_t{count} * 784, start)));
  }
  /// Five images to learn from and two to measure on, each file in another of the ways that there are.
  void write_all() const {
    write_images("train-images-idx3-ubyte", 5, 0);
    write("train-labels.idx1-ubyte", idx({5}, {3, 0, 9, 1, 7}));
    write("t10k-images-idx3-ubyte.gz", gzip(idx({2, 28, 28}, numbers(2 * 784, 100))));
    write("t10k-labels.idx1-ubyte.gz", gzip(idx({2}, {4, 2})));
  }
  std::string problem() const {
    return message_of([&] { load_mnist(directory()); });
  }

 private:
  testing::TemporaryDirectory temporary_;
};

TEST_F(Mnist, ReadsImagesAndLabelsWhateverTheFilesAreCalled) {
  write_all();
  const auto split = load_mnist<double>(directory());
  EXPECT_EQ(split.train.images.shape(), (Shape{5, 28, 28, 1}));
  EXPECT_EQ(split.test.images.shape(), (Shape{2, 28, 28, 1}));
  EXPECT_EQ(std::vector<Index>(split.train.labels.data(), split.train.labels.data() + 5),
            (std::vector<Index>{3, 0, 9, 1, 7}));
  EXPECT_EQ(std::vector<Index>(split.test.labels.data(), split.test.labels.data() + 2), (std::vector<Index>{4, 2}));
  const std::string train = numbers(5 * 784), test = numbers(2 * 784, 100);
  EXPECT_EQ(split.train.images(3, 27, 5, 0), static_cast<std::uint8_t>(train[3 * 784 + 27 * 28 + 5]));
  EXPECT_EQ(split.test.images(1, 2, 27, 0), static_cast<std::uint8_t>(test[784 + 2 * 28 + 27]));
  const std::vector<Index> one{2};
  EXPECT_EQ(split.train.batch(one).inputs(0, 1, 1, 0), static_cast<double>(split.train.images(2, 1, 1, 0)));
  EXPECT_EQ(split.train.class_names[3], "3");
  const auto fashion = load_fashion_mnist(directory());
  EXPECT_EQ(fashion.test.class_names[9], "Ankle boot");
  EXPECT_EQ(fashion.test.num_classes(), 10);
  EXPECT_TRUE(equal(fashion.train.images, split.train.images));
}

TEST_F(Mnist, PrefersTheFilesThatAreNotCompressed) {
  write_all();
  write("train-labels.idx1-ubyte.gz", "damaged");
  EXPECT_EQ(problem(), "no error");
}

TEST_F(Mnist, NamesWhatIsMissing) {
  EXPECT_EQ(message_of([] { load_mnist("/nowhere"); }),
            "/nowhere: is not a directory; expected the files of MNIST in it");
  write_all();
  std::filesystem::remove(directory() / "t10k-images-idx3-ubyte.gz");
  std::filesystem::remove(directory() / "train-labels.idx1-ubyte");
  EXPECT_EQ(message_of([&] { load_fashion_mnist(directory()); }),
            directory().string() +
                ": lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte; expected the four files of "
                "Fashion-MNIST, plain or with .gz at the end");
}

TEST_F(Mnist, RefusesFilesThatDoNotFit) {
  const auto begins = [&](const std::string& name) { return (directory() / name).string() + ": "; };
  write_all();
  write("train-labels.idx1-ubyte", idx({4}, {3, 0, 9, 1}));
  EXPECT_EQ(problem(),
            begins("train-labels.idx1-ubyte") + "at byte 4: labels of shape (4,), expected (5,): one for each image");
  write("train-labels.idx1-ubyte", idx({5}, {3, 0, 10, 1, 2}));
  EXPECT_EQ(problem(), begins("train-labels.idx1-ubyte") + "at byte 10: label 10 of image 2, expected 0 to 9");
  write_all();
  write("t10k-labels.idx1-ubyte.gz", gzip(idx({2}, {4, static_cast<char>(200)})));
  EXPECT_EQ(problem(), begins("t10k-labels.idx1-ubyte.gz") +
                           "at byte 9 of what it inflates to: label 200 of image 1, expected 0 to 9");
  write_all();
  write("train-images-idx3-ubyte", idx({5, 28, 27}, numbers(5 * 28 * 27)));
  EXPECT_EQ(problem(),
            begins("train-images-idx3-ubyte") + "at byte 4: images of shape (5, 28, 27), expected (N, 28, 28)");
  write("train-images-idx3-ubyte", idx({0, 28, 28}, ""));
  EXPECT_EQ(problem(),
            begins("train-images-idx3-ubyte") + "at byte 4: images of shape (0, 28, 28), expected (N, 28, 28)");
  write("train-images-idx3-ubyte", idx({5}, numbers(5)));
  EXPECT_EQ(problem(), begins("train-images-idx3-ubyte") + "at byte 4: images of shape (5,), expected (N, 28, 28)");
}

}  // namespace
}  // namespace mnist_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
