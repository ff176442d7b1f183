// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/normalize.hpp>

namespace eigengrad::data {
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

}  // namespace
}  // namespace eigengrad::data
