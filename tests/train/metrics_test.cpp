// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/ops/slice.hpp>
#include <eigengrad/train/confusion_matrix.hpp>
#include <eigengrad/train/evaluate.hpp>
#include <eigengrad/train/metrics.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::train {
namespace {

using testing::message_of;

using Labels = Tensor<Index>;
static_assert(Metric<Accuracy, Tensor<float>, Labels> && Metric<TopKAccuracy, Tensor<float>, Labels>);
static_assert(Metric<ConfusionMatrix, Tensor<float>, Labels>);
static_assert(Metric<MAE, Tensor<float>, Tensor<float>> && Metric<RMSE, Tensor<double>, Tensor<double>>);
static_assert(Metric<R2, Tensor<double>, Tensor<double>>);
static_assert(Metric<MeanLoss<nn::MSELoss<float>>, Tensor<float>, Tensor<float>>);
static_assert(!Metric<Accuracy, Tensor<float>, Tensor<float>>);

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
const Tensor<float> kScores({4, 3}, {0.1F, 0.7F, 0.2F, 0.5F, 0.5F, 0.0F, -1, -2, -3, 9, 8, 7});
const Labels kLabels({4}, {1, 1, 2, 0});  // right; second of equals; the worst; right

template <class M, class Targets, class Outputs>
double value_of(M metric, const Outputs& outputs, const Targets& targets) {
  metric.update(outputs, targets);
  return metric.value();
}

TEST(Metrics, AreAsTheyAreDefined) {
  EXPECT_EQ(value_of(Accuracy(), kScores, kLabels), 0.5);
  EXPECT_EQ(value_of(TopKAccuracy(1), kScores, kLabels), 0.5);
  EXPECT_EQ(value_of(TopKAccuracy(2), kScores, kLabels), 0.75);
  EXPECT_EQ(value_of(TopKAccuracy(3), kScores, kLabels), 1.0);
  EXPECT_EQ(value_of(TopKAccuracy(30), kScores, kLabels), 1.0);
  // The examples in the documentation of scikit-learn.
  const Tensor<double> y({4}, {2.5, 0.0, 2.0, 8.0}), t({4}, {3.0, -0.5, 2.0, 7.0});
  EXPECT_DOUBLE_EQ(value_of(MAE(), y, t), 0.5);
  EXPECT_DOUBLE_EQ(value_of(RMSE(), y, t), std::sqrt(0.375));
  EXPECT_NEAR(value_of(R2(), y, t), 0.9486081370449679, 1e-15);
  const Tensor<double> ys({3, 2}, {0, 2, -1, 2, 8, -5}), ts({3, 2}, {0.5, 1, -1, 1, 7, -6});
  EXPECT_NEAR(value_of(R2(), ys, ts), 0.9368005266622779, 1e-15);
  EXPECT_EQ(value_of(R2(), Tensor<double>::ones({3}), Tensor<double>::ones({3})), 1.0);
  EXPECT_EQ(value_of(R2(), Tensor<double>::zeros({3}), Tensor<double>::ones({3})), 0.0);
}

TEST(Metrics, OfNothingAreNotANumber) {
  EXPECT_TRUE(std::isnan(Accuracy().value()) && std::isnan(TopKAccuracy(2).value()) && std::isnan(MAE().value()));
  EXPECT_TRUE(std::isnan(RMSE().value()) && std::isnan(R2().value()) && std::isnan(ConfusionMatrix(2).value()));
  EXPECT_TRUE(std::isnan(MeanLoss(nn::MSELoss<float>()).value()));
  EXPECT_TRUE(std::isnan(value_of(Accuracy(), Tensor<float>(Shape{0, 3}), Labels::zeros({0}))));
}

TEST(Metrics, AScoreThatIsNotANumberIsNoHit) {
  EXPECT_EQ(value_of(TopKAccuracy(1), Tensor<float>({2, 2}, {kNaN, 0.0F, kNaN, 0.0F}), Labels({2}, {0, 1})), 0.0);
}

/// Batches of several sizes, the metric's value over them.
template <class M, class Outputs, class Targets>
void expect_does_not_depend_on_batches(const M& metric, const Outputs& outputs, const Targets& targets,
                                       double tolerance) {
  const double whole = value_of(metric, outputs, targets);
  for (const Index size : {1, 3, 7}) {
    M parts = metric;
    for (Index begin = 0; begin < outputs.size(0); begin += size) {
      const Index end = std::min(begin + size, outputs.size(0));
      parts.update(slice(outputs, 0, begin, end), slice(targets, 0, begin, end));
    }
    EXPECT_NEAR(parts.value(), whole, tolerance) << metric.name() << " in batches of " << size;
  }
}

TEST(Metrics, DoNotDependOnTheBatches) {
  Rng rng(1);
  const auto scores = Tensor<float>::randn({50, 4}, rng);
  const auto labels = Labels::generate({50}, [&] { return rng.below(4); });
  for (const Index k : {1, 2}) expect_does_not_depend_on_batches(TopKAccuracy(k), scores, labels, 0.0);
  expect_does_not_depend_on_batches(Accuracy(), scores, labels, 0.0);
  expect_does_not_depend_on_batches(ConfusionMatrix(4), scores, labels, 0.0);
  expect_does_not_depend_on_batches(MeanLoss(nn::SoftmaxCrossEntropy<float>()), scores, labels, 1e-6);
  // A mean far from 0 in float: the squares of the targets would cancel.
  const auto targets = Tensor<float>::randn({50, 4}, rng) + 1000.0F;
  const auto outputs = targets + Tensor<float>::randn({50, 4}, rng) * 0.1F;
  expect_does_not_depend_on_batches(MAE(), outputs, targets, 1e-12);
  expect_does_not_depend_on_batches(RMSE(), outputs, targets, 1e-12);
  expect_does_not_depend_on_batches(R2(), outputs, targets, 1e-9);
  EXPECT_NEAR(value_of(R2(), outputs, targets), 0.99, 0.01);
}

TEST(Metrics, AreMeasuredInOnePass) {
  Rng rng(2);
  const auto inputs = Tensor<float>::randn({1100, 6}, rng);
  const auto labels = Labels::generate({1100}, [&] { return rng.below(3); });
  const data::TensorDataset dataset{inputs, labels};
  nn::Sequential net{nn::Linear{6, 3}};
  Accuracy accuracy;
  TopKAccuracy top2{2};
  ConfusionMatrix confusion{{"cat", "dog", "eel"}};
  measure(net, dataset, accuracy, top2, confusion);
  const auto outputs = net.predict(inputs);
  EXPECT_EQ(accuracy.value(), value_of(Accuracy(), outputs, labels));
  EXPECT_EQ(top2.value(), value_of(TopKAccuracy(2), outputs, labels));
  EXPECT_EQ(confusion.value(), accuracy.value());
  EXPECT_EQ(evaluate(net, nn::SoftmaxCrossEntropy{}, dataset).accuracy, accuracy.value());
  EXPECT_EQ(train::accuracy(net, dataset), accuracy.value());
  EXPECT_EQ(to_table(accuracy, top2), "accuracy        " + to_significant(accuracy.value()) + "\ntop-2 accuracy  " +
                                          to_significant(top2.value()) + "\n");
  EXPECT_EQ(message_of([&] {
              measure(net, data::TensorDataset{Tensor<float>(Shape{0, 6}), Labels::zeros({0})}, top2);
            }),
            "measure: the data set has no samples");
}

TEST(Metrics, SayWhatDoesNotFit) {
  EXPECT_EQ(message_of([] { TopKAccuracy{0}; }), "TopKAccuracy: k is 0, expected more than 0");
  EXPECT_EQ(message_of([] {
              value_of(MAE(), Tensor<float>::ones({4, 1}), Tensor<float>::ones({4}));
            }),
            "MAE: targets has shape (4,), expected (4, 1)");
  EXPECT_EQ(message_of([] {
              R2 r2;
              r2.update(Tensor<float>::ones({4, 2}), Tensor<float>::ones({4, 2}));
              r2.update(Tensor<float>::ones({4, 3}), Tensor<float>::ones({4, 3}));
            }),
            "R2: rows of 3 numbers, expected 2 as before");
  EXPECT_EQ(message_of([] { value_of(ConfusionMatrix(2), kScores, kLabels); }),
            "ConfusionMatrix: outputs of 3 classes, expected 2; output shape (4, 3)");
  EXPECT_EQ(message_of([] {
              value_of(ConfusionMatrix(3), kScores, Labels({4}, {0, 1, 2, 3}));
            }),
            "ConfusionMatrix: label 3, expected 0 to 2");
  EXPECT_EQ(message_of([] { ConfusionMatrix{0}; }), "ConfusionMatrix: number of classes is 0, expected more than 0");
}

ConfusionMatrix example() {
  // Classes: 2 cats (one taken for a dog), 3 dogs (all right), no eel (and nothing is taken for one).
  ConfusionMatrix confusion{{"cat", "dog", "eel & co"}};
  Tensor<float> outputs = Tensor<float>::zeros({5, 3});
  const std::vector<Index> said{0, 1, 1, 1, 1};
  for (Index i = 0; i < 5; ++i) outputs.mutable_at(i, said[static_cast<std::size_t>(i)]) = 1.0F;
  confusion.update(outputs, Labels({5}, {0, 0, 1, 1, 1}));
  return confusion;
}

TEST(ConfusionMatrix, CountsAndShares) {
  const ConfusionMatrix confusion = example();
  EXPECT_TRUE(equal(confusion.counts(), Labels({3, 3}, {1, 1, 0, 0, 3, 0, 0, 0, 0})));
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 0.8);
  EXPECT_DOUBLE_EQ(confusion.precision(0), 1.0);
  EXPECT_DOUBLE_EQ(confusion.recall(0), 0.5);
  EXPECT_DOUBLE_EQ(confusion.f1(0), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(confusion.precision(1), 0.75);
  EXPECT_DOUBLE_EQ(confusion.recall(1), 1.0);
  EXPECT_DOUBLE_EQ(confusion.f1(1), 6.0 / 7.0);
  EXPECT_TRUE(std::isnan(confusion.f1(2)) && std::isnan(confusion.precision(2)) && std::isnan(confusion.recall(2)));
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), (2.0 / 3.0 + 6.0 / 7.0) / 2.0);
}

