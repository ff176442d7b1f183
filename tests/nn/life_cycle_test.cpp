// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/gelu.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>
#include <eigengrad/nn/softmax.hpp>
#include <eigengrad/ops/arithmetic.hpp>
#include <eigengrad/optim/adam.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

// Networks that are assigned to, moved, replaced and outlived, while an optimiser has their parameters.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using testing::message_of;

const Shape kInput{5, 4};

Sequential<float> make_net() {
  return Sequential{Linear<float>{4, 6}, ReLU<float>{},
                    Residual<float>{Sequential{Linear<float>{6, 6}, GELU<float>{}}, Sequential{Linear<float>{6, 6}}},
                    Sequential{LayerNorm<float>{6}, Linear<float>{6, 3}}};
}

void train_once(Sequential<float>& net, optim::SGD<float>& sgd) {
  SoftmaxCrossEntropy<float> loss;
  loss.forward(net.forward(testing::random<float>(kInput, 1)), Tensor<Index>::zeros({kInput[0]}));
  net.backward_parameters(loss.backward());
  sgd.step();
}

std::vector<Tensor<float>> values_of(Sequential<float>& net) {
  std::vector<Tensor<float>> values;
  for (const auto* parameter : net.parameters()) values.push_back(parameter->value);
  return values;
}

/// True if a step changes every parameter of the network.
::testing::AssertionResult trains(Sequential<float>& net, optim::SGD<float>& sgd) {
  const auto before = values_of(net);
  train_once(net, sgd);
  const auto after = values_of(net);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (equal(before[i], after[i])) return ::testing::AssertionFailure() << "parameter " << i << " is as it was";
  }
  return ::testing::AssertionSuccess();
}

TEST(LifeCycle, EarlyStoppingGoesOnWithTheSameOptimizer) {
  manual_seed(1);
  Sequential<float> net = make_net();
  optim::SGD<float> sgd{net.parameters(), {.learning_rate = 0.1, .momentum = 0.9}};
  const auto places = net.parameters();
  Sequential<float> best;
  train_once(net, sgd);
  best = net;
  const auto kept = values_of(net);
  EXPECT_TRUE(trains(net, sgd));
  net = best;
  EXPECT_EQ(net.parameters(), places);
  const auto restored = values_of(net);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(equal(restored[i], kept[i])) << i;
  EXPECT_TRUE(trains(net, sgd));
  const auto of_best = values_of(best);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(equal(of_best[i], kept[i])) << i;
}

// Every way to assign that keeps the structure: a copy, a move, a part, itself.
TEST(LifeCycle, AssignmentOfEqualStructureKeepsTheOptimizer) {
  const std::vector<std::pair<std::string, std::function<void(Sequential<float>&)>>> ways{
      {"copy",
       [](auto& net) {
         const Sequential<float> other = make_net();
         net = other;
       }},
      {"move", [](auto& net) { net = make_net(); }},
      {"itself",
       [](auto& net) {
         const Sequential<float>& same = net;
         net = same;
       }},
      {"moved to itself",
       [](auto& net) {
         auto& same = net;
         net = std::move(same);
       }},
      {"a layer",
       [](auto& net) {
         net[0] = Linear<float>{4, 6};
       }},
      {"a held layer",
       [](auto& net) {
         net[0] = AnyLayer<float>(Linear<float>{4, 6});
       }},
      {"the layer itself",
       [](auto& net) {
         *net[0].template get_if<Linear<float>>() = Linear<float>{4, 6};
       }},
      {"a copy of another network's layer",
       [](auto& net) {
         Sequential<float> other = make_net();
         net[2] = other[2];
       }},
      {"a path",
       [](auto& net) {
         net[2].template get_if<Residual<float>>()->body = Sequential{Linear<float>{6, 6}, GELU<float>{}};
       }},
      {"moved and back",
       [](auto& net) {
         Sequential<float> other = std::move(net);
         net = std::move(other);
       }},
      {"swapped twice",
       [](auto& net) {
         Sequential<float> other = make_net();
         std::swap(net, other);
         std::swap(net, other);
       }},
  };
  for (const auto& [name, change] : ways) {
    manual_seed(1);
    Sequential<float> net = make_net();
    optim::SGD<float> sgd{net.parameters(), {.learning_rate = 0.1, .momentum = 0.9}};
    train_once(net, sgd);
    change(net);
    EXPECT_TRUE(trains(net, sgd)) << name;
  }
}

/// Layers in a vector, which moves its elements' memory along when it is moved itself.
struct Stack {
  std::vector<Linear<float>> layers{Linear<float>{4, 6}, Linear<float>{6, 3}};

