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

namespace eigengrad::train {
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

}  // namespace
}  // namespace eigengrad::train
