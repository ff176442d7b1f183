// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>
#include <eigengrad/nn/tanh.hpp>

#include "support/layer_parity.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Residual<float>> && Layer<Residual<double>>);
static_assert(std::same_as<decltype(Residual{Sequential{Linear{3, 3}}}), Residual<float>>);

template <class T>
Residual<T> identity_block() {
  return Residual{Sequential{Linear<T>{6, 4}, ReLU<T>{}, Linear<T>{4, 6}}};
}
template <class T>
Residual<T> projection_block() {
  return Residual{Sequential{Linear<T>{6, 5}, Tanh<T>{}}, Sequential{Linear<T>{6, 5, {.bias = false}}}};
}
template <class T>
Sequential<T> make_residual_net() {
  return Sequential{identity_block<T>(), LayerNorm<T>{6}, projection_block<T>()};
}

TEST(Residual, Gradcheck) {
  manual_seed(5);
  EXPECT_TRUE(gradcheck(identity_block<double>(), {4, 6}));
  EXPECT_TRUE(gradcheck(projection_block<double>(), {4, 6}));
  EXPECT_TRUE(gradcheck(projection_block<double>(), {2, 3, 6}, {.mode = Mode::eval}));
  EXPECT_TRUE(gradcheck(make_residual_net<double>(), {4, 6}));
  EXPECT_TRUE(gradcheck(Residual{Sequential{identity_block<double>(), Tanh<double>{}}}, {4, 6}));
  // Both paths end in a layer that keeps its output: neither may be written over.
  EXPECT_TRUE(gradcheck(Residual{Sequential{Tanh<double>{}}, Sequential{Tanh<double>{}}}, {4, 6}));
  EXPECT_TRUE(gradcheck(Residual{Sequential<double>{}}, {4, 6}));
}

TEST(Residual, MatchesPyTorch) {
  testing::expect_matches_pytorch(testing::Golden("residual"), "nested",
                                  []<class T>() { return make_residual_net<T>(); });
}

TEST(Residual, IsTheSumOfItsPaths) {
  const auto x = testing::random<double>({4, 6}, 1);
  const Tensor<double> before(x.shape(), x.span());
  for (const Mode mode : {Mode::train, Mode::eval, Mode::inference}) {
    Residual block = identity_block<double>();
    Residual projected = projection_block<double>();
    const Tensor<double> body = Sequential(block.body).forward(x, mode);
    const Tensor<double> projected_body = Sequential(projected.body).forward(x, mode);
    const Tensor<double> shortcut = Sequential(projected.shortcut).forward(x, mode);
    const Tensor<double> y = block.forward(x, mode);
    const Tensor<double> projected_y = projected.forward(x, mode);
    EXPECT_LT((y.array() - body.array() - x.array()).abs().maxCoeff(), 1e-15);
    EXPECT_LT((projected_y.array() - projected_body.array() - shortcut.array()).abs().maxCoeff(), 1e-15);
  }
  EXPECT_TRUE(equal(x, before));
}

TEST(Residual, NamesItsParametersByPath) {
  const auto names_of = [](auto layer) {
    std::vector<std::string> names;
    layer.visit([&](std::string_view name, Parameter<float>&) { names.emplace_back(name); });
    return names;
  };
  EXPECT_EQ(names_of(identity_block<float>()),
            (std::vector<std::string>{"body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias"}));
  EXPECT_EQ(names_of(projection_block<float>()),
            (std::vector<std::string>{"body.0.weight", "body.0.bias", "shortcut.0.weight"}));
  EXPECT_EQ(names_of(Sequential{ReLU{}, projection_block<float>()}),
            (std::vector<std::string>{"1.body.0.weight", "1.body.0.bias", "1.shortcut.0.weight"}));
}