  Shape output_shape(const Shape& x) const { return layers[1].output_shape(layers[0].output_shape(x)); }
  Tensor<float> forward(Tensor<float> x, Mode mode) {
    return layers[1].forward(layers[0].forward(std::move(x), mode), mode);
  }
  Tensor<float> backward(Tensor<float> dy) { return layers[0].backward(layers[1].backward(std::move(dy))); }
  void visit(auto&& f) {
    for (Linear<float>& layer : layers) layer.visit(f);
  }
};

TEST(LifeCycle, ALayerWithItsParametersInAVectorKeepsTheOptimizerToo) {
  Sequential<float> net{Stack{}};
  optim::SGD<float> sgd(net.parameters(), {.learning_rate = 0.1});
  const Sequential<float> best = net;
  EXPECT_TRUE(trains(net, sgd));
  net = best;
  EXPECT_TRUE(trains(net, sgd));
}

TEST(LifeCycle, TheOptimizerGoesAlongWithWhatIsMoved) {
  Sequential<float> net = make_net();
  optim::SGD<float> sgd{net.parameters(), {.learning_rate = 0.1}};
  Sequential<float> other = make_net();
  other = std::move(net);
  EXPECT_TRUE(trains(other, sgd));

  Linear<float> linear{4, 3};
  optim::SGD<float> of_layer{parameters(linear), {.learning_rate = 0.1}};
  Sequential<float> around{std::move(linear)};
  EXPECT_TRUE(trains(around, of_layer));
}

// Every way to lose a parameter, and every call of an optimiser.
TEST(LifeCycle, AParameterThatIsGoneIsAStateError) {
  using Change = std::function<void(std::unique_ptr<Sequential<float>>&)>;
  const std::vector<std::pair<std::string, Change>> ways{
      {"destroyed", [](auto& net) { net.reset(); }},
      {"of another size",
       [](auto& net) {
         *net = Sequential{Linear<float>{4, 3}};
       }},
      {"another layer",
       [](auto& net) {
         (*net)[3] = Linear<float>{6, 3};
       }},
      {"another layer inside",
       [](auto& net) { (*(*net)[3].template get_if<Sequential<float>>())[0] = Softmax<float>{}; }},
      {"a layer moved away", [](auto& net) { const AnyLayer<float> layer = std::move((*net)[0]); }},
      {"nothing", [](auto& net) { *net = Sequential<float>{}; }},
  };
  for (const auto& [name, change] : ways) {
    auto net = std::make_unique<Sequential<float>>(make_net());
    optim::Adam<float> adam{net->parameters(), {}};
    for (auto* parameter : net->parameters()) parameter->add_grad(Tensor<float>::ones(parameter->value.shape()));
    adam.step();
    change(net);
    for (const auto& call : std::vector<std::function<void()>>{[&] { adam.step(); }, [&] { adam.zero_grad(); },
                                                               [&] { adam.clip_grad_norm(1.0); }}) {
      try {
        call();
        ADD_FAILURE() << name << ": nothing was thrown";
      } catch (const StateError& error) {
        EXPECT_NE(std::string(error.what()).find(" is gone"), std::string::npos) << name << ": " << error.what();
      }
    }
  }
  auto net = std::make_unique<Sequential<float>>(make_net());
  optim::SGD<float> sgd{net->parameters(), {}};
  (*net)[3] = Linear<float>{6, 3};
  EXPECT_EQ(message_of([&] { sgd.step(); }),
            "SGD: parameter 6 of shape (6,) is gone: its layer was destroyed or replaced by another; make a new "
            "optimiser");
}

TEST(LifeCycle, MomentsOfAParameterThatHasAnotherShapeAreAClearError) {
  Sequential<float> net{Linear<float>{4, 3}};
  optim::SGD<float> sgd{net.parameters(), {.momentum = 0.9}};
  train_once(net, sgd);
  net[0] = Linear<float>{4, 7};
  net.forward(testing::random<float>(kInput, 1));
  net.backward(testing::random<float>({5, 7}, 2));
  EXPECT_EQ(message_of([&] { sgd.step(); }), "SGD: parameter 0: momentum_buffer has shape (3, 4), expected (7, 4)");
}

/// Its copies throw on demand.
struct Fragile {
  bool throws = false;
  Fragile() = default;
  Fragile(const Fragile& other) : throws(other.throws) {
    if (throws) throw std::runtime_error("no copy");
  }
  Fragile(Fragile&&) = default;
  Fragile& operator=(const Fragile& other) {
    if (other.throws) throw std::runtime_error("no copy");
    return *this;
  }
  Fragile& operator=(Fragile&&) = default;
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
  Tensor<float> backward(Tensor<float> dy) { return dy; }
};

