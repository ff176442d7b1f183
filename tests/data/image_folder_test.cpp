// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/data/augment.hpp>
#include <eigengrad/data/image_folder.hpp>
#include <eigengrad/data/loader.hpp>
#include <eigengrad/data/normalize.hpp>

#include "support/message_of.hpp"
#include "support/png.hpp"
#include "support/temporary_directory.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace image_folder_test {
namespace {

using testing::message_of;
using testing::png;

const Shape kShape{2, 3, 3};

/// The pixels of an image of kShape, other ones for each number.
std::string pixels(int number) {
  std::string bytes(18, '\0');
  for (int i = 0; i < 18; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>((number * 50 + i * 3) & 255);
  return bytes;
}

class Folder : public ::testing::Test {
 protected:
  const std::filesystem::path& root() const { return temporary_.path(); }

  void write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((root() / name).parent_path());
    std::ofstream(root() / name, std::ios::binary) << bytes;
  }
  /// Five images in three classes; the number of each is its place in the data set.
  void write_all() const {
    write("dog/a.PNG", png(2, 3, 3, pixels(3)));
    write("dog/b.png", png(2, 3, 3, pixels(4)));
    write("cat/2.png", png(2, 3, 3, pixels(1)));
    write("cat/10.png", png(2, 3, 3, pixels(0)));
    write("cow/x.Jpeg", png(2, 3, 3, pixels(2)));  // what it is shows in its bytes
    write("cow/notes.txt", "no image");
    write("cow/.hidden.png", "no image");
    write(".git/x.png", "no image");
    write("readme.png", "no image");
  }
  std::string error(const Shape& shape = kShape, const ImageFolderOptions& options = {}) const {
    return message_of([&] { ImageFolder(root(), shape, options); });
  }

 private:
  testing::TemporaryDirectory temporary_;
};

TEST_F(Folder, HasTheClassesAndTheirImagesInTheOrderOfTheirNames) {
  write_all();
  const ImageFolder folder{root(), kShape};
  static_assert(TakesStorage<std::remove_const_t<decltype(folder)>> && HasInputShape<ImageFolder<double>>);
  EXPECT_EQ(folder.size(), 5);
  EXPECT_EQ(folder.class_names(), (std::vector<std::string>{"cat", "cow", "dog"}));
  EXPECT_EQ(folder.input_shape(7), (Shape{7, 2, 3, 3}));
  EXPECT_EQ(folder.files()[3], root() / "dog/a.PNG");
  const std::vector<Index> samples{4, 0, 2, 1, 3, 0};
  const auto [inputs, targets] = folder.batch(samples);
  ASSERT_EQ(inputs.shape(), (Shape{6, 2, 3, 3}));
  const std::vector<Index> labels{2, 0, 1, 0, 2, 0};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string expected = pixels(static_cast<int>(samples[i]));
    for (std::size_t at = 0; at < 18; ++at)
      EXPECT_EQ(inputs.data()[i * 18 + at], static_cast<float>(static_cast<std::uint8_t>(expected[at])));
    EXPECT_EQ(targets.data()[i], labels[i]);
  }
  EXPECT_EQ(folder.targets()(4), 2);
}

TEST_F(Folder, NormalizesAsImagesInMemoryDo) {
  write_all();
  ImageFolder<double> folder{root(), kShape};
  Split<ImageDataset<double>> split{folder.in_memory(), folder.in_memory()};
  normalize_pixels(split);
  folder.normalize(split.train.mean, split.train.scale);
  const std::vector<Index> samples{3, 1, 4};
  EXPECT_TRUE(equal(folder.batch(samples).inputs, split.train.batch(samples).inputs));
  EXPECT_TRUE(equal(folder.batch(samples).targets, split.train.batch(samples).targets));
  EXPECT_TRUE(equal(folder.in_memory(samples).batch(std::vector<Index>{0, 1, 2}).inputs, folder.batch(samples).inputs));
  EXPECT_EQ(folder.in_memory(samples).class_names, folder.class_names());
  EXPECT_THROW(folder.normalize(split.train.mean, Tensor<double>::ones({3})), ShapeError);
}