/// A layer with a buffer, that can be evaluated on any shape but trained on more than one row alone.
struct Counter {
  Tensor<float> calls = Tensor<float>::zeros({1});
  Shape output_shape(const Shape& x) const { return x; }
  Shape output_shape(const Shape& x, Mode mode) const {
    if (mode == Mode::train && x[0] < 2) throw ShapeError("Counter: one row in training");
    return x;
  }
  Tensor<float> forward(Tensor<float> x, Mode) {
    calls.mutable_array() += 1.0F;
    return x;
  }
  Tensor<float> backward(Tensor<float> dy) { return dy; }
  void visit(auto&& f) { f("calls", calls); }
  std::string description() const { return "Counter"; }
};

TEST(Residual, VisitsBuffers) {
  Sequential net{Residual{Sequential{ReLU{}, Counter{}}}};
  net.forward(Tensor<float>::ones({2, 3}));
  std::vector<std::string> names;
  visit(net, {.parameter = [](std::string_view, Parameter<float>&) {},
              .buffer =
                  [&](std::string_view name, Tensor<float>& buffer) {
                    names.emplace_back(name);
                    EXPECT_EQ(buffer(0), 1.0F);
                  }});
  EXPECT_EQ(names, std::vector<std::string>{"0.body.1.calls"});
  EXPECT_TRUE(parameters(net).empty());
}

TEST(Residual, PassesTheModeOn) {
  for (Sequential net : {Sequential{Residual{Sequential{ReLU{}, Counter{}}}},
                         Sequential{Residual{Sequential{ReLU{}}, Sequential{Counter{}}}}}) {
    const auto x = Tensor<float>::ones({1, 3});
    EXPECT_EQ(net.forward(x, Mode::eval).shape(), x.shape());
    EXPECT_THROW(net.forward(x, Mode::train), ShapeError);
    EXPECT_THROW(net.output_shape({1, 3}, Mode::train), ShapeError);
  }
}

TEST(Residual, BackwardParametersGivesTheSameGradients) {
  const auto x = testing::random<double>({4, 6}, 1);
  for (const Sequential<double>& made : {make_residual_net<double>(), Sequential{projection_block<double>()}}) {
    Sequential net = made;
    const auto dy = testing::random<double>({4, 5}, 2);
    net.forward(x);
    Sequential other = net;
    net.backward(dy);
    other.backward_parameters(dy);
    const auto all = net.parameters();
    const auto others = other.parameters();
    ASSERT_EQ(all.size(), others.size());
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(equal(all[i]->grad, others[i]->grad)) << i;
  }
}

/// Fails where it is asked for dx.
struct NoInputGradient {
  Parameter<float> scale{Tensor<float>::ones({1})};
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
  Tensor<float> backward(Tensor<float>) { throw StateError("dx was computed"); }
  void backward_parameters(const Tensor<float>&) { scale.add_grad(Tensor<float>::ones({1})); }
  void visit(auto&& f) { f("scale", scale); }
};

TEST(Residual, BackwardParametersComputesTheInputGradientOfNeitherPath) {
  Sequential net{Residual{Sequential{NoInputGradient{}, ReLU{}}, Sequential{NoInputGradient{}}}};
  net.forward(Tensor<float>::ones({2, 3}));
  net.backward_parameters(Tensor<float>::ones({2, 3}));
  for (const auto* parameter : net.parameters()) EXPECT_TRUE(parameter->has_grad());
  EXPECT_THROW(net.backward(Tensor<float>::ones({2, 3})), StateError);
}

TEST(Residual, RefusesPathsOfDifferentShapesBeforeAnythingIsComputed) {
  Residual block{Sequential{Counter{}, Linear{6, 5}}};
  EXPECT_EQ(testing::message_of([&] {
              block.forward(Tensor<float>::zeros({4, 6}), Mode::eval);
            }),
            "Residual: body gives (4, 5), shortcut gives (4, 6); input shape (4, 6)");
  EXPECT_EQ(block.body[0].get_if<Counter>()->calls(0), 0.0F);
  Sequential net{Flatten{}, block};
  EXPECT_EQ(testing::message_of([&] {
              net.output_shape({4, 2, 3});
            }),
            "layer 1 (Residual): body gives (4, 5), shortcut gives (4, 6); input shape (4, 6)");
}

