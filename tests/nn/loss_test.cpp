// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <concepts>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/loss.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Loss<CrossEntropy<float>> && Loss<SoftmaxCrossEntropy<double>>);
static_assert(Loss<SoftmaxCrossEntropy<float>, Tensor<float>> && !Loss<SoftmaxCrossEntropy<float>, Tensor<double>>);
static_assert(Loss<MSELoss<float>, Tensor<float>> && !Loss<MSELoss<float>, Tensor<double>>);
static_assert(std::same_as<decltype(SoftmaxCrossEntropy{{.label_smoothing = 0.1}}), SoftmaxCrossEntropy<float>>);

const Tensor<Index> kLabels({5}, {0, 3, 1, 3, 2});

TEST(CrossEntropyLoss, Gradcheck) {
  const Tensor<double> probabilities = ops::softmax(testing::random<double>({5, 4}, 1));
  EXPECT_TRUE(gradcheck(CrossEntropy<double>{}, probabilities, kLabels));
}

TEST(SoftmaxCrossEntropyLoss, Gradcheck) {
  EXPECT_TRUE(gradcheck(SoftmaxCrossEntropy<double>{}, testing::random<double>({5, 4}, 1), kLabels));
  EXPECT_TRUE(gradcheck(SoftmaxCrossEntropy<double>{}, testing::random<double>({1, 2}, 1), Tensor<Index>({1}, {1})));
  for (const double smoothing : {0.1, 1.0}) {
    const SoftmaxCrossEntropy<double> loss{{.label_smoothing = smoothing}};
    EXPECT_TRUE(gradcheck(loss, testing::random<double>({5, 4}, 1), kLabels)) << smoothing;
  }
}

TEST(MSELossLoss, Gradcheck) {
  EXPECT_TRUE(gradcheck(MSELoss<double>{}, testing::random<double>({5, 4}, 1), testing::random<double>({5, 4}, 2)));
  EXPECT_TRUE(gradcheck(MSELoss<double>{}, testing::random<double>({1}, 1), testing::random<double>({1}, 2)));
}

template <class T, class Target, class L>
void expect_loss_case(const std::string& name, L loss, double tolerance) {
  const testing::Golden golden("losses");
  const T value = loss.forward(golden[name + ".x"].cast<T>(), golden[name + ".target"].cast<Target>());
  EXPECT_NEAR(static_cast<double>(value), golden[name + ".loss"].item(), tolerance) << name;
  EXPECT_LT(testing::difference(loss.backward(), golden[name + ".dx"].cast<T>()), tolerance) << name;
}

TEST(MSELossLoss, MatchesPyTorch) {
  for (const char* name : {"mse", "mse_one"}) {
    expect_loss_case<double, double>(name, MSELoss<double>{}, 1e-10);
    expect_loss_case<float, float>(name, MSELoss<float>{}, 1e-5);
  }
}

TEST(SoftmaxCrossEntropyLoss, MatchesPyTorch) {
  for (const auto& [name, smoothing] :
       {std::pair{"smoothing_0.0", 0.0}, {"smoothing_0.1", 0.1}, {"smoothing_1.0", 1.0}}) {
    expect_loss_case<double, Index>(name, SoftmaxCrossEntropy<double>{{.label_smoothing = smoothing}}, 1e-10);
    expect_loss_case<float, Index>(name, SoftmaxCrossEntropy<float>{{.label_smoothing = smoothing}}, 1e-5);
  }
  expect_loss_case<double, Index>("smoothing_0.0", SoftmaxCrossEntropy<double>{}, 1e-10);
  const std::vector<double> weight{0.5, 2.0, 1.0, 0.0, 3.0};
  for (const auto& [name, options] : std::vector<std::pair<const char*, SoftmaxCrossEntropyOptions>>{
           {"weight", {.weight = weight}},
           {"ignore", {.ignore_index = -100}},
           {"all", {.label_smoothing = 0.3, .weight = weight, .ignore_index = -100}}}) {
    expect_loss_case<double, Index>(name, SoftmaxCrossEntropy<double>{options}, 1e-10);
    expect_loss_case<float, Index>(name, SoftmaxCrossEntropy<float>{options}, 1e-5);
  }
}

TEST(SoftmaxCrossEntropyLoss, LooksAtTheTargetsAsItsOptionsSay) {
  const SoftmaxCrossEntropy<float> loss{{.weight = {1, 2}, .ignore_index = -1}};
  const Tensor<Index> labels({3}, {0, -1, 1});
  EXPECT_NO_THROW(loss.check_target({3, 2}, labels));
  EXPECT_EQ(loss.weight_of({3, 2}, labels), 3.0);
  EXPECT_THROW(loss.check_target({3, 2}, Tensor<Index>({3}, {0, -2, 1})), ValueError);
  EXPECT_THROW(loss.check_target({3, 3}, labels), ValueError);
  EXPECT_THROW(loss.check_target({1, 2}, Tensor<Index>({1}, {-1})), ValueError);
  EXPECT_THROW((SoftmaxCrossEntropy<float>{{.weight = {1, -2}}}), ValueError);
}

