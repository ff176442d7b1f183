// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/autodiff/bridge.hpp>
#include <eigengrad/autodiff/function.hpp>
#include <eigengrad/autodiff/grad.hpp>
#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using testing::difference;
using testing::message_of;
using testing::random;

TEST(Apply, ALayerIsOneNode) {
  nn::Linear<double> layer{3, 2};
  nn::Linear<double> same = layer;
  const auto x = Variable<double>::leaf(random<double>({4, 3}, 1));
  const auto dy = random<double>({4, 2}, 2);
  apply(layer, x).backward(dy);
  same.forward(x.value(), Mode::train);
  EXPECT_TRUE(equal(x.grad(), same.backward(dy)));
  EXPECT_TRUE(equal(layer.weight.grad, same.weight.grad));
  EXPECT_TRUE(equal(layer.bias.grad, same.bias.grad));
}

TEST(Apply, ALayerThatIsUsedTwiceAddsItsGradients) {
  nn::Linear<double> layer{3, 3};
  const auto start = random<double>({2, 3}, 1);
  const auto x = Variable<double>::leaf(start);
  const auto w = Variable<double>::leaf(layer.weight.value);
  const auto b = Variable<double>::leaf(layer.bias.value);
  sum(apply(layer, apply(layer, x))).backward();
  const Tensor<double> dx = x.grad();
  Variable<double>(x).zero_grad();
  sum(linear(linear(x, w, b), w, b)).backward();
  EXPECT_LT(difference(dx, x.grad()), 1e-14);
  EXPECT_LT(difference(layer.weight.grad, w.grad()), 1e-14);
  EXPECT_LT(difference(layer.bias.grad, b.grad()), 1e-14);
}

TEST(Apply, RemembersNothingWhereNothingIsRecorded) {
  nn::Linear<double> layer{3, 2};
  const Variable<double> x(random<double>({4, 3}, 1));
  EXPECT_FALSE(apply(layer, x, Mode::inference).requires_grad());
  const NoGradGuard no_grad;
  EXPECT_FALSE(apply(layer, x).requires_grad());
}

TEST(Apply, CanBeDifferentiatedOnlyOnce) {
  nn::Linear<double> layer{3, 1};
  const auto x = Variable<double>::leaf(random<double>({1, 3}, 1));
  EXPECT_EQ(message_of([&] { grad(sum(apply(layer, x)), x, {.create_graph = true}); }),
            "grad with create_graph: a layer or a custom operation can be differentiated only once");
}

// y = a b, by hand.
struct Product {
  Tensor<double> a_, b_;
  std::array<bool, 2>* asked;

  Tensor<double> forward(const Tensor<double>& a, const Tensor<double>& b) {
    a_ = a;
    b_ = b;
    return ops::mul(a, b);
  }
  std::array<Tensor<double>, 2> backward(const Tensor<double>& dy, const std::array<bool, 2>& wanted) {
    *asked = wanted;
    return {wanted[0] ? ops::mul(dy, b_) : Tensor<double>(), wanted[1] ? ops::mul(dy, a_) : Tensor<double>()};
  }
};

TEST(Custom, APairOfForwardAndBackward) {
  std::array<bool, 2> asked{};
  const auto a = Variable<double>({2}, {2.0, 3.0});
  const auto b = Variable<double>({2}, {5.0, 7.0});
  sum(custom(Product{{}, {}, &asked}, a, b)).backward();
  EXPECT_EQ(asked, (std::array<bool, 2>{true, true}));
  EXPECT_TRUE(equal(a.grad(), b.value()));
  EXPECT_TRUE(equal(b.grad(), a.value()));
  sum(custom(Product{{}, {}, &asked}, a.detach(), b)).backward();
  EXPECT_EQ(asked, (std::array<bool, 2>{false, true}));
  EXPECT_FALSE(custom(Product{{}, {}, &asked}, a.detach(), b.detach()).requires_grad());
}

