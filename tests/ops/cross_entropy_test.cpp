// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/cross_entropy.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::cross_entropy_test {
namespace {

using testing::difference;
using testing::message_of;
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
    const auto [loss, probabilities] = softmax_cross_entropy(logits, kLabels, {.label_smoothing = smoothing});
    EXPECT_NEAR(loss, expected, 1e-14) << smoothing;
    EXPECT_LT(difference(softmax_cross_entropy_backward(probabilities, kLabels, {.label_smoothing = smoothing}), dx),
              1e-14)
        << smoothing;
  }
}

TEST(SoftmaxCrossEntropy, WithLabelSmoothingIsStableForLargeLogits) {
  const Tensor<float> logits({1, 4}, {1e30F, -1e30F, 0, 1e30F});
  // The mean of x - max is -0.75e30 and that of the true class 0.
  EXPECT_FLOAT_EQ(softmax_cross_entropy(logits, Tensor<Index>({1}, {0}), {.label_smoothing = 0.1}).loss, 0.075e30F);
}

/// 1 at the label and 0 elsewhere.
Tensor<double> one_hot(const Tensor<Index>& labels, Index classes) {
  Tensor<double> result = Tensor<double>::zeros({labels.numel(), classes});
  for (Index n = 0; n < labels.numel(); ++n) result.mutable_matrix()(n, labels(n)) = 1.0;
  return result;
}

// L = -1/N sum_n sum_c t_nc log p_nc, dx_nc = (sum_j t_nj p_nc - t_nc) / N.
TEST(SoftmaxCrossEntropy, WithClassProbabilitiesMatchesLoops) {
  const auto logits = random<double>({4, 3}, 5);
  const Tensor<double> p = softmax(logits);
  const Tensor<double> targets({4, 3}, {0.2, 0.3, 0.5, 0, 1, 0, 0.1, 0.1, 0.1, 0, 0, 0});
  double expected = 0.0;
  Tensor<double> dx({4, 3});
  for (Index n = 0; n < 4; ++n) {
    for (Index c = 0; c < 3; ++c) {
      expected -= targets(n, c) * std::log(p(n, c)) / 4.0;
      dx.mutable_matrix()(n, c) = ((targets(n, 0) + targets(n, 1) + targets(n, 2)) * p(n, c) - targets(n, c)) / 4.0;
    }
  }
  const auto [loss, probabilities] = softmax_cross_entropy(logits, targets);
  EXPECT_NEAR(loss, expected, 1e-14);
  EXPECT_LT(difference(probabilities, p), 1e-15);
  EXPECT_LT(difference(softmax_cross_entropy_backward(probabilities, targets), dx), 1e-14);
}

TEST(SoftmaxCrossEntropy, WithClassProbabilitiesOfZeroAndOneIsThatWithLabels) {
  const auto logits = random<double>({4, 3}, 5);
  const Tensor<double> targets = one_hot(kLabels, 3);
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    const auto [loss, p] = softmax_cross_entropy(logits, targets, {.label_smoothing = smoothing});
    EXPECT_NEAR(loss, softmax_cross_entropy(logits, kLabels, {.label_smoothing = smoothing}).loss, 1e-14);
    EXPECT_LT(difference(softmax_cross_entropy_backward(p, targets, {.label_smoothing = smoothing}),
                         softmax_cross_entropy_backward(p, kLabels, {.label_smoothing = smoothing})),
              1e-14);
  }
}

TEST(SoftmaxCrossEntropy, WithClassProbabilitiesIsStableForLargeLogits) {
  const Tensor<float> logits({2, 3}, {1e30F, -1e30F, 0, 1e4F, -1e4F, 0});
  const Tensor<float> targets({2, 3}, {1, 0, 0, 0.5F, 0.25F, 0.25F});
  EXPECT_FLOAT_EQ(softmax_cross_entropy(logits, targets).loss, (0.25F * 2e4F + 0.25F * 1e4F) / 2.0F);
  // A class without a share adds nothing, however impossible it is.
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_FLOAT_EQ(softmax_cross_entropy(Tensor<float>({1, 2}, {0, -infinity}), Tensor<float>({1, 2}, {1, 0})).loss, 0);
}

TEST(SoftmaxCrossEntropy, RefusesClassProbabilitiesThatDoNotFit) {
  const auto logits = random<float>({4, 3}, 1);
  EXPECT_THROW(softmax_cross_entropy(logits, Tensor<float>::zeros({4, 2})), ShapeError);
  EXPECT_THROW(softmax_cross_entropy_backward(logits, Tensor<float>::zeros({4})), ShapeError);
  EXPECT_THROW(softmax_cross_entropy(Tensor<float>({0, 3}), Tensor<float>({0, 3})), ShapeError);
  EXPECT_THROW(softmax_cross_entropy(logits, Tensor<float>::zeros({4, 3}), {.label_smoothing = 1.5}), ValueError);
  for (const float wrong : {-0.1F, 1.1F, std::nanf("")}) {
    Tensor<float> targets = Tensor<float>::zeros({4, 3});
    targets.mutable_data()[7] = wrong;
    EXPECT_THROW(softmax_cross_entropy(logits, targets), ValueError);
  }
  try {
    softmax_cross_entropy(Tensor<float>({1, 2}, {1, 2}), Tensor<float>({1, 2}, {0, 2}));
    FAIL();
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "softmax_cross_entropy: target 2 of class 1 in row 0, expected 0 to 1");
  }
}

