// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/nn/softmax.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Sequential<float>> && Layer<Sequential<double>>);

Sequential<double> make_classifier() {
  return Sequential{Flatten<double>{}, Linear<double>{12, 7}, ReLU<double>{}, Linear<double>{7, 4}, Softmax<double>{}};
}

TEST(Sequential, Gradcheck) {
  manual_seed(3);
  EXPECT_TRUE(gradcheck(make_classifier(), {5, 2, 3, 2}));
  EXPECT_TRUE(gradcheck(Sequential{Sequential{Linear<double>{3, 4}, ReLU<double>{}}, Linear<double>{4, 2}}, {5, 3}));
}

TEST(Sequential, IsItsLayersInARow) {
  Linear<double> first{12, 7};
  Linear<double> second{7, 4};
  Sequential net{first, ReLU<double>{}, second};
  const auto x = testing::random<double>({5, 12}, 1);
  const auto expected = second.forward(ReLU<double>{}.forward(first.forward(x, Mode::train), Mode::train), Mode::train);
  EXPECT_TRUE(equal(net.forward(x), expected));
  EXPECT_EQ(net.size(), 3);
  EXPECT_NE(net[2].get_if<Linear<double>>(), nullptr);
  EXPECT_EQ(net[2].get_if<ReLU<double>>(), nullptr);
}

TEST(Sequential, NamesParametersByIndexDotName) {
  Sequential net{Sequential{Linear<float>{3, 4}, ReLU<float>{}}, Linear<float>{4, 2, {.bias = false}}};
  std::vector<std::string> names;
  net.visit([&](std::string_view name, Parameter<float>&) { names.emplace_back(name); });
  EXPECT_EQ(names, (std::vector<std::string>{"0.0.weight", "0.0.bias", "1.weight"}));
}