TEST_F(Folder, GivesTheSameBatchesForAnyNumberOfThreadsAndPrefetching) {
  write_all();
  const ImageFolder folder{root(), kShape};
  const auto images = folder.in_memory();
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    for (const bool prefetch : {false, true}) {
      const LoaderOptions options{.batch_size = 2, .epochs = 3, .seed = 4, .prefetch = prefetch};
      Loader from_folder{Augmented{folder, 1, RandomHorizontalFlip{}}, options};
      Loader from_memory{Augmented{images, 1, RandomHorizontalFlip{}}, options};
      int batches = 0;
      for (const auto& [inputs, targets] : from_folder) {
        const auto expected = from_memory.next();
        EXPECT_TRUE(equal(inputs, expected->inputs));
        EXPECT_TRUE(equal(targets, expected->targets));
        ++batches;
      }
      EXPECT_EQ(batches, 9);
    }
  }
  set_num_threads(0);
}

TEST_F(Folder, MakesABatchInTheMemoryOfAnother) {
  write_all();
  const ImageFolder folder{root(), kShape};
  auto batch = folder.batch(std::vector<Index>{0, 1});
  const float* memory = batch.inputs.data();
  batch = folder.batch(std::vector<Index>{2, 3}, 0, std::move(batch));
  EXPECT_EQ(batch.inputs.data(), memory);
  EXPECT_EQ(batch.inputs(0, 0, 0, 0), 100.0F);
}

TEST_F(Folder, ResizesAndConvertsImages) {
  write("a/1.png", png(8, 8, 1, std::string(64, '\x40')));
  const ImageFolder folder{root(), {4, 6, 3}, {.convert = true}};
  const auto inputs = folder.batch(std::vector<Index>{0}).inputs;
  EXPECT_EQ(inputs.shape(), (Shape{1, 4, 6, 3}));
  EXPECT_EQ(inputs.array().minCoeff(), 64.0F);
  EXPECT_EQ(inputs.array().maxCoeff(), 64.0F);
}

TEST_F(Folder, TakesTheClassesOfAnotherFolder) {
  write_all();
  const std::vector<std::string> names{"bird", "cat", "cow", "dog"};
  const ImageFolder folder{root(), kShape, {.class_names = names}};
  EXPECT_EQ(folder.class_names(), names);
  EXPECT_EQ(folder.num_classes(), 4);
  EXPECT_EQ(folder.targets()(4), 3);
  EXPECT_EQ(error(kShape, {.class_names = {"cat", "dog"}}),
            (root() / "cow").string() + ": is none of the class_names that were given");
}

TEST_F(Folder, NamesFoldersThatAreMissingOrEmpty) {
  EXPECT_EQ(message_of([] { ImageFolder("/nowhere", kShape); }), "/nowhere: cannot be read: No such file or directory");
  EXPECT_EQ(error(), root().string() + ": has no folders; expected one for each class, with images in it");
  write_all();
  write("bird/notes.txt", "");
  EXPECT_EQ(error(), (root() / "bird").string() + ": has no file named .png, .jpg or .jpeg");
  EXPECT_EQ(error({2, 3}),
            "ImageFolder: images of shape (2, 3), expected (H, W, C) with sides from 1 to 1048576 and 1 to 4 channels");
}

TEST_F(Folder, NamesTheImageThatCannotBeRead) {
  write_all();
  write("cat/2.png", png(2, 3, 3, pixels(1)).substr(0, 60));
  write("cow/x.Jpeg", png(2, 3, 1, pixels(1).substr(0, 6)));
  const ImageFolder folder{root(), kShape};
  const auto error_of = [&](Index sample) {
    return message_of([&] { folder.batch(std::vector<Index>{0, sample, 3}); });
  };
  EXPECT_EQ(error_of(0), "no error");
  EXPECT_EQ(error_of(1),
            (root() / "cat/2.png").string() + ": at byte 33: damaged PNG: ends within a chunk of 31 bytes");
  EXPECT_EQ(error_of(2),
            (root() / "cow/x.Jpeg").string() + ": has 1 channel, expected 3; {.convert = true} converts them");
  EXPECT_EQ(error_of(5), "ImageFolder: sample 5 of 5");
  std::filesystem::remove(root() / "dog/a.PNG");
  EXPECT_EQ(error_of(3), (root() / "dog/a.PNG").string() + ": cannot be read: No such file or directory");
}

}  // namespace
}  // namespace image_folder_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