TEST(LifeCycle, AnAssignmentThatThrowsChangesNothing) {
  Sequential<float> net{Linear<float>{4, 3}, Fragile{}};
  optim::SGD<float> sgd{net.parameters(), {.learning_rate = 0.1}};
  Sequential<float> other{Linear<float>{4, 3}, Fragile{}};
  other[1].get_if<Fragile>()->throws = true;
  const auto before = values_of(net);
  EXPECT_THROW(net = other, std::runtime_error);
  EXPECT_THROW(net[1] = other[1], std::runtime_error);
  const auto after = values_of(net);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(equal(before[i], after[i]));
  EXPECT_TRUE(trains(net, sgd));
}

TEST(LifeCycle, APartMayBeAssignedToTheWhole) {
  Sequential<float> inner{Linear<float>{4, 4}, Linear<float>{4, 3}};
  Sequential<float> net{Linear<float>{4, 4}, inner};
  const Sequential<float>& part = *net[1].get_if<Sequential<float>>();
  const auto x = testing::random<float>(kInput, 1);
  const Tensor<float> expected = inner.forward(x);
  net = part;
  EXPECT_TRUE(equal(net.forward(x), expected));
  Sequential<float> outer{Sequential{Flatten<float>{}, inner}, Flatten<float>{}};
  outer[0] = std::move((*outer[0].get_if<Sequential<float>>())[1]);
  EXPECT_TRUE(equal(outer.forward(x), expected));
}

template <class L>
void expect_unusable(L& layer, const std::string& name) {
  const auto x = testing::random<float>(kInput, 1);
  for (const Mode mode : {Mode::train, Mode::eval, Mode::inference})
    EXPECT_THROW(layer.forward(x, mode), StateError) << name;
  EXPECT_THROW(layer.backward(x), StateError) << name;
  EXPECT_THROW(backward_parameters(layer, x), StateError) << name;
  EXPECT_THROW(output_shape(layer, x.shape(), Mode::train), StateError) << name;
  EXPECT_THROW(parameters(layer), StateError) << name;
  EXPECT_THROW(zero_grad(layer), StateError) << name;
  EXPECT_THROW(visit(layer, {.parameter = [](std::string_view, Parameter<float>&) {}}), StateError) << name;
  EXPECT_THROW(layer.multiply_adds(x.shape()), StateError) << name;
  EXPECT_FALSE(layer.description().empty()) << name;
}

TEST(LifeCycle, AContainerThatIsMovedAwayIsUnusable) {
  Sequential<float> net = make_net();
  const Sequential<float> taken = std::move(net);
  expect_unusable(net, "Sequential");
  EXPECT_THROW(net.size(), StateError);
  EXPECT_THROW(net[0], StateError);
  EXPECT_THROW(net.summary(kInput), StateError);
  const Sequential<float> copy = net;
  Sequential<float> again = copy;
  expect_unusable(again, "copy of a moved Sequential");
  again = make_net();
  EXPECT_NO_THROW(again.forward(testing::random<float>(kInput, 1)));
  Sequential<float> third = make_net();
  Sequential<float> fourth = make_net();
  third = std::move(fourth);
  expect_unusable(fourth, "Sequential that was assigned from");

  Residual<float> residual{Sequential{Linear<float>{4, 4}}};
  const Residual<float> taken_residual = std::move(residual);
  expect_unusable(residual, "Residual");

  Sequential<float> around = make_net();
  AnyLayer<float> layer = std::move(around[0]);
  expect_unusable(around[0], "AnyLayer");
  expect_unusable(around, "Sequential with a layer less");
  EXPECT_EQ(message_of([&] { around.forward(testing::random<float>(kInput, 1)); }),
            "layer 0 (moved away): AnyLayer: holds no layer; it has been moved away");
  EXPECT_EQ(around[0].get_if<Linear<float>>(), nullptr);
  around[0] = std::move(layer);
  EXPECT_NO_THROW(around.forward(testing::random<float>(kInput, 1)));
  EXPECT_FALSE(layer.has_value());  // NOLINT(bugprone-use-after-move)
}

template <class L>
void expect_nothing_kept_after_a_move(L layer) {
  const auto x = testing::random<float>(kInput, 1);
  const Tensor<float> y = layer.forward(x, Mode::train);
  L taken = std::move(layer);
  EXPECT_THROW(layer.backward(y), StateError) << describe(taken);  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(layer.backward(Tensor<float>()), StateError) << describe(taken);
  EXPECT_EQ(taken.backward(y).shape(), x.shape());
  layer = std::move(taken);
  EXPECT_THROW(taken.backward(y), StateError) << describe(layer);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(layer.backward(y).shape(), x.shape());
  if (parameters(layer).empty()) return;
  const L last = std::move(layer);
  for (const Mode mode : {Mode::train, Mode::eval, Mode::inference})
    EXPECT_THROW(layer.forward(x, mode), StateError) << describe(last);
}