TEST(Function, IsALayerWithoutABackwardOfItsOwn) {
  const auto swish = nn::function<double>([](auto x) { return x * sigmoid(x); });
  static_assert(Layer<std::remove_const_t<decltype(swish)>>);
  EXPECT_TRUE(gradcheck(swish, {3, 4}));
  const auto scale = nn::function<double>([](auto x, auto s, auto t) { return x * s + t; }, random<double>({4}, 1),
                                          random<double>({4}, 2));
  EXPECT_TRUE(gradcheck(scale, {3, 4}));
  EXPECT_TRUE(gradcheck(nn::function<double>([](auto x) { return x.detach() * 2.0; }), Tensor<double>({0, 2})));
  nn::Sequential net{nn::Linear{4, 3}, nn::Function{[](auto x) {
                       return reshape(x * x, {x.shape()[0], 3, 1});
                     }},
                     nn::Function{[](auto x, auto s) { return sum(x, -1) * s; }, Tensor<float>::ones({3})}};
  EXPECT_EQ(net.output_shape({5, 4}), (Shape{5, 3}));
  EXPECT_EQ(net.parameters().size(), 3U);
  const nn::Sequential copy = net;
  net.forward(random<float>({5, 4}, 1));
  net.backward(random<float>({5, 3}, 2));
  EXPECT_TRUE(net.parameters()[2]->has_grad());
  EXPECT_EQ(message_of([&] {
              net.output_shape({5, 3});
            }),
            "layer 0 (Linear 4->3): input has 3 features, expected 4; input shape (5, 3)");
}

TEST(Apply, ALayerWithOtherParametersSinceIsAnError) {
  nn::Sequential<double> net{nn::Linear<double>{3, 2}};
  const auto x = Variable<double>(random<double>({4, 3}, 1));
  auto y = apply(net, x);
  net.push_back(nn::Linear<double>{2, 2});
  EXPECT_THROW(y.backward(random<double>({4, 2}, 2)), StateError);
  net = nn::Sequential<double>{nn::Linear<double>{3, 2}};
  y = apply(net, x);
  net[0] = nn::Linear<double>{5, 2};
  EXPECT_THROW(y.backward(random<double>({4, 2}, 2)), StateError);
}

// Batch normalisation twice: composed of elementary operations and differentiated by autodiff, and the layer with its
// backward written by hand.
TEST(BatchNormTwoWays, Agree) {
  const auto x = random<double>({6, 5, 4}, 1);
  const auto dy = random<double>({6, 5, 4}, 2);
  nn::BatchNorm1d<double> layer{4};
  layer.weight.value = random<double>({4}, 3);
  layer.bias.value = random<double>({4}, 4);
  const Tensor<double> by_hand = layer.forward(x, Mode::train);
  const Tensor<double> dx = layer.backward(dy);

  const auto v = Variable<double>::leaf(x);
  const auto gamma = Variable<double>::leaf(layer.weight.value);
  const auto beta = Variable<double>::leaf(layer.bias.value);
  const auto centred = v - mean(v, {0, 1}, true);
  const auto variance = mean(centred * centred, {0, 1}, true);
  const auto y = gamma * (centred / sqrt(variance + 1e-5)) + beta;
  y.backward(dy);
  EXPECT_LT(difference(y.value(), by_hand), 1e-12);
  EXPECT_LT(difference(v.grad(), dx), 1e-12);
  EXPECT_LT(difference(gamma.grad(), layer.weight.grad), 1e-12);
  EXPECT_LT(difference(beta.grad(), layer.bias.grad), 1e-12);
  const Tensor<double> running_mean = ops::mul(ops::mean(x, {0, 1}), 0.1);
  const Tensor<double> running_var = ops::add(ops::mul(ops::var(x, {0, 1}), 0.1), 0.9);
  EXPECT_LT(difference(layer.running_mean, running_mean), 1e-12);
  EXPECT_LT(difference(layer.running_var, running_var), 1e-12);
}

