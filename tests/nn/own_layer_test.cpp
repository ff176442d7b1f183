// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/nn/gelu.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/residual.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

// What a Sequential finds in a layer that is not the library's own, and what it promises of every layer.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using testing::message_of;

enum class Fault { none, output, inference_output, gradient };

/// The identity, but for one fault. It checks nothing itself.
struct Own {
  Fault fault = Fault::none;
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode mode) {
    if (fault == Fault::output || (fault == Fault::inference_output && mode == Mode::inference))
      return Tensor<float>::ones({2, 7});
    return x;
  }
  Tensor<float> backward(Tensor<float> dy) { return fault == Fault::gradient ? Tensor<float>::ones({7, 2}) : dy; }
  std::string description() const { return "Own"; }
};

Sequential<float> around(Fault fault) { return Sequential{Linear<float>{4, 3}, Own{fault}, GELU<float>{}}; }

TEST(OwnLayer, AnOutputThatContradictsOutputShapeIsItsOwnFault) {
  const auto x = testing::random<float>({5, 4}, 1);
  const std::string expected = "layer 1 (Own): forward gives shape (2, 7), but output_shape says (5, 3)";
  for (const Mode mode : {Mode::train, Mode::eval, Mode::inference})
    EXPECT_EQ(message_of([&] { around(Fault::output).forward(x, mode); }), expected);
  Sequential net = around(Fault::inference_output);
  EXPECT_NO_THROW(net.forward(x));
  EXPECT_EQ(message_of([&] { net.forward(x, Mode::inference); }), expected);
  Residual<float> residual{around(Fault::output), Sequential{Linear<float>{4, 3}}};
  EXPECT_EQ(message_of([&] { residual.forward(x, Mode::train); }), "Residual: body: " + expected);
}

TEST(OwnLayer, AGradientThatHasNotTheShapeOfTheInputIsItsOwnFault) {
  Sequential net = around(Fault::gradient);
  net.forward(testing::random<float>({5, 4}, 1));
  const auto dy = testing::random<float>({5, 3}, 2);
  const std::string expected = "layer 1 (Own): backward's result has shape (7, 2), expected (5, 3)";
  EXPECT_EQ(message_of([&] { net.backward(dy); }), expected);
  EXPECT_EQ(message_of([&] { net.backward_parameters(dy); }), expected);
}

TEST(OwnLayer, NeverSeesAGradientThatDoesNotFit) {
  Sequential<float> net{Own{}};
  EXPECT_THROW(net.backward(Tensor<float>::ones({5, 3})), StateError);
  net.forward(Tensor<float>::ones({5, 3}));
  for (const Shape& shape : {Shape{0}, Shape{}, Shape{5}, Shape{5, 4}, Shape{15}})
    EXPECT_EQ(message_of([&] { net.backward(Tensor<float>::ones(shape)); }),
              error_text("layer 0 (Own): gradient of the output has shape ", shape, ", expected (5, 3)"));
  EXPECT_NO_THROW(net.backward(Tensor<float>::ones({5, 3})));
  net.forward(Tensor<float>::ones({5, 3}), Mode::inference);
  EXPECT_THROW(net.backward(Tensor<float>::ones({5, 3})), StateError);
  net.forward(Tensor<float>::ones({5, 3}));
  net.push_back(Own{});  // a layer that has seen no forward
  EXPECT_THROW(net.backward(Tensor<float>::ones({5, 3})), StateError);
  EXPECT_THROW(Sequential<float>{}.backward(Tensor<float>::ones({5, 3})), StateError);
}

// A row of the Jacobian for each backward: the results do not depend on those before.
TEST(OwnLayer, BackwardMayFollowOneForwardSeveralTimes) {
  manual_seed(1);
  Sequential net{Linear<float>{4, 6}, LayerNorm<float>{6}, GELU<float>{}, Linear<float>{6, 3}};
  net.forward(testing::random<float>({5, 4}, 1));
  const auto dy = testing::random<float>({5, 3}, 2);
  const Tensor<float> dx = net.backward(dy);
  const Tensor<float> gradient = net.parameters()[0]->grad;
  net.backward(testing::random<float>({5, 3}, 3));
  net.zero_grad();
  EXPECT_TRUE(equal(net.backward(dy), dx));
  EXPECT_TRUE(equal(net.parameters()[0]->grad, gradient));
  SoftmaxCrossEntropy<float> loss;
  loss.forward(dy, Tensor<Index>::zeros({5}));
  const Tensor<float> first = loss.backward();
  EXPECT_TRUE(equal(loss.backward(), first));
}

TEST(Labels, HaveTheShapeOfTheRows) {
  const auto x = testing::random<float>({5, 3}, 1);
  const auto sentences = testing::random<float>({5, 4, 3}, 1);
  SoftmaxCrossEntropy<float> loss;
  EXPECT_NO_THROW(loss.forward(x, Tensor<Index>::zeros({5})));
  EXPECT_NO_THROW(loss.forward(sentences, Tensor<Index>::zeros({5, 4})));
  EXPECT_NO_THROW(loss.forward(sentences, Tensor<Index>::zeros({20})));
  EXPECT_EQ(message_of([&] {
              loss.forward(x, Tensor<Index>::zeros({5, 1}));
            }),
            "softmax_cross_entropy: labels have shape (5, 1), expected (5,); input shape (5, 3)");
  EXPECT_THROW(loss.forward(x, Tensor<Index>::zeros({1, 5})), ShapeError);
  EXPECT_THROW(loss.forward(sentences, Tensor<Index>::zeros({4, 5})), ShapeError);
  EXPECT_THROW(CrossEntropy<float>{}.forward(x, Tensor<Index>::zeros({5, 1})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