TEST(LifeCycle, ALayerThatIsMovedAwayHasForgottenItsForward) {
  expect_nothing_kept_after_a_move(Linear<float>{4, 4});
  expect_nothing_kept_after_a_move(LayerNorm<float>{4});
  expect_nothing_kept_after_a_move(Dropout<float>{});
  expect_nothing_kept_after_a_move(Flatten<float>{});
  expect_nothing_kept_after_a_move(ReLU<float>{});
  expect_nothing_kept_after_a_move(GELU<float>{});
  expect_nothing_kept_after_a_move(Softmax<float>{});
}

template <class L, class Target>
void expect_loss_has_forgotten(L loss, const Target& target) {
  EXPECT_THROW(loss.backward(), StateError);
  loss.forward(Tensor<float>::full(kInput, 0.25F), target);
  L taken = std::move(loss);
  EXPECT_THROW(loss.backward(), StateError);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(taken.backward().shape(), kInput);
}

TEST(LifeCycle, ALossThatIsMovedAwayHasForgottenItsForward) {
  expect_loss_has_forgotten(SoftmaxCrossEntropy<float>{}, Tensor<Index>::zeros({5}));
  expect_loss_has_forgotten(CrossEntropy<float>{}, Tensor<Index>::zeros({5}));
  expect_loss_has_forgotten(MSELoss<float>{}, Tensor<float>::ones(kInput));
}

TEST(LifeCycle, AnOptimizerThatIsMovedAwayIsUnusable) {
  Sequential<float> net = make_net();
  optim::SGD<float> sgd{net.parameters(), {.learning_rate = 0.1}};
  optim::SGD<float> taken = std::move(sgd);
  EXPECT_EQ(message_of([&] { sgd.step(); }), "SGD: has been moved away");  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(sgd.zero_grad(), StateError);
  EXPECT_THROW(sgd.clip_grad_norm(1.0), StateError);
  EXPECT_TRUE(trains(net, taken));
}

TEST(LifeCycle, AStepWithoutAGradientIsAnError) {
  Sequential<float> net{Linear<float>{4, 3}};
  optim::SGD<float> sgd{net.parameters(), {.learning_rate = 0.1, .momentum = 0.9}};
  EXPECT_EQ(message_of([&] { sgd.step(); }),
            "SGD: step without a gradient: none of 2 parameters has one; backward comes before every step");
  train_once(net, sgd);
  EXPECT_THROW(sgd.step(), StateError);  // the gradients have been used
  net.parameters()[1]->add_grad(Tensor<float>::ones({3}));
  EXPECT_NO_THROW(sgd.step());  // one is enough
}

// A head is trained, the rest has no optimiser.
TEST(LifeCycle, GradientsThatNoOptimizerTakesDoNotPileUp) {
  manual_seed(1);
  Sequential<float> net{Linear<float>{4, 6}, Sequential{ReLU<float>{}, Linear<float>{6, 6}}, Linear<float>{6, 3}};
  optim::SGD<float> head{parameters(net[2]), {.learning_rate = 0.0}};  // so that all passes have the same gradients
  const auto all = net.parameters();
  SoftmaxCrossEntropy<float> loss;
  std::vector<Tensor<float>> first;
  double first_norm = 0.0;
  for (int step = 0; step < 5; ++step) {
    loss.forward(net.forward(testing::random<float>(kInput, 1)), Tensor<Index>::zeros({kInput[0]}));
    net.backward_parameters(loss.backward());
    const double norm = optim::clip_grad_norm(all, 1e9);
    if (step == 0) {
      first_norm = norm;
      for (const auto* parameter : all) first.push_back(parameter->grad);
    }
    EXPECT_EQ(norm, first_norm) << step;
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(equal(all[i]->grad, first[i])) << i << " at " << step;
    head.step();
  }
  // Passes without a step between them add up, whoever has the parameters.
  for (int pass = 0; pass < 3; ++pass) net.backward(Tensor<float>::ones({5, 3}));
  const Tensor<float> three = all[0]->grad;
  net.zero_grad();
  net.backward(Tensor<float>::ones({5, 3}));
  EXPECT_LT(testing::difference(three, ops::mul(all[0]->grad, 3.0F)), 1e-5);
}

TEST(LifeCycle, ANetworkWithoutAnOptimizerAddsItsGradientsUp) {
  Sequential<float> net{Linear<float>{4, 3}};
  net.forward(testing::random<float>(kInput, 1));
  const auto dy = testing::random<float>({5, 3}, 2);
  net.backward(dy);
  const Tensor<float> once = net.parameters()[0]->grad;
  net.backward(dy);
  EXPECT_TRUE(equal(net.parameters()[0]->grad, ops::mul(once, 2.0F)));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