// The same network from layers, from layers on variables, and from functions on variables.
TEST(MlpThreeWays, GiveTheSameBits) {
  manual_seed(1);
  nn::Sequential net{nn::Linear{30, 20}, nn::ReLU{}, nn::Linear{20, 10}};
  nn::Sequential applied = net;
  nn::Sequential written = net;
  const optim::SGDOptions options{.learning_rate = 0.1, .momentum = 0.9};
  optim::SGD of_net{net.parameters(), options};
  optim::SGD of_applied{applied.parameters(), options};
  optim::SGD of_written{written.parameters(), options};
  const std::vector<Parameter<float>*> p = written.parameters();
  nn::SoftmaxCrossEntropy loss;
  Rng rng(2);
  for (int step = 0; step < 100; ++step) {
    const auto x = Tensor<float>::randn({16, 30}, rng);
    const auto labels = Tensor<Index>::generate({16}, [&] { return rng.below(10); });
    const float expected = loss.forward(net.forward(x), labels);
    net.backward_parameters(loss.backward());
    of_net.step();

    const auto first = softmax_cross_entropy(apply(applied, Variable<float>(x)), labels);
    first.backward();
    of_applied.step();
    EXPECT_EQ(first.item(), expected) << step;

    const auto hidden = relu(linear(Variable<float>(x), Variable<float>(*p[0]), Variable<float>(*p[1])));
    const auto second = softmax_cross_entropy(linear(hidden, Variable<float>(*p[2]), Variable<float>(*p[3])), labels);
    second.backward();
    of_written.step();
    EXPECT_EQ(second.item(), expected) << step;
  }
}

// y = tanh(x w) v, with w used twice in the loss and v once.
Variable<double> loss_of(const Variable<double>& w, const Variable<double>& v) {
  const auto x = Variable<double>(random<double>({20, 3}, 1));
  const auto target = Variable<double>(random<double>({20, 1}, 2));
  return mse_loss(matmul(tanh(matmul(x, w)), v), target) + 1e-3 * sum(square(w));
}

// A variable made once from a parameter, before the loop, is the parameter: as in the loop that makes it anew.
TEST(VariableOfAParameter, MayBeMadeOnceBeforeTheLoop) {
  Parameter<double> w1{random<double>({3, 4}, 3)};
  Parameter<double> v1{random<double>({4, 1}, 4)};
  Parameter<double> w2 = w1;
  Parameter<double> v2 = v1;
  optim::SGD<double> once{{&w1, &v1}, {.learning_rate = 0.1, .momentum = 0.9}};
  optim::SGD<double> anew{{&w2, &v2}, {.learning_rate = 0.1, .momentum = 0.9}};
  const Variable<double> w(w1);
  const Variable<double> v(v1);
  const double first = loss_of(w, v).item();
  double last = first;
  for (int step = 0; step < 100; ++step) {
    const auto loss = loss_of(w, v);
    loss.backward();
    once.step();
    const auto expected = loss_of(Variable<double>(w2), Variable<double>(v2));
    expected.backward();
    anew.step();
    last = loss.item();
    ASSERT_NEAR(last, expected.item(), 1e-12) << step;
  }
  EXPECT_LT(last, 0.5 * first);
  EXPECT_LT(difference(w1.value, w2.value), 1e-12);
  EXPECT_TRUE(equal(w.value(), w1.value));
}

// It costs no copy of the parameter: the optimiser finds it unshared.
TEST(VariableOfAParameter, KeepsNothingBetweenSteps) {
  Parameter<double> p{random<double>({3}, 1)};
  const Variable<double> w(p);
  const double* memory = p.value.data();
  sum(w * w).backward();
  EXPECT_EQ(p.value.mutable_data(), memory);
}

// A graph keeps the value that it was computed from, also where the parameter has changed before backward.
TEST(VariableOfAParameter, AGraphKeepsTheValueOfItsMoment) {
  Parameter<double> p{Tensor<double>({}, {3.0})};
  const Variable<double> w(p);
  const auto before = w * w * w;
  p.value = Tensor<double>({}, {5.0});
  const auto after = w * w;
  EXPECT_EQ(after.item(), 25.0);
  const auto slope = grad(before, w, {.create_graph = true});
  EXPECT_EQ(slope.item(), 27.0);
  EXPECT_EQ(grad(slope, w, {.retain_graph = true}).item(), 18.0);
  (before + after).backward();
  EXPECT_EQ(w.grad().item(), 37.0);
  EXPECT_EQ(p.grad.item(), 37.0);
}

TEST(VariableOfAParameter, GradIsByTheParameter) {
  Parameter<double> p{Tensor<double>({}, {3.0})};
  const Variable<double> w(p);
  const Variable<double> again(p);
  const auto gradients = grad(w * w * again, {w, again}, Variable<double>(1.0));
  EXPECT_EQ(gradients[0].item(), 27.0);
  EXPECT_EQ(gradients[1].item(), 27.0);
  EXPECT_EQ(grad(w, w).item(), 1.0);
  w.backward();
  EXPECT_EQ(p.grad.item(), 1.0);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
