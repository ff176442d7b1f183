// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

// Parameters that are frozen: requires_grad = false.

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::message_of;

/// One layer of every type that has parameters, and networks of them, with an input shape.
std::vector<std::pair<nn::AnyLayer<float>, Shape>> layers_with_parameters() {
  using Layers = std::vector<std::pair<nn::AnyLayer<float>, Shape>>;
  Layers layers;
  const auto add = [&](auto layer, const Shape& x) { layers.emplace_back(nn::AnyLayer<float>(std::move(layer)), x); };
  add(nn::Linear{6, 4}, {5, 6});
  add(nn::Conv2d{3, 4, {.kernel = 3, .padding = 1}}, {2, 6, 7, 3});
  add(nn::BatchNorm1d{6}, {5, 6});
  add(nn::BatchNorm2d{3}, {2, 6, 7, 3});
  add(nn::LayerNorm{6}, {5, 6});
  add(nn::Function{[](auto x, auto s, auto t) { return x * s + t; }, Tensor<float>::ones({6}),
                   Tensor<float>::ones({6})},
      {5, 6});
  add(nn::Residual{nn::Sequential{nn::Linear{6, 6}, nn::BatchNorm1d{6}}, nn::Sequential{nn::Linear{6, 6}}}, {5, 6});
  add(nn::Sequential{nn::Sequential{nn::Linear{6, 4}, nn::ReLU{}}, nn::LayerNorm{4}, nn::Linear{4, 3}}, {5, 6});
  return layers;
}

/// The gradients of a layer's parameters after one backward, empty where there is none, and dx at the end.
std::vector<Tensor<float>> gradients(nn::AnyLayer<float> layer, const Shape& shape, bool parameters_alone = false) {
  const Tensor<float> x = testing::random<float>(shape, 1);
  const Tensor<float> y = layer.forward(x, Mode::train);
  const Tensor<float> dy = testing::random<float>(y.shape(), 2);
  std::vector<Tensor<float>> result;
  Tensor<float> dx;
  if (parameters_alone)
    layer.backward_parameters(dy);
  else
    dx = layer.backward(dy);
  for_each_parameter(layer, [&](Parameter<float>& p) { result.push_back(p.grad); });
  result.push_back(dx);
  return result;
}

TEST(Frozen, OneParameterGetsNoGradientAndTheOthersTheSame) {
  for (auto& [layer, shape] : layers_with_parameters()) {
    const auto all = gradients(layer, shape);
    for (std::size_t frozen = 0; frozen + 1 < all.size(); ++frozen) {
      for (const bool parameters_alone : {false, true}) {
        parameters(layer)[frozen]->requires_grad = false;
        const auto some = gradients(layer, shape, parameters_alone);
        parameters(layer)[frozen]->requires_grad = true;
        for (std::size_t i = 0; i + (parameters_alone ? 1U : 0U) < all.size(); ++i) {
          if (i == frozen) {
            EXPECT_TRUE(some[i].empty()) << layer.description() << " parameter " << i;
          } else {
            EXPECT_TRUE(equal(some[i], all[i])) << layer.description() << " parameter " << i;
          }
        }
      }
    }
  }
}

TEST(Frozen, AWholeLayerPassesTheGradientOn) {
  for (auto& [layer, shape] : layers_with_parameters()) {
    const Tensor<float> dx = gradients(layer, shape).back();
    set_requires_grad(layer, false);
    EXPECT_FALSE(requires_grad(layer));
    const auto frozen = gradients(layer, shape);
    for (std::size_t i = 0; i + 1 < frozen.size(); ++i) EXPECT_TRUE(frozen[i].empty()) << layer.description();
    EXPECT_TRUE(equal(frozen.back(), dx)) << layer.description();
    set_requires_grad(layer, true);
    EXPECT_TRUE(requires_grad(layer));
  }
}

TEST(Frozen, DoesNotBecomeAGradcheckFailure) {
  nn::Linear<double> linear{4, 3};
  linear.weight.requires_grad = false;
  EXPECT_TRUE(gradcheck(linear, {2, 4}));
}