TEST(Residual, ErrorsNameThePath) {
  Sequential net{ReLU{}, projection_block<float>()};
  EXPECT_EQ(testing::message_of([&] {
              net.forward(Tensor<float>::zeros({4, 7}));
            }),
            "layer 1 (Residual): body: layer 0 (Linear 6->5): input has 7 features, expected 6; input shape (4, 7)");
  const Residual other{Sequential{Linear{7, 5}}, Sequential{Linear{6, 5}}};
  EXPECT_EQ(testing::message_of([&] {
              other.output_shape({4, 7});
            }),
            "Residual: shortcut: layer 0 (Linear 6->5): input has 7 features, expected 6; input shape (4, 7)");
  EXPECT_EQ(testing::message_of([&] {
              net.backward(Tensor<float>::zeros({4, 5}));
            }),
            "Sequential: backward without a forward before it (Mode::inference remembers nothing)");
  net.forward(Tensor<float>::zeros({4, 6}));
  EXPECT_EQ(testing::message_of([&] {
              net.backward(Tensor<float>::zeros({4, 6}));
            }),
            "layer 1 (Residual): gradient of the output has shape (4, 6), expected (4, 5)");
}

TEST(Residual, IsCountedAndSummarised) {
  const Residual block = projection_block<float>();
  EXPECT_EQ(block.multiply_adds({4, 6}), 4 * 6 * 5 * 2);
  Sequential net{identity_block<float>(), projection_block<float>()};
  const std::string table = net.summary({4, 6});
  EXPECT_NE(table.find("1 Residual"), std::string::npos) << table;
  EXPECT_NE(table.find(std::to_string(6 * 4 + 4 + 4 * 6 + 6 + 6 * 5 + 5 + 6 * 5)), std::string::npos) << table;
  EXPECT_NE(table.find(std::to_string(2 * 4 * 6 * 4 + 2 * 4 * 6 * 5)), std::string::npos) << table;
}

TEST(Residual, ACopyIsALayerOfItsOwn) {
  Residual block = projection_block<float>();
  Residual copy = block;
  const auto x = testing::random<float>({4, 6}, 1);
  const Tensor<float> before = copy.forward(x, Mode::train);
  parameters(block)[0]->value.mutable_array() += 1.0F;
  EXPECT_TRUE(equal(copy.forward(x, Mode::train), before));
  EXPECT_FALSE(equal(block.forward(x, Mode::train), before));
}

/// Notes where its output lies, and does not keep it.
struct Address {
  const float* memory = nullptr;
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) {
    memory = x.data();
    return x;
  }
  Tensor<float> backward(Tensor<float> dy) { return dy; }
};

// Tanh keeps its output, so the sum goes into the output of the other path.
TEST(Residual, WritesTheSumOverTheOutputThatNobodyKeeps) {
  const auto x = testing::random<float>({4, 6}, 1);
  Residual one{Sequential{Tanh{}}, Sequential{Linear{6, 6}, Address{}}};
  Residual other{Sequential{Linear{6, 6}, Address{}}, Sequential{Tanh{}}};
  EXPECT_EQ(one.forward(x, Mode::train).data(), one.shortcut[1].get_if<Address>()->memory);
  EXPECT_EQ(other.forward(x, Mode::train).data(), other.body[1].get_if<Address>()->memory);
}

TEST(Residual, InferenceWritesOverAnInputThatNobodyElseHolds) {
  Residual block{Sequential{ReLU{}}};
  auto x = testing::random<float>({4, 6}, 1);
  const Tensor<float> expected = block.forward(x, Mode::train);
  const Tensor<float> y = block.forward(std::move(x), Mode::inference);
  EXPECT_TRUE(equal(y, expected));
  EXPECT_TRUE(y.unique());
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
