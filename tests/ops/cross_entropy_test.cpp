// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/cross_entropy.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::cross_entropy_test {
namespace {

using testing::difference;
using testing::random;

const Tensor<Index> kLabels({4}, {2, 0, 1, 2});

TEST(CrossEntropy, IsTheMeanOfTheLogarithms) {
  const auto x = softmax(random<double>({4, 3}, 1));
  const double expected = -(std::log(x(0, 2)) + std::log(x(1, 0)) + std::log(x(2, 1)) + std::log(x(3, 2))) / 4.0;
  EXPECT_NEAR(cross_entropy(x, kLabels), expected, 1e-15);
}

TEST(CrossEntropy, AnImpossibleTrueClassIsInfinitelyBad) {
  const Tensor<float> x({1, 2}, {1, 0});
  EXPECT_EQ(cross_entropy(x, Tensor<Index>({1}, {1})), std::numeric_limits<float>::infinity());
}

TEST(CrossEntropy, BackwardMatchesDefinition) {
  const auto x = softmax(random<double>({4, 3}, 1));
  Tensor<double> expected = Tensor<double>::zeros({4, 3});
  for (Index n = 0; n < 4; ++n) expected.mutable_matrix()(n, kLabels(n)) = -1.0 / (4.0 * x(n, kLabels(n)));
  EXPECT_LT(difference(cross_entropy_backward(x, kLabels), expected), 1e-15);
}

TEST(SoftmaxCrossEntropy, EqualsSoftmaxThenCrossEntropy) {
  const auto logits = random<double>({4, 3}, 5);
  const Tensor<double> x = softmax(logits);
  const auto [loss, probabilities] = softmax_cross_entropy(logits, kLabels);
  EXPECT_NEAR(loss, cross_entropy(x, kLabels), 1e-15);
  EXPECT_LT(difference(probabilities, x), 1e-15);
  EXPECT_LT(difference(softmax_cross_entropy_backward(probabilities, kLabels),
                       softmax_backward(cross_entropy_backward(x, kLabels), x)),
            1e-14);
}

TEST(SoftmaxCrossEntropy, IsStableForLargeLogits) {
  for (const float size : {1e2F, 1e4F, 1e30F}) {
    const Tensor<float> logits({2, 3}, {size, -size, 0, -size, 0, size});
    const auto [right, probabilities] = softmax_cross_entropy(logits, Tensor<Index>({2}, {0, 2}));
    EXPECT_EQ(right, 0.0F);
    const Tensor<Index> wrong_labels({2}, {1, 0});
    const auto [wrong, same] = softmax_cross_entropy(logits, wrong_labels);
    EXPECT_FLOAT_EQ(wrong, 2.0F * size);
    const Tensor<float> dx = softmax_cross_entropy_backward(same, wrong_labels);
    EXPECT_LT(difference(dx, Tensor<float>({2, 3}, {0.5F, -0.5F, 0, -0.5F, 0, 0.5F})), 1e-37) << size;
  }
}

// L = -1/N sum_n sum_c t_nc log p_nc with t_nc = (1 - e) [c = t_n] + e / C.
TEST(SoftmaxCrossEntropy, WithLabelSmoothingHasAMixedTarget) {
  const auto logits = random<double>({4, 3}, 5);
  const Tensor<double> p = softmax(logits);
  for (const double smoothing : {0.1, 0.7, 1.0}) {
    double expected = 0.0;
    Tensor<double> dx({4, 3});
    for (Index n = 0; n < 4; ++n) {
      for (Index c = 0; c < 3; ++c) {
        const double target = (c == kLabels(n) ? 1.0 - smoothing : 0.0) + smoothing / 3.0;
        expected -= target * std::log(p(n, c)) / 4.0;
        dx.mutable_matrix()(n, c) = (p(n, c) - target) / 4.0;
      }
    }
    const auto [loss, probabilities] = softmax_cross_entropy(logits, kLabels, smoothing);
    EXPECT_NEAR(loss, expected, 1e-14) << smoothing;
    EXPECT_LT(difference(softmax_cross_entropy_backward(probabilities, kLabels, smoothing), dx), 1e-14) << smoothing;
  }
}

TEST(SoftmaxCrossEntropy, WithLabelSmoothingIsStableForLargeLogits) {
  const Tensor<float> logits({1, 4}, {1e30F, -1e30F, 0, 1e30F});
  // The mean of x - max is -0.75e30 and that of the true class 0.
  EXPECT_FLOAT_EQ(softmax_cross_entropy(logits, Tensor<Index>({1}, {0}), 0.1).loss, 0.075e30F);
}

TEST(SoftmaxCrossEntropy, RefusesALabelSmoothingOutOfRange) {
  const auto logits = random<float>({4, 3}, 1);
  for (const double smoothing : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THROW(softmax_cross_entropy(logits, kLabels, smoothing), ValueError);
    EXPECT_THROW(softmax_cross_entropy_backward(logits, kLabels, smoothing), ValueError);
  }
}

TEST(SoftmaxCrossEntropy, RefusesLabelsThatDoNotFit) {
  const auto logits = random<float>({4, 3}, 1);
  EXPECT_THROW(softmax_cross_entropy(logits, Tensor<Index>({3}, {0, 1, 2})), ShapeError);
  EXPECT_THROW(softmax_cross_entropy(logits, Tensor<Index>({4}, {0, 1, 2, 3})), ValueError);
  EXPECT_THROW(cross_entropy(logits, Tensor<Index>({4}, {0, -1, 2, 0})), ValueError);
  EXPECT_THROW(softmax_cross_entropy(Tensor<float>({0, 3}), Tensor<Index>({0})), ShapeError);
  try {
    softmax_cross_entropy(logits, Tensor<Index>({4}, {0, 1, 7, 0}));
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "softmax_cross_entropy: label 7 of row 2, expected 0 to 2");
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::cross_entropy_test
