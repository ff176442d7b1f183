// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/augment.hpp>
#include <eigengrad/data/loader.hpp>
#include <eigengrad/data/split.hpp>
#include <eigengrad/data/synthetic.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

using testing::message_of;

/// Sample i has the input i and the label that `label_of` says.
template <class F>
TensorDataset<float, Index> numbered(Index count, const F& label_of) {
  Tensor<float> inputs(Shape{count, 1});
  Tensor<Index> labels(Shape{count});
  for (Index i = 0; i < count; ++i) {
    inputs.mutable_at(i, 0) = static_cast<float>(i);
    labels.mutable_at(i) = label_of(i);
  }
  return {inputs, labels};
}
const auto kThirds = [](Index i) { return i % 3; };

TEST(Subset, IsTheChosenSamples) {
  const auto dataset = numbered(10, kThirds);
  const Subset subset{dataset, {7, 2, 2}};
  static_assert(TakesStorage<Subset<TensorDataset<float, Index>>> &&
                HasInputShape<Subset<TensorDataset<float, Index>>>);
  EXPECT_EQ(subset.size(), 3);
  EXPECT_EQ(subset.input_shape(5), (Shape{5, 1}));
  EXPECT_TRUE(equal(subset.targets(), Tensor<Index>({3}, {1, 2, 2})));
  const auto batch = subset.batch(std::vector<Index>{2, 0});
  EXPECT_TRUE(equal(batch.inputs, Tensor<float>({2, 1}, {2, 7})));
  EXPECT_TRUE(equal(batch.targets, Tensor<Index>({2}, {2, 1})));
  EXPECT_EQ(message_of([&] { subset.batch(std::vector<Index>{3}); }), "Subset: sample 3 of 3");
  EXPECT_EQ(message_of([&] { Subset{dataset, {0, 10}}; }), "Subset: sample 10 of 10");
  EXPECT_EQ(message_of([&] { Subset{dataset, {-1}}; }), "Subset: sample -1 of 10");
}

/// A data set without storage, targets and input_shape, whose samples change with the epoch.
struct Minimal {
  Index size() const { return 5; }
  Batch<float, float> batch(std::span<const Index> samples, Index epoch = 0) const {
    Tensor<float> x(Shape{static_cast<Index>(samples.size())});
    for (Index i = 0; i < x.numel(); ++i)
      x.mutable_at(i) = static_cast<float>(samples[static_cast<std::size_t>(i)] + 100 * epoch);
    return {x, x};
  }
};

TEST(Subset, OfAMinimalDataSetKnowsTheEpoch) {
  static_assert(Dataset<Subset<Minimal>> && !HasInputShape<Subset<Minimal>> && !TakesStorage<Subset<Minimal>>);
  Loader loader{Subset{Minimal{}, {4, 1}}, {.batch_size = 2, .epochs = 2, .shuffle = false}};
  EXPECT_TRUE(equal(loader.next()->inputs, Tensor<float>({2}, {4, 1})));
  EXPECT_TRUE(equal(loader.next()->inputs, Tensor<float>({2}, {104, 101})));
}

TEST(Subset, IsAugmentedAsTheWholeIs) {
  const auto whole = synthetic_cifar10(1, {.train = 20, .test = 10}).train;
  const Augmented augmented{whole, 3, RandomCrop{.padding = 4}, RandomHorizontalFlip{}};
  const Subset subset{augmented, {9, 4}};
  const auto expected = augmented.batch(std::vector<Index>{9, 4}, 1);
  EXPECT_TRUE(equal(subset.batch(std::vector<Index>{0, 1}, 1).inputs, expected.inputs));
}

TEST(Split, CutsAtTheSharesAndLosesNothing) {
  const auto dataset = numbered(101, kThirds);
  const auto [train, validation, test] = split(dataset, {0.7, 0.2, 0.1}, 5);
  EXPECT_EQ(train.size(), 71);  // 70.7
  EXPECT_EQ(validation.size(), 20);
  EXPECT_EQ(test.size(), 10);
  std::set<Index> all;
  for (const auto* part : {&train, &validation, &test}) all.insert(part->samples().begin(), part->samples().end());
  EXPECT_EQ(all.size(), 101U);
  EXPECT_EQ(split(dataset, {0.7, 0.2, 0.1}, 5)[0].samples(), train.samples());
  EXPECT_NE(split(dataset, {0.7, 0.2, 0.1}, 6)[0].samples(), train.samples());
  EXPECT_EQ(split(dataset, {0.5, 0.25}, 5)[1].size(), 25);  // a quarter is left over
}

TEST(Split, IsRandom) {
  const auto first = split(numbered(10000, kThirds), {0.5, 0.5}, 1)[0];
  const double mean = std::accumulate(first.samples().begin(), first.samples().end(), 0.0) / 5000.0;
  EXPECT_NEAR(mean, 4999.5, 150.0);  // its deviation is 29
}

TEST(Split, StratifiedHasEveryLabelInProportion) {
  const auto dataset = numbered(1000, [](Index i) { return i < 900 ? Index{0} : (i < 980 ? Index{1} : Index{2}); });
  const auto parts = split(dataset, {0.8, 0.2}, 1, {.stratified = true});
  const auto count = [](const auto& part, Index label) {
    return std::count(part.targets().data(), part.targets().data() + part.size(), label);
  };
  EXPECT_EQ(count(parts[0], 0), 720);
  EXPECT_EQ(count(parts[0], 1), 64);
  EXPECT_EQ(count(parts[0], 2), 16);
  EXPECT_EQ(count(parts[1], 0), 180);
  EXPECT_EQ(count(parts[1], 1), 16);
  EXPECT_EQ(count(parts[1], 2), 4);
}

TEST(Split, SaysWhatCannotBe) {
  const auto dataset = numbered(10, kThirds);
  EXPECT_EQ(message_of([&] {
              split(dataset, {0.8, 0.3}, 1);
            }),
            "split: the shares are 1.1 together, expected at most 1");
  EXPECT_EQ(message_of([&] { split(dataset, {-0.1, 0.3}, 1); }), "split: share is -0.1, expected 0 to 1");
  EXPECT_EQ(message_of([&] { split(dataset, {0.99, 0.01}, 1); }), "split: part 1 has no sample: 0.01 of 10");
  EXPECT_EQ(message_of([&] {
              split(Minimal{}, {0.5, 0.5}, 1, {.stratified = true});
            }),
            "split: stratified needs a data set with labels as its targets()");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
