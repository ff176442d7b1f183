// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>

#include "support/layer_parity.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using testing::message_of;

static_assert(Layer<BatchNorm2d<float>> && Layer<BatchNorm1d<double>>);

TEST(BatchNorm, Gradcheck) {
  EXPECT_TRUE(gradcheck(BatchNorm2d<double>{3}, {2, 3, 4, 3}));
  EXPECT_TRUE(gradcheck(BatchNorm2d<double>{2, {.eps = 0.1, .affine = false}}, {3, 1, 1, 2}));
  EXPECT_TRUE(gradcheck(BatchNorm1d<double>{3}, {5, 3}));
  EXPECT_TRUE(gradcheck(BatchNorm1d<double>{3}, {2, 4, 3}));
  EXPECT_TRUE(gradcheck(BatchNorm2d<double>{3}, {2, 3, 4, 3}, {.mode = Mode::eval}));
  EXPECT_TRUE(gradcheck(BatchNorm1d<double>{3, {.affine = false}}, {1, 3}, {.mode = Mode::eval}));
}

TEST(BatchNorm, MatchesPyTorch) {
  const testing::Golden golden("batch_norm");
  const auto both_modes = [&](const std::string& name, const auto& make) {
    testing::expect_matches_pytorch(golden, name, make);
    testing::expect_matches_pytorch(golden, name + "_eval", make, Mode::eval);
  };
  both_modes("2d", []<class T>() { return BatchNorm2d<T>{3}; });
  both_modes("2d_options", []<class T>() { return BatchNorm2d<T>{4, {.eps = 1e-2, .momentum = 0.3}}; });
  both_modes("2d_not_affine", []<class T>() { return BatchNorm2d<T>{2, {.affine = false}}; });
  both_modes("1d", []<class T>() { return BatchNorm1d<T>{5}; });
  both_modes("1d_length", []<class T>() { return BatchNorm1d<T>{3}; });
  // Of two rows x^ is nearly +-1 and dx the small rest of a cancellation, which float cannot hold to 1e-5.
  testing::expect_layer_case(golden, "1d_two_rows", BatchNorm1d<double>{3}, Mode::train, 1e-10);
}

TEST(BatchNorm, InferenceIsEvalAndChangesNothing) {
  BatchNorm2d<float> layer{3};
  layer.forward(testing::random<float>({2, 4, 4, 3}, 1), Mode::train);
  const Tensor<float> mean = layer.running_mean;
  auto x = testing::random<float>({2, 4, 4, 3}, 2);
  const Tensor<float> y = layer.forward(x, Mode::eval);
  EXPECT_TRUE(equal(y, layer.forward(x, Mode::inference)));
  EXPECT_TRUE(x.unique());
  EXPECT_TRUE(equal(mean, layer.running_mean));
  EXPECT_THROW(layer.backward(x), StateError);
}

TEST(BatchNorm, VisitsParametersAndBuffers) {
  BatchNorm1d<float> layer{3};
  std::string names;
  visit(layer, {.parameter = [&](std::string_view name, Parameter<float>&) { names += std::string(name) + " "; },
                .buffer = [&](std::string_view name, Tensor<float>&) { names += std::string(name) + " "; }});
  EXPECT_EQ(names, "weight bias running_mean running_var ");
  BatchNorm1d<float> plain{3, {.affine = false}};
  EXPECT_TRUE(parameters(plain).empty());
}

TEST(BatchNorm, RefusesOneValueAChannelInTrainingAlone) {
  BatchNorm1d<float> layer{3};
  EXPECT_EQ(layer.output_shape({1, 3}), (Shape{1, 3}));
  EXPECT_EQ(message_of([&] {
              layer.output_shape({1, 3}, Mode::train);
            }),
            "BatchNorm1d 3: input has 1 value a channel, expected more than 1 in training; input shape (1, 3)");
  EXPECT_THROW(layer.forward(Tensor<float>::ones({1, 3}), Mode::train), ShapeError);
  EXPECT_TRUE(equal(layer.running_mean, Tensor<float>::zeros({3})));
  layer.forward(Tensor<float>::ones({1, 3}), Mode::eval);

  // A network says so before any of its layers computes.
  Sequential net{BatchNorm2d{3}, ReLU{}, Flatten{}, Linear{12, 5}, BatchNorm1d{5}};
  EXPECT_EQ(message_of([&] {
              net.output_shape({1, 2, 2, 3}, Mode::train);
            }),
            "layer 4 (BatchNorm1d 5): input has 1 value a channel, expected more than 1 in training; "
            "input shape (1, 5)");
  EXPECT_THROW(net.forward(Tensor<float>::ones({1, 2, 2, 3})), ShapeError);
  EXPECT_TRUE(equal(net[0].get_if<BatchNorm2d<float>>()->running_mean, Tensor<float>::zeros({3})));
  EXPECT_EQ(net.forward(Tensor<float>::ones({1, 2, 2, 3}), Mode::eval).shape(), (Shape{1, 5}));
}

TEST(BatchNorm, RefusesWrongUse) {
  EXPECT_THROW(BatchNorm2d<float>{0}, ValueError);
  EXPECT_THROW((BatchNorm2d<float>{3, {.eps = -1.0}}), ValueError);
  EXPECT_THROW((BatchNorm2d<float>{3, {.momentum = 1.5}}), ValueError);
  BatchNorm2d<float> images{3};
  EXPECT_EQ(message_of([&] {
              images.output_shape({2, 3});
            }),
            "BatchNorm2d 3: input has 2 axes, expected 4: (N, H, W, C); input shape (2, 3)");
  EXPECT_EQ(message_of([&] {
              images.output_shape({2, 5, 3, 4});
            }),
            "BatchNorm2d 3: input has 4 channels, expected 3; input shape (2, 5, 3, 4)");
  EXPECT_EQ(message_of([] {
              BatchNorm1d<float>{3}.output_shape({2, 3, 3, 3});
            }),
            "BatchNorm1d 3: input has 4 axes, expected 2 or 3: (N, C) or (N, L, C); input shape (2, 3, 3, 3)");
  EXPECT_THROW(images.backward(Tensor<float>::ones({2, 3, 3, 3})), StateError);
  images.forward(Tensor<float>::ones({2, 3, 3, 3}), Mode::train);
  EXPECT_THROW(images.backward(Tensor<float>::ones({2, 3, 2, 3})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
