// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/multi_optimizer.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace multi_optimizer_test {

using testing::message_of;

/// Two layers and their optimisers, apart or as one.
struct Job {
  nn::Sequential<> net{nn::Linear{3, 4}, nn::Linear{4, 2}};
  SGD<float> sgd{parameters(net[0]), {.learning_rate = 0.1, .momentum = 0.9}};
  Adam<float> adam{parameters(net[1]), {.learning_rate = 0.01}};

  MultiOptimizer<SGD<float>, Adam<float>> both() const { return MultiOptimizer{sgd, adam}; }
  void add_grads(std::uint64_t seed) {
    for (Parameter<float>* p : net.parameters()) p->add_grad(testing::random<float>(p->value.shape(), seed++));
  }
};

TEST(MultiOptimizer, StepsAsEachOfItsOptimisers) {
  manual_seed(1);
  Job one;
  Job two = one;
  two.sgd = SGD<float>{parameters(two.net[0]), {.learning_rate = 0.1, .momentum = 0.9}};
  two.adam = Adam<float>{parameters(two.net[1]), {.learning_rate = 0.01}};
  auto both = one.both();
  both.set_learning_rate_factor(0.5);
  two.sgd.set_learning_rate_factor(0.5);
  two.adam.set_learning_rate_factor(0.5);
  EXPECT_EQ(both.learning_rate_factor(), 0.5);
  for (std::uint64_t step = 0; step < 3; ++step) {
    one.add_grads(10 * step);
    two.add_grads(10 * step);
    both.step();
    two.sgd.step();
    two.adam.step();
  }
  const auto a = one.net.parameters(), b = two.net.parameters();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(equal(a[i]->value, b[i]->value)) << i;
}

TEST(MultiOptimizer, ClipsByTheNormOfAllGradients) {
  Job job;
  auto both = job.both();
  job.add_grads(3);
  double squares = 0.0;
  for (const Parameter<float>* p : job.net.parameters())
    for (const float g : p->grad.span()) squares += static_cast<double>(g) * static_cast<double>(g);
  EXPECT_NEAR(both.clip_grad_norm(0.5), std::sqrt(squares), 1e-12);
  EXPECT_NEAR(grad_norm(job.net.parameters()), 0.5, 1e-6);
  both.zero_grad();
  EXPECT_FALSE(both.has_grad());
}

TEST(MultiOptimizer, LeavesOutWhatHasNoGradient) {
  Job job;
  auto both = job.both();
  set_requires_grad(job.net[0], false);
  const Tensor<float> before = job.net.parameters()[0]->value;
  job.add_grads(4);
  both.step();
  EXPECT_TRUE(equal(job.net.parameters()[0]->value, before));
  EXPECT_EQ(job.net.parameters()[2]->optimizer_steps(), 1);
  set_requires_grad(job.net[0], true);
  EXPECT_NE(message_of([&] { both.step(); }).find("SGD: step without a gradient"), std::string::npos);
}

TEST(MultiOptimizer, RefusesAParameterThatTwoHave) {
  Job job;
  EXPECT_EQ(message_of([&] {
              MultiOptimizer{job.sgd, job.sgd};
            }),
            "MultiOptimizer: two optimisers have the same parameter, of shape (4, 3)");
}

TEST(MultiOptimizer, GoesOnFromAStateOrStaysAsItIs) {
  manual_seed(2);
  Job one;
  auto both = one.both();
  one.add_grads(5);
  both.step();
  const auto state = both.state(one.net);
  ASSERT_EQ(state.parts.size(), 2U);
  Job two;
  auto other = two.both();
  two.net = one.net;
  other.load_state(two.net, state);
  one.add_grads(6);
  two.add_grads(6);
  both.step();
  other.step();
  const auto a = one.net.parameters(), b = two.net.parameters();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(equal(a[i]->value, b[i]->value)) << i;

  auto bad = state;
  bad.parts[0].learning_rate = 7.0;
  bad.parts[1].optimizer = "SGD";
  EXPECT_NE(message_of([&] { other.load_state(two.net, bad); }).find("Adam: load_state: the state is of SGD"),
            std::string::npos);
  EXPECT_EQ(other.part<0>().learning_rate(), 0.1);  // given back
  bad.parts.pop_back();
  EXPECT_EQ(message_of([&] { other.load_state(two.net, bad); }),
            "MultiOptimizer: load_state: the state has 1 parts, expected 2");
}

}  // namespace multi_optimizer_test
}  // namespace eigengrad::EIGENGRAD_ISA::optim
