// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/function.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

// Whoever replaces a layer's parameter or buffer by a tensor of another shape gets one of the library's own exceptions,
// whatever is then called. Under AddressSanitizer this finds a read beyond the end as well.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using Net = Sequential<float>;

struct Case {
  std::string name;
  std::function<Net()> make;
  Shape x;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"Linear",
       [] {
         return Net{Linear<float>{4, 6}};
       },
       {5, 4}},
      {"Linear without bias",
       [] {
         return Net{Linear<float>{4, 6, {.bias = false}}};
       },
       {5, 4}},
      {"Conv2d",
       [] {
         return Net{Conv2d<float>{4, 6, {.kernel = 3, .padding = 1}}};
       },
       {2, 5, 5, 4}},
      {"Conv2d in groups",
       [] {
         return Net{Conv2d<float>{4, 4, {.kernel = 3, .groups = 4, .bias = false}}};
       },
       {2, 5, 5, 4}},
      {"BatchNorm1d", [] { return Net{BatchNorm1d<float>{4}}; }, {5, 4}},
      {"BatchNorm2d",
       [] {
         return Net{BatchNorm2d<float>{4, {.affine = false}}};
       },
       {2, 5, 5, 4}},
      {"LayerNorm", [] { return Net{LayerNorm<float>{4}}; }, {5, 4}},
      {"folded into Linear",
       [] {
         return Net{Linear<float>{4, 6}, BatchNorm1d<float>{6}, ReLU<float>{}};
       },
       {5, 4}},
      {"folded into Conv2d",
       [] {
         return Net{Conv2d<float>{4, 6, {.kernel = 1}}, BatchNorm2d<float>{6}, ReLU<float>{}};
       },
       {2, 5, 5, 4}},
      {"Function",
       [] {
         return Net{Function{[](auto x, auto s) { return x * s; }, Tensor<float>::ones({4})}};
       },
       {5, 4}},
      {"Residual",
       [] {
         return Net{Residual<float>{Net{Linear<float>{4, 4}}}};
       },
       {5, 4}},
  };
  return all;
}

/// All parameters and buffers.
std::vector<Tensor<float>*> state_of(Net& net) {
  std::vector<Tensor<float>*> state;
  visit(net, {.parameter = [&](std::string_view, Parameter<float>& p) { state.push_back(&p.value); },
              .buffer = [&](std::string_view, Tensor<float>& buffer) { state.push_back(&buffer); }});
  return state;
}

std::vector<Shape> other_shapes(const Shape& shape) {
  std::vector<Shape> others{{0}, {}, {1}, {300}, {1, 1}, {0, 4}, {2, 3, 4, 5, 6}};
  if (shape.rank() > 0) others.push_back(shape.with(0, shape[0] + 1));
  if (shape.rank() > 0) others.push_back(shape.with(-1, shape[-1] - 1));
  if (shape.rank() < Shape::kMaxRank) others.push_back(Shape{1, shape.numel()});
  others.push_back(Shape{shape.numel() + 64});
  std::erase(others, shape);
  return others;
}

/// Every call that reads the state: the three modes, and both directions after a forward with the state as it was.
const std::vector<std::pair<std::string, std::function<void(Net&, const Tensor<float>&, const Tensor<float>&)>>>&
calls() {
  static const std::vector<
      std::pair<std::string, std::function<void(Net&, const Tensor<float>&, const Tensor<float>&)>>>
      all{
          {"train", [](Net& net, const auto& x, const auto&) { net.forward(x, Mode::train); }},
          {"eval", [](Net& net, const auto& x, const auto&) { net.forward(x, Mode::eval); }},
          {"inference", [](Net& net, const auto& x, const auto&) { net.forward(x, Mode::inference); }},
          {"backward", [](Net& net, const auto&, const auto& dy) { net.backward(dy); }},
          {"backward_parameters", [](Net& net, const auto&, const auto& dy) { net.backward_parameters(dy); }},
      };
  return all;
}

TEST(State, OfAnotherShapeIsAnError) {
  for (const Case& layer : cases()) {
    const auto x = testing::random<float>(layer.x, 1);
    Net original = layer.make();
    const auto dy = testing::random<float>(original.forward(x).shape(), 2);
    const std::size_t count = state_of(original).size();
    ASSERT_GT(count, 0U) << layer.name;
    for (std::size_t i = 0; i < count; ++i) {
      for (const Shape& shape : other_shapes(state_of(original)[i]->shape())) {
        for (const auto& [call_name, call] : calls()) {
          Net net = original;
          *state_of(net)[i] = Tensor<float>::ones(shape);
          // Without any parameter there is nothing to compute, and no state is read.
          if (call_name == "backward_parameters" && original.parameters().empty()) continue;
          EXPECT_THROW(call(net, x, dy), Error) << layer.name << ", state " << i << ": " << shape << ", " << call_name;
        }
      }
    }
  }
}

// The gradient that is there may be of another shape, too.
TEST(State, GradientsOfAnotherShapeAreAnError) {
  for (const Case& layer : cases()) {
    const auto x = testing::random<float>(layer.x, 1);
    Net net = layer.make();
    const auto dy = testing::random<float>(net.forward(x).shape(), 2);
    for (auto* parameter : net.parameters()) {
      for (const Shape& shape : other_shapes(parameter->value.shape())) {
        net.zero_grad();
        parameter->grad = Tensor<float>::ones(shape);
        if (parameter->grad.empty()) continue;  // is none
        EXPECT_THROW(net.backward(dy), ShapeError) << layer.name << ": " << shape;
      }
    }
  }
}

TEST(State, TheErrorNamesTheLayerAndBothShapes) {
  Net net{ReLU<float>{}, BatchNorm1d<float>{4}};
  net[1].get_if<BatchNorm1d<float>>()->weight.value = Tensor<float>::ones({1});
  const auto x = testing::random<float>({5, 4}, 1);
  const std::string expected = "layer 1 (BatchNorm1d 4): weight has shape (1,), expected (4,)";
  for (const Mode mode : {Mode::train, Mode::eval, Mode::inference})
    EXPECT_EQ(testing::message_of([&] { net.forward(x, mode); }), expected);
  Net folded{Linear<float>{4, 4}, BatchNorm1d<float>{4}};
  folded[1].get_if<BatchNorm1d<float>>()->running_var = Tensor<float>::ones({2, 2});
  EXPECT_EQ(testing::message_of([&] { folded.forward(x, Mode::inference); }),
            "layer 1 (BatchNorm1d 4): running_var has shape (2, 2), expected (4,)");
}

TEST(State, AChannelMapChecksWhatItIsGiven) {
  const auto of = [](Index channels) { return Tensor<float>::ones({channels}); };
  ChannelMap<float> f;
  f.then(of(4), of(4));
  EXPECT_THROW(f.then(of(3), of(3)), ShapeError);
  EXPECT_THROW(f.then(of(4), of(3)), ShapeError);
  EXPECT_THROW(f.after_adding(of(3)), ShapeError);
  EXPECT_THROW(ChannelMap<float>{}.then(of(3), of(400)), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
