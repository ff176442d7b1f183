// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/normalize.hpp>

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

Split<ImageDataset<double>> two_pictures() {
  const Tensor<std::uint8_t> train({2, 1, 2, 2}, {0, 10, 20, 30, 100, 50, 60, 255});
  const Tensor<std::uint8_t> test({1, 1, 2, 2}, {1, 2, 3, 4});
  return {{train, Tensor<Index>({2}, {0, 1}), {"a", "b"}, {}, {}}, {test, Tensor<Index>({1}, {1}), {"a", "b"}, {}, {}}};
}
const std::vector<Index> kBoth{1, 0};

TEST(TensorDataset, GathersSamples) {
  const TensorDataset<float, float> dataset{Tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}), Tensor<float>({3}, {7, 8, 9})};
  const std::vector<Index> samples{2, 0, 2};
  const auto [inputs, targets] = dataset.batch(samples);
  EXPECT_TRUE(equal(inputs, Tensor<float>({3, 2}, {5, 6, 1, 2, 5, 6})));
  EXPECT_TRUE(equal(targets, Tensor<float>({3}, {9, 7, 9})));
  EXPECT_THROW((TensorDataset<float, float>{Tensor<float>::zeros({3, 2}), Tensor<float>::zeros({2})}), ShapeError);
}

TEST(DataSets, SayTheShapeOfTheirInputsBeforeABatchIsMade) {
  const TensorDataset<float, float> dataset{Tensor<float>::zeros({3, 2}), Tensor<float>::zeros({3})};
  static_assert(HasInputShape<TensorDataset<float, float>> && HasInputShape<ImageDataset<>>);
  EXPECT_EQ(dataset.input_shape(7), (Shape{7, 2}));
  auto images = two_pictures().train;
  EXPECT_EQ(images.input_shape(5), (Shape{5, 1, 2, 2}));
  images.labels = Tensor<Index>::zeros({3});
  EXPECT_THROW(images.input_shape(5), ShapeError);
}

TEST(DataSets, MakeABatchInTheMemoryOfOneThatNobodyHolds) {
  const TensorDataset<double, Index> dataset{Tensor<double>({3, 1}, {1, 2, 3}), Tensor<Index>({3}, {4, 5, 6})};
  const auto images = two_pictures().train;
  const auto check = [](const auto& data, Index other_size) {
    auto old = data.batch(kBoth);
    const auto expected = data.batch(kBoth);
    const auto* inputs = old.inputs.data();
    const auto* targets = old.targets.data();
    old.inputs.mutable_array().setConstant(-1);  // nothing of it may stay
    old.targets.mutable_array().setConstant(-1);
    auto same_memory = data.batch(kBoth, 0, std::move(old));
    EXPECT_EQ(same_memory.inputs.data(), inputs);
    EXPECT_EQ(same_memory.targets.data(), targets);
    EXPECT_TRUE(equal(same_memory.inputs, expected.inputs));
    EXPECT_TRUE(equal(same_memory.targets, expected.targets));

    const auto shared = data.batch(std::vector<Index>{0, 0}, 0, same_memory);  // same_memory is still held here
    EXPECT_NE(shared.inputs.data(), inputs);
    EXPECT_TRUE(equal(same_memory.inputs, expected.inputs));

    const std::vector<Index> samples(static_cast<std::size_t>(other_size), 1);
    EXPECT_EQ(data.batch(samples, 0, std::move(same_memory)).inputs.shape(),
              expected.inputs.shape().with(0, other_size));
  };
  check(dataset, 1);
  check(images, 5);
  const Tensor<double> held({2, 3});
  EXPECT_FALSE(recycle(held, {3, 2}).shares_memory(held));
  EXPECT_EQ(recycle(held, {3, 2}).shape(), (Shape{3, 2}));
}

TEST(ImageDataset, GivesBarePixelsWithoutNormalisation) {
  const auto batch = two_pictures().train.batch(kBoth);
  EXPECT_EQ(batch.inputs.shape(), (Shape{2, 1, 2, 2}));
  EXPECT_TRUE(equal(batch.inputs, Tensor<double>({2, 1, 2, 2}, {100, 50, 60, 255, 0, 10, 20, 30})));
  EXPECT_TRUE(equal(batch.targets, Tensor<Index>({2}, {1, 0})));
}

TEST(ImageDataset, RefusesPartsThatDoNotFit) {
  auto dataset = two_pictures().train;
  EXPECT_THROW(dataset.batch(std::vector<Index>{2}), ValueError);
  EXPECT_THROW(dataset.batch(std::vector<Index>{-1}), ValueError);
  dataset.mean = Tensor<double>::zeros({1, 2, 2});
  EXPECT_THROW(dataset.batch(kBoth), ShapeError);  // no scale
  dataset.scale = Tensor<double>::ones({1, 2, 2});
  EXPECT_EQ(dataset.batch(kBoth).inputs.numel(), 8);
  dataset.labels = Tensor<Index>::zeros({3});
  EXPECT_THROW(dataset.batch(kBoth), ShapeError);
}

