// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/data/dataset.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/sgd.hpp>
#include <eigengrad/train/fit.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

// What fit says of a network, a loss or data that are at fault.

namespace eigengrad::EIGENGRAD_ISA::train {
namespace {

using testing::message_of;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// y = s x, with the faults that a layer of one's own may have.
struct Own {
  enum class Fault { none, no_gradient, output, infinite } fault = Fault::none;
  Parameter<float> s{Tensor<float>::ones({1})};
  Tensor<float> x_ = {};
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) {
    x_ = x;
    if (fault == Fault::output) return Tensor<float>::ones({2, 2});
    if (fault == Fault::infinite) return Tensor<float>::full(x.shape(), kInfinity);
    return x;
  }
  Tensor<float> backward(Tensor<float> dy) {
    if (fault != Fault::no_gradient) s.add_grad(Tensor<float>({1}, {(dy.array() * x_.array()).sum()}));
    return dy;
  }
  void visit(auto&& f) { f("s", s); }
  std::string description() const { return "Own"; }
};

/// A loss that has forgotten what backward needs.
struct Forgetful {
  float forward(const Tensor<float>&, const Tensor<Index>&) { return 1.0F; }
  Tensor<float> backward() { return {}; }
};

data::TensorDataset<float, Index> samples(float extra = 0.0F) {
  Tensor<float> x = testing::random<float>({10, 3}, 1);
  x.mutable_data()[17] += extra;
  return {x, Tensor<Index>::zeros({10})};
}

template <class Net, class L>
std::string message_of_fit(Net net, L loss, const data::TensorDataset<float, Index>& train, double learning_rate = 0.1,
                           Index eval_freq = 100) {
  optim::SGD sgd{parameters(net), {.learning_rate = learning_rate}};
  data::Loader loader{train, {.batch_size = 5, .epochs = 20, .shuffle = false}};
  return message_of([&] { fit(net, loss, sgd, loader, samples(), {.eval_freq = eval_freq}); });
}

nn::Sequential<> net_with(Own::Fault fault) { return nn::Sequential{nn::Linear{3, 3}, Own{fault}, nn::ReLU{}}; }

TEST(FitChecks, AParameterWithoutAGradientIsNamed) {
  EXPECT_EQ(message_of_fit(net_with(Own::Fault::none), nn::SoftmaxCrossEntropy{}, samples()), "no error");
  EXPECT_EQ(message_of_fit(net_with(Own::Fault::no_gradient), nn::SoftmaxCrossEntropy{}, samples()),
            "fit: parameter 1.s has got no gradient in 40 steps; its layer's backward must call add_grad");
  EXPECT_EQ(message_of_fit(Own{Own::Fault::no_gradient}, nn::SoftmaxCrossEntropy{}, samples()),
            "SGD: step without a gradient: none of 1 parameters has one; backward comes before every step");
  EXPECT_EQ(message_of_fit(net_with(Own::Fault::no_gradient), nn::SoftmaxCrossEntropy{}, samples(), 0.1, 1),
            "fit: parameter 1.s has got no gradient in 2 steps; its layer's backward must call add_grad");
}

/// Has one parameter for batches whose first number is positive, and another one for the rest.
struct Branches {
  Own positive = {}, other = {};
  bool is_positive_ = false;
  Own& branch() { return is_positive_ ? positive : other; }
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode mode) {
    is_positive_ = x.data()[0] > 0.0F;
    return branch().forward(std::move(x), mode);
  }
  Tensor<float> backward(Tensor<float> dy) { return branch().backward(std::move(dy)); }
  void visit(auto&& f) {
    f("positive", positive.s);
    f("other", other.s);
  }
  std::string description() const { return "Branches"; }
};

TEST(FitChecks, ABatchMayLeaveOutAParameterThatAnotherOneReaches) {
  Tensor<float> x = testing::random<float>({10, 3}, 1);
  const auto with_firsts = [&](float first, float second) {  // of the two batches
    x.mutable_data()[0] = first;
    x.mutable_data()[5 * 3] = second;
    return data::TensorDataset<float, Index>{x, Tensor<Index>::zeros({10})};
  };
  for (const float first : {1.0F, -1.0F}) {
    for (const Index eval_freq : {1, 2, 100}) {
      EXPECT_EQ(message_of_fit(Branches{}, nn::SoftmaxCrossEntropy{}, with_firsts(first, -first), 0.1, eval_freq),
                "no error");
    }
  }
  EXPECT_EQ(message_of_fit(Branches{}, nn::SoftmaxCrossEntropy{}, with_firsts(-1.0F, -1.0F), 0.1, 1),
            "fit: parameter positive has got no gradient in 2 steps; its layer's backward must call add_grad");
}