TEST(SoftmaxCrossEntropy, RefusesALabelSmoothingOutOfRange) {
  const auto logits = random<float>({4, 3}, 1);
  for (const double smoothing : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THROW(softmax_cross_entropy(logits, kLabels, {.label_smoothing = smoothing}), ValueError);
    EXPECT_THROW(softmax_cross_entropy_backward(logits, kLabels, {.label_smoothing = smoothing}), ValueError);
  }
}

/// With weights, smoothing and an ignored label, from the definition.
double definition(const Tensor<double>& logits, const Tensor<Index>& labels,
                  const SoftmaxCrossEntropyOptions& options) {
  const Tensor<double> p = softmax(logits);
  const Index classes = logits.size(1);
  const auto weight = [&](Index c) {
    return options.weight.empty() ? 1.0 : options.weight[static_cast<std::size_t>(c)];
  };
  double sum = 0.0, total = 0.0;
  for (Index n = 0; n < labels.numel(); ++n) {
    const Index label = labels(n);
    if (label == options.ignore_index) continue;
    sum -= (1.0 - options.label_smoothing) * weight(label) * std::log(p(n, label));
    for (Index c = 0; c < classes; ++c)
      sum -= options.label_smoothing / static_cast<double>(classes) * weight(c) * std::log(p(n, c));
    total += weight(label);
  }
  return sum / total;
}

TEST(SoftmaxCrossEntropy, WithWeightsAndAnIgnoredLabelFollowsTheDefinition) {
  const auto logits = random<double>({6, 3}, 6);
  const std::vector<double> weight{0.5, 2.0, 0.0};
  for (const SoftmaxCrossEntropyOptions& options : {SoftmaxCrossEntropyOptions{.weight = weight},
                                                    {.ignore_index = 1},
                                                    {.ignore_index = -100},
                                                    {.weight = weight, .ignore_index = -100},
                                                    {.label_smoothing = 0.3, .weight = weight, .ignore_index = -100},
                                                    {.label_smoothing = 1.0, .weight = weight}}) {
    const Index other = options.ignore_index.value_or(0);
    const Tensor<Index> labels({6}, {0, 1, other, 2, 1, other});
    const auto loss = [&](const Tensor<double>& x) { return definition(x, labels, options); };
    const auto [value, probabilities] = softmax_cross_entropy(logits, labels, options);
    EXPECT_NEAR(value, loss(logits), 1e-14);
    const Tensor<double> dx = softmax_cross_entropy_backward(probabilities, labels, options);
    for (Index i = 0; i < logits.numel(); ++i) {
      Tensor<double> up = logits, down = logits;
      up.mutable_data()[i] += 1e-6;
      down.mutable_data()[i] -= 1e-6;
      EXPECT_NEAR(dx.data()[i], (loss(up) - loss(down)) / 2e-6, 1e-9) << i;
    }
  }
}

TEST(SoftmaxCrossEntropy, TakesNothingFromAnIgnoredRow) {
  const Tensor<float> logits({2, 2}, {1, 2, std::nanf(""), std::numeric_limits<float>::infinity()});
  const Tensor<Index> labels({2}, {0, -1});
  const auto [loss, probabilities] = softmax_cross_entropy(logits, labels, {.ignore_index = -1});
  EXPECT_FLOAT_EQ(loss, 1.3132617F);
  const auto dx = softmax_cross_entropy_backward(probabilities, labels, {.ignore_index = -1});
  EXPECT_EQ(dx(1, 0), 0.0F);
  EXPECT_EQ(dx(1, 1), 0.0F);
}

TEST(SoftmaxCrossEntropy, RefusesWeightsThatDoNotFit) {
  const auto logits = random<float>({4, 3}, 1);
  const auto problem = [&](const SoftmaxCrossEntropyOptions& options) {
    return message_of([&] { softmax_cross_entropy(logits, kLabels, options); });
  };
  EXPECT_EQ(problem({.weight = {1.0, 2.0}}),
            "softmax_cross_entropy: weight has 2 numbers, expected 3: one for each class; input shape (4, 3)");
  EXPECT_NE(problem({.weight = {1.0, -2.0, 1.0}}).find("weight of class 1 is -2"), std::string::npos);
  EXPECT_NE(problem({.weight = {1.0, testing::kNaN, 1.0}}).find("weight of class 1 is nan"), std::string::npos);
  EXPECT_EQ(problem({.weight = {0.0, 0.0, 0.0}}),
            "softmax_cross_entropy: no row counts: all labels are ignore_index or of weight 0");
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