TEST(ConfusionMatrix, IsATable) {
  EXPECT_EQ(example().to_string(),
            "accuracy 0.8000 (4 of 5)\n"
            "\n"
            "confusion matrix: a row for each class, a column for what the network says\n"
            "          0  1  2\n"
            "cat       1  1  0\n"
            "dog       0  3  0\n"
            "eel & co  0  0  0\n"
            "\n"
            "          precision  recall      F1\n"
            "cat          1.0000  0.5000  0.6667\n"
            "dog          0.7500  1.0000  0.8571\n"
            "eel & co          -       -       -\n");
}

TEST(ConfusionMatrix, IsAPicture) {
  const std::string svg = example().to_svg();
  EXPECT_TRUE(svg.starts_with("<svg xmlns=")) << svg;
  EXPECT_TRUE(svg.ends_with("</svg>\n")) << svg;
  EXPECT_EQ(std::count(svg.begin(), svg.end(), '<'), std::count(svg.begin(), svg.end(), '>'));
  std::size_t cells = 0;
  for (std::size_t at = svg.find("fill-opacity"); at != std::string::npos; at = svg.find("fill-opacity", at + 1))
    ++cells;
  EXPECT_EQ(cells, 9U);
  EXPECT_NE(svg.find("eel &amp; co"), std::string::npos);
  EXPECT_NE(svg.find("fill-opacity=\"0.500\""), std::string::npos);
}