/// Counts its backwards; y = s x.
struct Counting {
  Parameter<float> s{Tensor<float>::ones({1})};
  static inline int with_dx = 0, parameters_alone = 0;
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
  Tensor<float> backward(Tensor<float> dy) {
    ++with_dx;
    s.add_grad(Tensor<float>::ones({1}));
    return dy;
  }
  void backward_parameters(const Tensor<float>&) {
    ++parameters_alone;
    s.add_grad(Tensor<float>::ones({1}));
  }
  void visit(auto&& f) { f("s", s); }
};

TEST(Frozen, AFrontPartIsNotWalked) {
  nn::Sequential net{nn::Linear{4, 4}, Counting{}, nn::ReLU{}, Counting{}, nn::Linear{4, 2}};
  for (const Index i : {0, 1}) set_requires_grad(net[i], false);
  Counting::with_dx = Counting::parameters_alone = 0;
  net.forward(testing::random<float>({3, 4}, 1));
  net.backward_parameters(testing::random<float>({3, 2}, 2));
  EXPECT_EQ(Counting::with_dx, 0);           // not the frozen one, and the first that learns does not compute dx
  EXPECT_EQ(Counting::parameters_alone, 1);  // the first that learns
  set_requires_grad(net, false);
  net.backward_parameters(testing::random<float>({3, 2}, 2));  // nothing to do
  EXPECT_EQ(Counting::parameters_alone, 1);
}

template <class Optimizer, class Options>
void expect_leaves_frozen_ones_alone(const Options& options) {
  Parameter<float> frozen{Tensor<float>::ones({5})}, learns{Tensor<float>::ones({5})}, alone{Tensor<float>::ones({5})};
  Optimizer both{{&frozen, &learns}, options}, one{{&alone}, options};
  const auto step = [&] {
    for (Parameter<float>* p : {&frozen, &learns, &alone}) p->add_grad(Tensor<float>::full({5}, 3.0F));
    EXPECT_DOUBLE_EQ(both.clip_grad_norm(1.0), one.clip_grad_norm(1.0));
    both.step();
    one.step();
    EXPECT_TRUE(equal(learns.value, alone.value));
  };
  frozen.add_grad(Tensor<float>::full({5}, 100.0F));  // and then it is frozen
  frozen.requires_grad = false;
  step();
  step();
  EXPECT_TRUE(equal(frozen.value, Tensor<float>::ones({5})));
  frozen.requires_grad = true;  // begins clean: the 100 is gone
  EXPECT_FALSE(frozen.has_grad());
  Parameter<float> fresh{Tensor<float>::ones({5})};
  Optimizer anew{{&fresh}, options};
  frozen.add_grad(Tensor<float>::full({5}, 3.0F));
  fresh.add_grad(Tensor<float>::full({5}, 3.0F));
  both.step();
  anew.step();
  EXPECT_TRUE(equal(frozen.value, fresh.value));
}

TEST(Frozen, EveryOptimizerAndClippingLeaveItAlone) {
  expect_leaves_frozen_ones_alone<optim::SGD<float>>(
      optim::SGDOptions{.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.1});
  expect_leaves_frozen_ones_alone<optim::Adam<float>>(optim::AdamOptions{.learning_rate = 0.1, .weight_decay = 0.1});
  expect_leaves_frozen_ones_alone<optim::AdamW<float>>(optim::AdamWOptions{.learning_rate = 0.1, .weight_decay = 0.1});
  expect_leaves_frozen_ones_alone<optim::RMSprop<float>>(
      optim::RMSpropOptions{.learning_rate = 0.1, .weight_decay = 0.1});
}

TEST(Frozen, AStepOfNothingElseSaysSo) {
  nn::Linear<> linear{2, 2};
  optim::SGD sgd{parameters(linear), {.learning_rate = 0.1}};
  set_requires_grad(linear, false);
  EXPECT_EQ(message_of([&] { sgd.step(); }), "SGD: step of frozen parameters: none requires a gradient");
}

TEST(Frozen, StaysSoInCopiesAndWhenMoved) {
  nn::Sequential net{nn::Linear{3, 3}, nn::Linear{3, 2}};
  set_requires_grad(net[0], false);
  nn::Sequential copy = net;
  EXPECT_FALSE(requires_grad(copy[0]));
  EXPECT_TRUE(requires_grad(copy[1]));
  nn::Sequential assigned{nn::Linear{3, 3}, nn::Linear{3, 2}};
  assigned = net;
  EXPECT_FALSE(requires_grad(assigned[0]));
  nn::Sequential moved = std::move(copy);
  EXPECT_FALSE(requires_grad(moved[0]));
  EXPECT_TRUE(requires_grad(moved[1]));
  nn::load_state(moved, nn::state(assigned));  // values alone
  set_requires_grad(moved, true);
  nn::load_state(moved, nn::state(assigned));
  EXPECT_TRUE(requires_grad(moved[0]));
}