TEST(SoftmaxCrossEntropyLoss, WithClassProbabilitiesMatchesPyTorch) {
  for (const auto& [name, smoothing] :
       {std::pair{"probabilities_0.0", 0.0}, {"probabilities_0.1", 0.1}, {"probabilities_1.0", 1.0}, {"shares", 0.0}}) {
    expect_loss_case<double, double>(name, SoftmaxCrossEntropy<double>{{.label_smoothing = smoothing}}, 1e-10);
    expect_loss_case<float, float>(name, SoftmaxCrossEntropy<float>{{.label_smoothing = smoothing}}, 1e-5);
  }
  const SoftmaxCrossEntropyOptions weighted{.label_smoothing = 0.3, .weight = {0.5, 2.0, 1.0, 0.0, 3.0}};
  expect_loss_case<double, double>("weighted_shares", SoftmaxCrossEntropy<double>{weighted}, 1e-10);
  EXPECT_THROW(SoftmaxCrossEntropy<float>{{.ignore_index = 0}}.check_target({1, 2}, Tensor<float>({1, 2}, {0, 1})),
               ValueError);
}

TEST(SoftmaxCrossEntropyLoss, WithClassProbabilitiesGradcheck) {
  const Tensor<double> targets = ops::softmax(testing::random<double>({5, 4}, 2));
  Tensor<double> shares = targets;  // of the sum 1/2
  shares.mutable_array() *= 0.5;
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    const SoftmaxCrossEntropy<double> loss{{.label_smoothing = smoothing}};
    EXPECT_TRUE(gradcheck(loss, testing::random<double>({5, 4}, 1), targets)) << smoothing;
    EXPECT_TRUE(gradcheck(loss, testing::random<double>({5, 4}, 1), shares)) << smoothing;
  }
}

TEST(SoftmaxCrossEntropyLoss, TakesLabelsAndProbabilitiesInTurn) {
  const auto x = testing::random<double>({5, 4}, 1);
  const Tensor<double> targets = ops::softmax(testing::random<double>({5, 4}, 2));
  SoftmaxCrossEntropy<double> labels_alone, probabilities_alone, both;
  labels_alone.forward(x, kLabels);
  probabilities_alone.forward(x, targets);
  both.forward(x, kLabels);
  both.forward(x, targets);
  EXPECT_TRUE(equal(both.backward(), probabilities_alone.backward()));
  both.forward(x, kLabels);
  EXPECT_TRUE(equal(both.backward(), labels_alone.backward()));
}

TEST(SoftmaxCrossEntropyLoss, ChecksClassProbabilitiesBeforeTraining) {
  const SoftmaxCrossEntropy<float> loss;
  EXPECT_NO_THROW(loss.check_target({2, 2}, Tensor<float>({2, 2}, {0, 1, 0.5F, 0.5F})));
  EXPECT_THROW(loss.check_target({2, 3}, Tensor<float>::ones({2, 2})), ShapeError);
  EXPECT_THROW(loss.check_target({1, 2}, Tensor<float>({1, 2}, {1.5F, 0})), ValueError);
}

TEST(SoftmaxCrossEntropyLoss, RefusesALabelSmoothingOutOfRange) {
  for (const double smoothing : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THROW((SoftmaxCrossEntropy<float>{{.label_smoothing = smoothing}}), ValueError);
  }
}

TEST(MSELossLoss, ChecksTheShapeOfTargetsBeforeTraining) {
  const MSELoss<float> loss;
  EXPECT_NO_THROW(loss.check_target({2, 3}, Tensor<float>::ones({2, 3})));
  EXPECT_THROW(loss.check_target({2, 3}, Tensor<float>::ones({3, 2})), ShapeError);
  EXPECT_THROW(loss.check_target({2, 3}, Tensor<float>::ones({2})), ShapeError);
}

TEST(MSELossLoss, BackwardMayBeCalledTwiceAndAFailedForwardKeepsTheLastOne) {
  MSELoss<double> loss;
  EXPECT_THROW(loss.backward(), StateError);
  const auto x = testing::random<double>({5, 4}, 1);
  loss.forward(x, Tensor<double>::zeros({5, 4}));
  const Tensor<double> first = loss.backward();
  EXPECT_THROW(loss.forward(x, Tensor<double>::zeros({5, 3})), ShapeError);
  EXPECT_TRUE(equal(loss.backward(), first));
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
}  // namespace eigengrad::EIGENGRAD_ISA::nn
