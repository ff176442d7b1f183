// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/optim/lookahead.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace lookahead_test {

using testing::message_of;

// 40,003 elements: several chunks of the loop, and a last block that is not full.
TEST(Lookahead, GoesBackToSlowWeightsAfterEveryKthStep) {
  constexpr Index kCount = 40003;
  constexpr double kRate = 0.1, kAlpha = 0.3;
  Parameter<double> p(testing::random<double>({kCount}, 1));
  Tensor<double> fast = p.value, slow = p.value;
  Lookahead lookahead{SGD{std::vector{&p}, {.learning_rate = kRate}}, {.k = 3, .alpha = kAlpha}};
  for (int step = 1; step <= 7; ++step) {
    const Tensor<double> grad = testing::random<double>({kCount}, static_cast<std::uint64_t>(10 + step));
    p.add_grad(grad);
    lookahead.step();
    for (Index i = 0; i < kCount; ++i) {
      double& f = fast.mutable_data()[i];
      double& s = slow.mutable_data()[i];
      f -= kRate * grad.data()[i];
      if (step % 3 != 0) continue;
      s += kAlpha * (f - s);
      f = s;
    }
    EXPECT_LT(testing::difference(p.value, fast), 1e-15) << step;
  }
}

TEST(Lookahead, GoesOnFromAState) {
  nn::Linear<float> layer{3, 2}, other{3, 2};
  const auto step = [](nn::Linear<float>& l, auto& optimizer, std::uint64_t seed) {
    l.weight.add_grad(testing::random<float>(l.weight.value.shape(), seed));
    l.bias.add_grad(testing::random<float>({2}, seed + 1));
    optimizer.step();
  };
  const auto make = [](nn::Linear<float>& l) {
    return Lookahead{SGD{parameters(l), {.learning_rate = 0.1, .momentum = 0.9}}, {.k = 2}};
  };
  auto one = make(layer), two = make(other);
  step(layer, one, 1);
  step(layer, one, 3);
  step(layer, one, 5);
  other = layer;
  two.load_state(other, one.state(layer));
  step(layer, one, 7);
  step(other, two, 7);
  EXPECT_TRUE(equal(layer.weight.value, other.weight.value));
  EXPECT_TRUE(equal(layer.bias.value, other.bias.value));
}

TEST(Lookahead, RefusesOptionsOutOfRange) {
  Parameter<float> p(Tensor<float>::ones({2}));
  const auto message = [&](const LookaheadOptions& options) {
    return message_of([&] { Lookahead{SGD{std::vector{&p}}, options}; });
  };
  EXPECT_NE(message({.k = 0}).find("Lookahead: k is 0"), std::string::npos);
  EXPECT_NE(message({.alpha = 1.1}).find("Lookahead: alpha is 1.1"), std::string::npos);
}

}  // namespace lookahead_test
}  // namespace eigengrad::EIGENGRAD_ISA::optim