TEST(Frozen, IsAConstantToAutodiff) {
  Parameter<float> w{Tensor<float>::ones({2})}, v{Tensor<float>::full({2}, 3.0F)};
  const autodiff::Variable<float> variable_w(w), variable_v(v);
  w.requires_grad = false;
  EXPECT_FALSE(variable_w.requires_grad());
  sum(variable_w * variable_v).backward();
  EXPECT_TRUE(w.grad.empty());
  EXPECT_TRUE(equal(v.grad, Tensor<float>::ones({2})));
  w.requires_grad = true;  // from now on
  v.zero_grad();
  sum(variable_w * variable_v).backward();
  EXPECT_TRUE(equal(w.grad, v.value));

  nn::Linear<> linear{2, 2};
  set_requires_grad(linear, false);
  EXPECT_FALSE(autodiff::apply(linear, autodiff::Variable<float>(Tensor<float>::ones({1, 2}))).requires_grad());
  auto x = autodiff::Variable<float>::leaf(Tensor<float>::ones({1, 2}));
  sum(autodiff::apply(linear, x)).backward();
  EXPECT_FALSE(x.grad().empty());
  EXPECT_TRUE(linear.weight.grad.empty());
}

TEST(Frozen, FitTrainsTheRestWithTheGradientsOfTheWhole) {
  const auto [train, test] = data::synthetic_cifar10(1, {.train = 60, .test = 20});
  manual_seed(1);
  const nn::Sequential start{nn::Flatten{}, nn::Linear{3072, 8}, nn::BatchNorm1d{8}, nn::ReLU{}, nn::Linear{8, 10}};
  nn::Sequential frozen = start, whole = start;
  for (const Index i : {1, 2}) set_requires_grad(frozen[i], false);
  optim::SGD sgd{frozen.parameters(), {.learning_rate = 0.1}};
  optim::SGD of_the_head{parameters(whole[4]), {.learning_rate = 0.1}};
  for (auto [net, optimizer] : {std::pair{&frozen, &sgd}, std::pair{&whole, &of_the_head}}) {
    data::Loader loader{train, {.batch_size = 20, .epochs = 2}};
    train::fit(*net, nn::SoftmaxCrossEntropy{}, *optimizer, loader, test, {.max_grad_norm = 0.5});
  }
  nn::Sequential before = start;
  for (std::size_t i = 0; i < before.parameters().size(); ++i) {
    const bool is_frozen = i < 4;  // weight and bias of the first Linear and of BatchNorm
    EXPECT_EQ(equal(frozen.parameters()[i]->value, before.parameters()[i]->value), is_frozen) << i;
    EXPECT_TRUE(equal(frozen.parameters()[i]->value, whole.parameters()[i]->value)) << i;
  }
}

TEST(Frozen, StandsInTheSummary) {
  nn::Sequential net{nn::Linear{1000, 300}, nn::ReLU{},
                     nn::Residual{nn::Sequential{nn::Linear{300, 300}, nn::Linear{300, 300}}}, nn::Linear{300, 10}};
  set_requires_grad(net[0], false);
  net[2].get_if<nn::Residual<>>()->body.parameters()[0]->requires_grad = false;
  EXPECT_EQ(net.summary({32, 1000}),
            "layer                                    output shape  parameters  multiply-adds\n"
            "0 Linear 1000->300 (frozen)              (32, 300)        300,300      9,600,000\n"
            "1 ReLU                                   (32, 300)              0              0\n"
            "2 Residual (partly frozen)               (32, 300)        180,600      5,760,000\n"
            "  2.body.0 Linear 300->300 (partly       (32, 300)         90,300      2,880,000\n"
            "      frozen)\n"
            "  2.body.1 Linear 300->300               (32, 300)         90,300      2,880,000\n"
            "3 Linear 300->10                         (32, 10)           3,010         96,000\n"
            "total                                    (32, 10)         483,910     15,456,000\n"
            "of these frozen                          (32, 10)         390,300              0\n");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
