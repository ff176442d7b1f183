// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

namespace eigengrad::data {
namespace {

TEST(Synthetic, HasTheShapeOfCifar10AndAllClasses) {
  const auto [train, test] = synthetic_cifar10(1, {.train = 2000, .test = 500});
  EXPECT_EQ(train.images.shape(), (Shape{2000, 32, 32, 3}));
  EXPECT_EQ(test.images.shape(), (Shape{500, 32, 32, 3}));
  EXPECT_EQ(train.num_classes(), 10);
  std::vector<int> counts(10);
  for (const Index label : train.labels.span()) ++counts.at(static_cast<std::size_t>(label));
  for (const int count : counts) EXPECT_NEAR(count, 200, 60);
  const SyntheticOptions defaults;
  EXPECT_EQ(defaults.train, 50000);
  EXPECT_EQ(defaults.test, 10000);
}

TEST(Synthetic, TheSameSeedDrawsTheSameImages) {
  const SyntheticOptions small{.train = 100, .test = 20};
  const auto a = synthetic_cifar10(5, small);
  set_num_threads(1);
  const auto b = synthetic_cifar10(5, small);
  set_num_threads(0);
  const auto other = synthetic_cifar10(6, small);
  EXPECT_TRUE(equal(a.train.images, b.train.images));
  EXPECT_TRUE(equal(a.test.labels, b.test.labels));
  EXPECT_FALSE(equal(a.train.images, other.train.images));
  EXPECT_THROW(synthetic_cifar10(1, {.train = 0}), ValueError);
}

double trained_accuracy(nn::Sequential<>& net) {
  auto [train, test] = synthetic_cifar10(1, {.train = 8000, .test = 1000});
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.02, .momentum = 0.9}};
  nn::SoftmaxCrossEntropy loss;
  for (const auto& [images, labels] : Loader{train, {.batch_size = 100, .epochs = 6}}) {
    loss.forward(net.forward(images), labels);
    net.backward_parameters(loss.backward());
    sgd.step();
  }
  return train::accuracy(net, test);
}

TEST(Synthetic, AnMlpIsClearlyBetterThanALinearModel) {
  manual_seed(1);
  nn::Sequential linear{nn::Flatten{}, nn::Linear{3072, 10}};
  nn::Sequential mlp{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 10}};
  const double linear_accuracy = trained_accuracy(linear);
  const double mlp_accuracy = trained_accuracy(mlp);
  EXPECT_GT(mlp_accuracy, 0.5);
  EXPECT_GT(mlp_accuracy, linear_accuracy + 0.2);
}

}  // namespace
}  // namespace eigengrad::data
