// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/sgd.hpp>
#include <eigengrad/train/fit.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::train {
namespace {

using testing::message_of;

/// Images without colours that must not be asked for.
struct Untouchable {
  Index samples;
  Index size() const { return samples; }
  Shape input_shape(Index count) const { return {count, 8, 8, 1}; }
  data::Batch<float> batch(std::span<const Index>) const { throw StateError("the data was touched"); }
};

template <class Net>
std::string problem_of(Net net, Index samples, Index batch_size) {
  optim::SGD sgd{net.parameters(), {}};
  data::Loader loader{Untouchable{samples}, {.batch_size = batch_size}};
  return message_of([&] { fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, Untouchable{1}); });
}

TEST(CheckShapes, FitRefusesANetworkThatDoesNotFitBeforeItTouchesTheData) {
  EXPECT_EQ(problem_of(nn::Sequential{nn::Conv2d{1, 4, {.kernel = 3}}, nn::Flatten{}, nn::Linear{100, 10}}, 20, 10),
            "layer 2 (Linear 100->10): input has 144 features, expected 100; input shape (10, 144)");
  EXPECT_EQ(problem_of(nn::Sequential{nn::Conv2d{1, 4, {.kernel = 3}}, nn::MaxPool2d{{.kernel = 7}}}, 20, 10),
            "layer 1 (MaxPool2d 7x7 stride 7x7): window of 7x7 pixels, expected at most 6x6, the padded image; "
            "input shape (10, 6, 6, 4)");
  EXPECT_EQ(problem_of(nn::Sequential{nn::Conv2d{3, 4, {.kernel = 3}}}, 20, 10),
            "layer 0 (Conv2d 3->4 3x3): input has 1 channels, expected 3; input shape (10, 8, 8, 1)");
}

TEST(CheckShapes, TheLastSmallerBatchCounts) {
  const nn::Sequential net{nn::Flatten{}, nn::Linear{64, 5}, nn::BatchNorm1d{5}};
  EXPECT_EQ(problem_of(net, 20, 10), "the data was touched");
  EXPECT_EQ(problem_of(net, 21, 10),
            "layer 2 (BatchNorm1d 5): input has 1 value a channel, expected more than 1 in training; "
            "input shape (1, 5); this is an epoch's last, smaller batch, which drop_last leaves out");
}

/// A network of 4 inputs and 3 classes that learns from 20 samples; what fit says of the validation set, and if it took
/// a step.
template <class L, class Train, class Test>
std::string problem_with(const L& loss, const Train& train, const Test& test) {
  nn::Sequential net{nn::Linear{4, 3}};
  optim::SGD sgd{net.parameters(), {}};
  data::Loader loader{train, {.batch_size = 8}};
  Index steps = 0;
  const std::string problem =
      message_of([&] { fit(net, loss, sgd, loader, test, {.on_step = [&](Index, double) { ++steps; }}); });
  EXPECT_EQ(steps, problem == "no error" ? 3 : 0) << problem;
  return problem;
}

auto labelled(Index samples, Index features, Index last_label = 2) {
  Tensor<Index> labels = Tensor<Index>::full({samples}, 1);
  if (samples > 0) labels.mutable_data()[samples - 1] = last_label;
  return data::TensorDataset{Tensor<float>::ones({samples, features}), labels};
}

TEST(CheckTestSet, FitRefusesOneThatDoesNotFitBeforeItsFirstStep) {
  const nn::SoftmaxCrossEntropy loss;
  EXPECT_EQ(problem_with(loss, labelled(20, 4), labelled(5, 4)), "no error");
  EXPECT_EQ(problem_with(loss, labelled(20, 4), labelled(0, 4)), "fit: the validation set has no samples");
  EXPECT_EQ(problem_with(loss, labelled(20, 4), labelled(5, 6)),
            "layer 0 (Linear 4->3): input has 6 features, expected 4; input shape (5, 6); this is the validation set");
  EXPECT_EQ(problem_with(loss, labelled(20, 4), labelled(1300, 4, 3)),
            "SoftmaxCrossEntropy: label 3 of row 1299, expected 0 to 2; this is the validation set");
  EXPECT_EQ(problem_with(loss, labelled(20, 4), labelled(5, 4, -1)),
            "SoftmaxCrossEntropy: label -1 of row 4, expected 0 to 2; this is the validation set");
  EXPECT_EQ(problem_with(nn::CrossEntropy{}, labelled(20, 4), labelled(5, 4, 3)),
            "CrossEntropy: label 3 of row 4, expected 0 to 2; this is the validation set");
}

TEST(CheckTestSet, FitRefusesTargetsOfAnotherShape) {
  const auto with_targets = [](Index columns) {
    return data::TensorDataset{Tensor<float>::ones({20, 4}), Tensor<float>::ones({20, columns})};
  };
  const nn::MSELoss loss;
  EXPECT_EQ(problem_with(loss, with_targets(3), with_targets(3)), "no error");
  EXPECT_EQ(problem_with(loss, with_targets(3), with_targets(2)),
            "MSELoss: target has shape (20, 2), expected (20, 3); this is the validation set");
  EXPECT_EQ(problem_with(loss, with_targets(2), with_targets(3)),
            "MSELoss: target has shape (20, 2), expected (20, 3); this is the training set");
}

TEST(CheckTestSet, TheLabelsToLearnFromCount) {
  EXPECT_EQ(problem_with(nn::SoftmaxCrossEntropy{}, labelled(20, 4, 3), labelled(5, 4)),
            "SoftmaxCrossEntropy: label 3 of row 19, expected 0 to 2; this is the training set");
}

/// A data set that says no more than it must.
struct Silent {
  Index features;
  Index label;
  Index size() const { return 5; }
  data::Batch<float> batch(std::span<const Index> samples) const {
    const auto count = static_cast<Index>(samples.size());
    return {Tensor<float>::ones({count, features}), Tensor<Index>::full({count}, label)};
  }
};

TEST(CheckTestSet, ADataSetThatCannotTellItsShapeIsAskedForABatch) {
  const nn::SoftmaxCrossEntropy loss;
  EXPECT_EQ(problem_with(loss, labelled(20, 4), Silent{4, 2}), "no error");
  EXPECT_EQ(problem_with(loss, labelled(20, 4), Silent{3, 2}),
            "layer 0 (Linear 4->3): input has 3 features, expected 4; input shape (5, 3); this is the validation set");
  EXPECT_EQ(problem_with(loss, labelled(20, 4), Silent{4, 5}),
            "SoftmaxCrossEntropy: label 5 of row 0, expected 0 to 2; this is the validation set");
}

TEST(Evaluate, RefusesADataSetWithoutSamples) {
  nn::Sequential net{nn::Linear{4, 3}};
  EXPECT_EQ(message_of([&] { evaluate(net, nn::SoftmaxCrossEntropy{}, labelled(0, 4)); }),
            "evaluate: the data set has no samples");
  EXPECT_EQ(message_of([&] { accuracy(net, labelled(0, 4)); }), "accuracy: the data set has no samples");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train