TEST(FitChecks, AParameterThatTheOptimizerHasNotMayDoWithout) {
  nn::Sequential net = net_with(Own::Fault::no_gradient);
  optim::SGD sgd{parameters(net[0]), {}};
  data::Loader loader{samples(), {.batch_size = 5}};
  EXPECT_NO_THROW(fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, samples()));
}

TEST(FitChecks, ShapesThatContradictAreNamed) {
  EXPECT_EQ(message_of_fit(Own{Own::Fault::output}, nn::SoftmaxCrossEntropy{}, samples()),
            "fit: Own: forward gives shape (2, 2), but output_shape says (5, 3); input shape (5, 3)");
  EXPECT_EQ(message_of_fit(net_with(Own::Fault::none), Forgetful{}, samples()),
            "fit: the loss: backward's result has shape (0,), expected (5, 3)");
}

TEST(FitChecks, ALossThatIsNotFiniteIsExplained) {
  const auto reason = [](const std::string& message) { return message.substr(message.find("; ") + 2); };
  const auto good = net_with(Own::Fault::none);
  EXPECT_EQ(message_of_fit(good, nn::SoftmaxCrossEntropy{}, samples(kNan)),
            "fit: the loss is nan at step 2; the batch's inputs have a NaN");
  EXPECT_EQ(reason(message_of_fit(nn::Sequential{nn::Linear{3, 3}}, nn::SoftmaxCrossEntropy{}, samples(kInfinity))),
            "the batch's inputs have an infinity");
  nn::Sequential broken = good;
  broken.parameters()[1]->value.mutable_data()[0] = kNan;
  EXPECT_EQ(reason(message_of_fit(broken, nn::SoftmaxCrossEntropy{}, samples())),
            "parameter 0.bias has a NaN; a lower learning rate may help");
  EXPECT_EQ(reason(message_of_fit(net_with(Own::Fault::infinite), nn::SoftmaxCrossEntropy{}, samples())),
            "layer 1 (Own) is the first whose output has an infinity; a lower learning rate may help");
  EXPECT_EQ(reason(message_of_fit(Own{Own::Fault::infinite}, nn::SoftmaxCrossEntropy{}, samples())),
            "the network's outputs have an infinity; a lower learning rate may help");
  // A class whose probability underflows: the logarithm, not the network.
  nn::Sequential probabilities{nn::Linear{3, 3}};
  for (auto* parameter : probabilities.parameters()) parameter->value.mutable_array().setZero();
  EXPECT_EQ(reason(message_of_fit(probabilities, nn::CrossEntropy{}, samples())),
            "all outputs are finite; a lower learning rate may help");
}

TEST(FitChecks, CountCorrectRefusesOutputsOfNoClasses) {
  EXPECT_THROW(Accuracy().update(Tensor<float>(Shape{4, 0}), Tensor<Index>::zeros({4})), ShapeError);
  EXPECT_THROW(Accuracy().update(Tensor<float>::ones({4, 3}), Tensor<Index>::zeros({4, 1})), ShapeError);
  EXPECT_THROW(Accuracy().update(Tensor<float>::ones({4, 3}), Tensor<Index>::zeros({3})), ShapeError);
  Accuracy of_nothing;
  of_nothing.update(Tensor<float>(Shape{0, 0}), Tensor<Index>::zeros({0}));
  EXPECT_TRUE(std::isnan(of_nothing.value()));
}

// A callback restores the best network, as early stopping does.
TEST(FitChecks, ACallbackMayAssignToTheNetwork) {
  nn::Sequential net = net_with(Own::Fault::none);
  nn::Sequential best = net;
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.1, .momentum = 0.9}};
  data::Loader loader{samples(), {.batch_size = 5, .epochs = 10}};
  Index calls = 0;
  EXPECT_NO_THROW(fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, samples(),
                      {.eval_freq = 2, .max_grad_norm = 1.0, .on_evaluation = [&](const Measurement&) {
                         if (++calls % 2 == 0)
                           best = net;
                         else
                           net = best;
                       }}));
  EXPECT_GT(calls, 3);
  EXPECT_EQ(message_of([&] {
              fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, samples(),
                  {.eval_freq = 1, .on_evaluation = [&](const Measurement&) { net[0] = Own{}; }});
            }).substr(0, 32),
            "SGD: parameter 0 of shape (3, 3)");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::train