// A label that the loss ignores: the loss of the data set is the mean over what counts, whatever the batches.
TEST(Metrics, LeaveOutAnIgnoredLabel) {
  const Tensor<float> outputs({4, 2}, {3, 1, 0, 2, 5, 4, 1, 2});
  const Tensor<Index> labels({4}, {0, 0, -1, 1});
  Accuracy accuracy{{.ignore_index = -1}};
  TopKAccuracy top1{1, {.ignore_index = -1}};
  ConfusionMatrix confusion{2, {.ignore_index = -1}};
  accuracy.update(outputs, labels);
  top1.update(outputs, labels);
  confusion.update(outputs, labels);
  EXPECT_DOUBLE_EQ(accuracy.value(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(top1.value(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(confusion.value(), 2.0 / 3.0);

  const nn::SoftmaxCrossEntropy<float> loss{{.weight = {1.0, 4.0}, .ignore_index = -1}};
  const data::TensorDataset set{outputs, labels};
  nn::Sequential<> nothing;
  for (const Index batch_size : {1, 2, 3, 4}) {  // of 1: a batch in which nothing counts
    const auto [value, share] = evaluate(nothing, loss, set, batch_size);
    auto whole = loss;
    EXPECT_NEAR(value, static_cast<double>(whole.forward(outputs, labels)), 1e-6) << batch_size;
    EXPECT_DOUBLE_EQ(share, 2.0 / 3.0) << batch_size;
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train
