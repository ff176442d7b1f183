// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/loss.hpp>

#include "support/tensors.hpp"

namespace eigengrad::nn {
namespace {

static_assert(Loss<CrossEntropy<float>> && Loss<SoftmaxCrossEntropy<double>>);

const Tensor<Index> kLabels({5}, {0, 3, 1, 3, 2});

TEST(CrossEntropyLoss, Gradcheck) {
  const Tensor<double> probabilities = ops::softmax(testing::random<double>({5, 4}, 1));
  EXPECT_TRUE(gradcheck(CrossEntropy<double>{}, probabilities, kLabels));
}

TEST(SoftmaxCrossEntropyLoss, Gradcheck) {
  EXPECT_TRUE(gradcheck(SoftmaxCrossEntropy<double>{}, testing::random<double>({5, 4}, 1), kLabels));
  EXPECT_TRUE(gradcheck(SoftmaxCrossEntropy<double>{}, testing::random<double>({1, 2}, 1), Tensor<Index>({1}, {1})));
}

TEST(SoftmaxCrossEntropyLoss, BackwardMayBeCalledTwice) {
  SoftmaxCrossEntropy<double> loss;
  loss.forward(testing::random<double>({5, 4}, 1), kLabels);
  const Tensor<double> first = loss.backward();
  EXPECT_TRUE(equal(first, loss.backward()));
}

TEST(SoftmaxCrossEntropyLoss, RefusesBackwardBeforeForward) {
  EXPECT_THROW(SoftmaxCrossEntropy<float>{}.backward(), StateError);
  EXPECT_THROW(CrossEntropy<float>{}.backward(), StateError);
}

TEST(SoftmaxCrossEntropyLoss, AFailedForwardKeepsTheLastOne) {
  SoftmaxCrossEntropy<double> loss;
  loss.forward(testing::random<double>({5, 4}, 1), kLabels);
  const Tensor<double> before = loss.backward();
  EXPECT_THROW(loss.forward(testing::random<double>({5, 3}, 2), kLabels), ValueError);
  EXPECT_TRUE(equal(before, loss.backward()));
}

}  // namespace
}  // namespace eigengrad::nn
