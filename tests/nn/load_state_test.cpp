// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/memory.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/nn/state.hpp>
#include <eigengrad/optim/adam.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn::load_state_test {
namespace {

using eigengrad::testing::message_of;

Sequential<> network() {
  return Sequential{Linear{6, 8}, BatchNorm1d{8}, ReLU{}, Residual{Sequential{Linear{8, 8}}}, Linear{8, 3}};
}

template <class O>
void train(Sequential<>& net, O& optimizer, int steps, std::uint64_t seed) {
  Rng rng(seed);
  SoftmaxCrossEntropy loss;
  for (int i = 0; i < steps; ++i) {
    loss.forward(net.forward(Tensor<float>::randn({10, 6}, rng)),
                 Tensor<Index>::generate({10}, [&] { return rng.below(3); }));
    net.backward_parameters(loss.backward());
    optimizer.step();
  }
}

TEST(LoadState, HasEveryParameterAndBufferByName) {
  Sequential<> net = network();
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state(net)) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"0.bias", "0.weight", "1.bias", "1.running_mean", "1.running_var",
                                             "1.weight", "3.body.0.bias", "3.body.0.weight", "4.bias", "4.weight"}));
}

TEST(LoadState, SharesTheMemoryUntilTheNetworkChanges) {
  Sequential<> net = network();
  optim::Adam adam{net.parameters(), {}};
  train(net, adam, 2, 1);
  const auto used = memory::stats().used_bytes;
  const State<> kept = state(net);
  EXPECT_EQ(memory::stats().used_bytes, used);
  const Tensor<float> before = net.parameters()[0]->value;
  train(net, adam, 1, 2);
  EXPECT_TRUE(equal(kept.at("0.weight"), before));
  EXPECT_FALSE(equal(kept.at("0.weight"), net.parameters()[0]->value));
}

// The best network of a run is kept and put back; optimiser and pointers go on working.
TEST(LoadState, IsPutBackInPlace) {
  Sequential<> net = network();
  Sequential<> other = net;
  optim::Adam adam{net.parameters(), {}};
  optim::Adam other_adam{other.parameters(), {}};
  train(net, adam, 3, 1);
  train(other, other_adam, 3, 1);
  const auto parameters = net.parameters();
  const State<> best = state(net);
  train(net, adam, 4, 2);
  EXPECT_TRUE(load_state(net, best).empty());
  EXPECT_EQ(net.parameters(), parameters);
  EXPECT_TRUE(equal(parameters[0]->value, best.at("0.weight")));
  const auto mean_of = [](Sequential<>& of) { return of[1].get_if<BatchNorm1d<>>()->running_mean; };
  EXPECT_TRUE(equal(mean_of(net), mean_of(other)));
  train(net, adam, 1, 3);
  EXPECT_FALSE(equal(parameters[0]->value, best.at("0.weight")));
}

TEST(LoadState, ListsAllThatDiffers) {
  Sequential<> net = network();
  State<> wrong = state(net);
  wrong.erase("0.weight");
  wrong.erase("4.bias");
  wrong["extra"] = Tensor<float>::ones({2});
  wrong["1.bias"] = Tensor<float>::ones({7});
  const Tensor<float> old = net.parameters()[2]->value;
  wrong["1.weight"] = Tensor<float>::full({8}, 5.0F);
  EXPECT_EQ(message_of([&] { load_state(net, wrong); }),
            "load_state: Sequential: missing: 0.weight, 4.bias; unexpected: extra; of another shape: 1.bias has shape "
            "(7,), expected (8,)");
  EXPECT_TRUE(equal(net.parameters()[2]->value, old));

  const StateDifferences differences = load_state(net, wrong, {.strict = false});
  EXPECT_EQ(differences.missing, (std::vector<std::string>{"0.weight", "4.bias"}));
  EXPECT_EQ(differences.unexpected, std::vector<std::string>{"extra"});
  EXPECT_EQ(differences.mismatched, std::vector<std::string>{"1.bias has shape (7,), expected (8,)"});
  EXPECT_TRUE(equal(net.parameters()[2]->value, wrong["1.weight"]));
  EXPECT_EQ(net.parameters()[3]->value.shape(), Shape({8}));
}

TEST(LoadState, RefusesOneNameTwice) {
  struct Twice {
    Parameter<float> a{Tensor<float>::ones({1})}, b{Tensor<float>::ones({1})};
    Shape output_shape(const Shape& x) const { return x; }
    Tensor<float> forward(Tensor<float> x, Mode) { return x; }
    Tensor<float> backward(Tensor<float> dy) { return dy; }
    void visit(const Visitor<float>& f) {
      f("w", a);
      f("w", b);
    }
  };
  Twice layer;
  EXPECT_EQ(message_of([&] { state(layer); }), "state: Twice has two parameters or buffers named w");
}

TEST(LoadState, OfALayerWithoutParametersIsEmpty) {
  ReLU<> relu;
  EXPECT_TRUE(state(relu).empty());
  EXPECT_TRUE(load_state(relu, {}).empty());
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn::load_state_test