TEST(Sequential, BackwardParametersGivesTheSameGradients) {
  Sequential net = make_classifier();
  Sequential other = net;
  const auto x = testing::random<double>({5, 2, 3, 2}, 1);
  const auto dy = testing::random<double>({5, 4}, 2);
  net.forward(x);
  other.forward(x);
  net.backward(dy);
  other.backward_parameters(dy);
  const auto all = net.parameters();
  const auto others = other.parameters();
  ASSERT_EQ(all.size(), others.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(equal(all[i]->grad, others[i]->grad));
}

TEST(Sequential, ACopyIsANetworkOfItsOwn) {
  Sequential net = make_classifier();
  Sequential copy = net;
  const auto x = testing::random<double>({5, 12}, 1);
  const Tensor<double> before = copy.forward(x);
  net.parameters()[0]->value.mutable_array() += 1.0;
  EXPECT_TRUE(equal(copy.forward(x), before));
  EXPECT_FALSE(equal(net.forward(x), before));
}

TEST(Sequential, ParametersStayWhereTheyAreWhenTheNetIsMoved) {
  Sequential net = make_classifier();
  const auto parameters = net.parameters();
  Sequential moved = std::move(net);
  EXPECT_EQ(moved.parameters(), parameters);
}

TEST(Sequential, NamesTheLayerThatDoesNotFit) {
  Sequential net{Flatten<float>{}, Linear<float>{3072, 100}, ReLU<float>{}, Linear<float>{50, 10}};
  const auto message = [&](const Shape& shape) -> std::string {
    try {
      net.forward(Tensor<float>::zeros(shape));
    } catch (const ShapeError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(message({2, 30, 30, 3}),
            "layer 1 (Linear 3072->100): input has 2700 features, expected 3072; input shape (2, 2700)");
  EXPECT_EQ(message({2, 32, 32, 3}),
            "layer 3 (Linear 50->10): input has 100 features, expected 50; input shape (2, 100)");
}

TEST(Sequential, SuggestsFlattenBetweenImagesAndFeatures) {
  Sequential net{Conv2d<float>{3, 8, {.kernel = 3}}, MaxPool2d<float>{2}, Linear<float>{1800, 10}};
  EXPECT_EQ(testing::message_of([&] {
              net.output_shape({2, 32, 32, 3});
            }),
            "layer 2 (Linear 1800->10): input has 8 features, expected 1800; input shape (2, 15, 15, 8); "
            "put nn::Flatten before it");
  EXPECT_EQ(testing::message_of([&] {
              net.forward(Tensor<float>::zeros({2, 30, 30, 3}));
            }),
            "layer 2 (Linear 1800->10): input has 8 features, expected 1800; input shape (2, 14, 14, 8); "
            "put nn::Flatten before it, which gives 1568 features");
  EXPECT_EQ(testing::message_of([] {
              Linear<float>{27, 4}.forward(Tensor<float>::zeros({2, 3, 3, 3}), Mode::train);
            }),
            "linear: input has 3 features, expected 27; input shape (2, 3, 3, 3); put nn::Flatten before it");
}

TEST(Sequential, SuggestsToPermuteImagesWhoseChannelsComeFirst) {
  const std::string how = "; images are (N, H, W, C) here: for (N, C, H, W) use ops::permute(x, {0, 2, 3, 1})";
  const Tensor<float> x = Tensor<float>::zeros({2, 3, 32, 32});
  // The window is higher than what is taken for the image.
  Sequential convnet{Conv2d<float>{3, 8, {.kernel = 5}}};
  EXPECT_EQ(testing::message_of([&] { convnet.forward(x); }),
            "layer 0 (Conv2d 3->8 5x5): input has 32 channels, expected 3; input shape (2, 3, 32, 32)" + how);
  EXPECT_EQ(testing::message_of([&] {
              Conv2d<float>{3, 8, 5}.forward(x, Mode::train);
            }),
            "Conv2d 3->8 5x5: input has 32 channels, expected 3; input shape (2, 3, 32, 32)" + how);
  EXPECT_EQ(testing::message_of([&] { BatchNorm2d<float>{3}.forward(x, Mode::train); }),
            "BatchNorm2d 3: input has 32 channels, expected 3; input shape (2, 3, 32, 32)" + how);
  EXPECT_EQ(testing::message_of([&] { MaxPool2d<float>{4}.output_shape(x.shape()); }),
            "MaxPool2d 4x4 stride 4x4: window of 4x4 pixels, expected at most 3x32, the padded image; "
            "input shape (2, 3, 32, 32)" +
                how);
}

TEST(Sequential, BackwardBeforeForwardIsAnError) {
  Sequential net = make_classifier();
  EXPECT_THROW(net.backward(Tensor<double>::zeros({5, 4})), StateError);
  EXPECT_THROW(net.backward_parameters(Tensor<double>::zeros({5, 4})), StateError);
}

TEST(Sequential, ErrorsOfBackwardNameTheLayer) {
  Sequential net = make_classifier();
  net.forward(Tensor<double>::zeros({5, 12}));
  try {
    net.backward(Tensor<double>::zeros({5, 3}));
    FAIL();
  } catch (const ShapeError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("layer 4 (Softmax): ", 0), 0U) << error.what();
  }
  Sequential fresh{Linear<double>{3, 3}, Linear<double>{3, 3}};
  EXPECT_EQ(testing::message_of([&] {
              fresh.backward(Tensor<double>::zeros({5, 3}));
            }),
            "Sequential: backward without a forward before it (Mode::inference remembers nothing)");
}

TEST(Sequential, LayersMayBeReplacedAddedAndMoved) {
  Sequential<float> net{ReLU<float>{}, Linear<float>{3, 2}};
  net[0] = AnyLayer<float>(Linear<float>{3, 3});
  net.forward(Tensor<float>::ones({4, 3}));
  net.backward_parameters(Tensor<float>::ones({4, 2}));
  for (const auto* parameter : net.parameters()) EXPECT_TRUE(parameter->has_grad());

  Sequential<float> outer{ReLU<float>{}, Sequential<float>{}};
  outer[1].get_if<Sequential<float>>()->push_back(Linear<float>{3, 2});
  outer.forward(Tensor<float>::ones({4, 3}));
  outer.backward_parameters(Tensor<float>::ones({4, 2}));
  EXPECT_TRUE(outer.parameters()[0]->has_grad());

  Sequential<float> moved = std::move(net);
  net.push_back(Linear<float>{3, 2});  // NOLINT(bugprone-use-after-move): a moved-from net is empty
  net.forward(Tensor<float>::ones({4, 3}));
  net.backward_parameters(Tensor<float>::ones({4, 2}));
  EXPECT_TRUE(net.parameters()[0]->has_grad());
  EXPECT_THROW(moved[-1], ValueError);
  EXPECT_THROW(moved[2], ValueError);
}

TEST(Sequential, ABatchOfNoRowsPasses) {
  Sequential<float> net{Linear<float>{3, 4}, ReLU<float>{}, Linear<float>{4, 2}, Softmax<float>{}};
  EXPECT_EQ(net.forward(Tensor<float>::zeros({0, 3})).shape(), (Shape{0, 2}));
  EXPECT_EQ(net.backward(Tensor<float>::zeros({0, 2})).shape(), (Shape{0, 3}));
  EXPECT_EQ(net.parameters()[0]->grad.array().abs().sum(), 0.0F);
}

TEST(Sequential, HoldsSequentialsAlone) {
  Sequential inner{Linear<float>{3, 3}};
  Sequential pair{inner, inner};
  EXPECT_EQ(pair.size(), 2);
}

TEST(Sequential, OfOneSequentialIsACopyOfIt) {
  Sequential inner{Linear<float>{3, 3}, ReLU<float>{}};
  Sequential copy{inner};
  static_assert(std::is_same_v<decltype(copy), Sequential<float>>);
  EXPECT_EQ(copy.size(), 2);
  EXPECT_EQ(Sequential{Sequential{inner}}.size(), 2);
}

TEST(Sequential, AnEmptyOneChangesNothing) {
  Sequential<float> net;
  const auto x = testing::random<float>({2, 3}, 1);
  EXPECT_TRUE(equal(net.forward(x), x));
  EXPECT_TRUE(equal(net.backward(x), x));
  EXPECT_TRUE(net.parameters().empty());
}

TEST(Sequential, SummaryCounts) {
  Sequential net{Flatten<float>{}, Linear<float>{3072, 100}, ReLU<float>{}, Linear<float>{100, 10}};
  const std::string table = net.summary({200, 32, 32, 3});
  EXPECT_NE(table.find("1 Linear 3072->100"), std::string::npos) << table;
  EXPECT_NE(table.find("308,310"), std::string::npos) << table;
  EXPECT_NE(table.find("61,640,000"), std::string::npos) << table;
}

TEST(Sequential, TheLastSmallerBatchWorks) {
  Sequential net{Linear<float>{3, 2}};
  EXPECT_EQ(net.forward(Tensor<float>::zeros({5, 3})).shape(), (Shape{5, 2}));
  EXPECT_EQ(net.forward(Tensor<float>::zeros({2, 3})).shape(), (Shape{2, 2}));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