TEST(Normalize, SubtractsTheMeanImageOfTheTrainingPart) {
  auto split = two_pictures();
  subtract_mean_image(split);
  EXPECT_TRUE(
      equal(split.train.batch(kBoth).inputs, Tensor<double>({2, 1, 2, 2}, {50, 20, 20, 112.5, -50, -20, -20, -112.5})));
  const std::vector<Index> first{0};
  EXPECT_TRUE(equal(split.test.batch(first).inputs, Tensor<double>({1, 1, 2, 2}, {-49, -28, -37, -138.5})));
}

TEST(Normalize, GivesEveryChannelMeanZeroAndDeviationOne) {
  auto split = two_pictures();
  normalize_channels(split);
  const Tensor<double> x = split.train.batch(kBoth).inputs;
  for (const Index channel : {0, 1}) {
    EXPECT_NEAR(x.matrix().col(channel).mean(), 0.0, 1e-14);
    EXPECT_NEAR(x.matrix().col(channel).array().square().mean(), 1.0, 1e-14);
  }
}

/// Of the training part, by plain loops.
struct PixelFigures {
  double mean = 0.0;
  double deviation = 0.0;
};
PixelFigures figures_of(const Tensor<std::uint8_t>& images, Index pixel) {
  const Index count = images.size(0);
  const Index pixels = images.numel() / count;
  PixelFigures figures;
  for (Index i = 0; i < count; ++i) figures.mean += images.data()[i * pixels + pixel];
  figures.mean /= static_cast<double>(count);
  for (Index i = 0; i < count; ++i) {
    const double distance = images.data()[i * pixels + pixel] - figures.mean;
    figures.deviation += distance * distance / static_cast<double>(count);
  }
  figures.deviation = std::sqrt(figures.deviation);
  return figures;
}

TEST(Normalize, GivesEveryPixelMeanZeroAndDeviationOne) {
  auto split = two_pictures();
  Rng rng(1);
  split.train.images = Tensor<std::uint8_t>::generate({50, 3, 5, 2}, [&] { return static_cast<std::uint8_t>(rng()); });
  split.train.labels = Tensor<Index>::zeros({50});
  constexpr Index kPixels = 30;
  constexpr Index kNeverChanges = 13;
  for (Index i = 0; i < 50; ++i) split.train.images.mutable_data()[i * kPixels + kNeverChanges] = 201;
  split.test.images = Tensor<std::uint8_t>::full({1, 3, 5, 2}, 7);
  normalize_pixels(split);
  std::vector<Index> all(50);
  std::iota(all.begin(), all.end(), Index{0});
  const Tensor<double> train = split.train.batch(all).inputs;
  const Tensor<double> test = split.test.batch(std::vector<Index>{0}).inputs;
  for (Index pixel = 0; pixel < kPixels; ++pixel) {
    const auto [mean, deviation] = figures_of(split.train.images, pixel);
    if (pixel == kNeverChanges) {
      EXPECT_EQ(deviation, 0.0);
      for (Index i = 0; i < 50; ++i) EXPECT_EQ(train.data()[i * kPixels + pixel], 0.0);
      EXPECT_EQ(test.data()[pixel], 7.0 - 201.0);
      continue;
    }
    for (Index i = 0; i < 50; ++i) {
      EXPECT_NEAR(train.data()[i * kPixels + pixel],
                  (split.train.images.data()[i * kPixels + pixel] - mean) / deviation, 1e-12);
    }
    EXPECT_NEAR(test.data()[pixel], (7.0 - mean) / deviation, 1e-12);
  }
}

// Whichever way is asked for, before anything of the split changes.
TEST(Normalize, RefusesImagesThatHaveNoFiguresOrDoNotFit) {
  using Way = void (*)(Split<ImageDataset<double>>&);
  for (const Way normalize : {Way(subtract_mean_image), Way(normalize_channels), Way(normalize_pixels)}) {
    for (const Shape& shape : {Shape{0, 1, 2, 2}, Shape{2, 0, 2, 2}, Shape{2, 1, 2, 0}, Shape{2, 4}}) {
      auto split = two_pictures();
      split.train.images = Tensor<std::uint8_t>(shape);
      EXPECT_THROW(normalize(split), ShapeError) << shape;
      EXPECT_TRUE(split.train.mean.empty() && split.test.scale.empty());
    }
    auto split = two_pictures();
    split.test.images = Tensor<std::uint8_t>::zeros({1, 2, 1, 2});
    EXPECT_THROW(normalize(split), ShapeError);
    EXPECT_TRUE(split.train.mean.empty() && split.test.scale.empty());
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
