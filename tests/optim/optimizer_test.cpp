// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/adamw.hpp>
#include <eigengrad/optim/rmsprop.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

using testing::message_of;

using Pointers = std::vector<Parameter<float>*>;

// A rule of one's own: p -= learning_rate sign(g), with nothing to remember.
struct SignOptions {
  double learning_rate = 1e-3;
  double weight_decay = 0.0;
};
struct SignRule {
  using Scalar = float;
  using Options = SignOptions;
  static constexpr const char* kName = "Sign";
  static constexpr std::array<const char*, 0> kState{};
  static bool keeps(const Options&, std::size_t) { return false; }
  static void check_options(const Options&) {}
  SignRule(const Options&, const StepNumbers& numbers) : rate(static_cast<float>(numbers.learning_rate)) {}
  void operator()(Index count, float* values, const float* grads, const std::array<float*, 0>&) const {
    ArrayMap<float>(values, count) -= rate * ConstArrayMap<float>(grads, count).sign();
  }
  float rate;
};
struct Sign : Optimizer<SignRule> {
  using Optimizer::Optimizer;
};

TEST(Optimizer, TakesARuleOfOnesOwn) {
  Parameter<float> a{Tensor<float>::ones({3})}, b{Tensor<float>::ones({2})};
  Sign sign{{&a, &b}, {.learning_rate = 0.5}};
  a.add_grad(Tensor<float>({3}, {-7.0F, 0.0F, 1e-3F}));
  sign.step();
  EXPECT_TRUE(equal(a.value, Tensor<float>({3}, {1.5F, 1.0F, 0.5F})));
  EXPECT_TRUE(equal(b.value, Tensor<float>::ones({2})));
}

// Sizes on both sides of chunks and of the strides that begin an array; together they take several chunks.
const std::vector<Shape> kShapes{{1}, {63}, {130, 257}, {5}, {64}, {ops::detail::kElementGrain}, {3, 17}, {50001}};

/// The parameters after four steps, some of them without all gradients.
template <class Make>
std::vector<Tensor<float>> values_after_steps(int threads, const Make& make) {
  set_num_threads(threads);
  std::vector<Parameter<float>> parameters;
  std::vector<Parameter<float>*> pointers;
  for (std::size_t i = 0; i < kShapes.size(); ++i) parameters.emplace_back(testing::random<float>(kShapes[i], i));
  for (Parameter<float>& parameter : parameters) pointers.push_back(&parameter);
  auto optimizer = make(pointers);
  for (std::size_t step = 0; step < 4; ++step) {
    for (std::size_t i = 0; i < kShapes.size(); ++i) {
      if (i % 4 != step) parameters[i].add_grad(testing::random<float>(kShapes[i], 100 * (step + 1) + i));
      testing::poison<float>(kShapes[i]);
    }
    optimizer.step();
  }
  set_num_threads(0);
  std::vector<Tensor<float>> values;
  for (const Parameter<float>& parameter : parameters) values.push_back(parameter.value);
  return values;
}

template <class Make>
void expect_same_bits_for_any_number_of_threads(const Make& make) {
  const auto one = values_after_steps(1, make);
  for (std::size_t i = 0; i < kShapes.size(); ++i) {
    EXPECT_TRUE(one[i].array().isFinite().all()) << i;
    EXPECT_FALSE(equal(one[i], testing::random<float>(kShapes[i], i))) << i;
  }
  for (const int threads : {2, 3}) {
    const auto more = values_after_steps(threads, make);
    for (std::size_t i = 0; i < kShapes.size(); ++i) EXPECT_TRUE(equal(more[i], one[i])) << i << ", " << threads;
  }
}

TEST(Optimizer, TheSameBitsForAnyNumberOfThreads) {
  expect_same_bits_for_any_number_of_threads([](const Pointers& p) {
    return SGD{p, {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.01}};
  });
  expect_same_bits_for_any_number_of_threads([](const Pointers& p) { return Adam{p, {.weight_decay = 0.01}}; });
  expect_same_bits_for_any_number_of_threads([](const Pointers& p) { return AdamW{p, {}}; });
  expect_same_bits_for_any_number_of_threads([](const Pointers& p) {
    return RMSprop{p, {.weight_decay = 0.01, .momentum = 0.9, .centered = true}};
  });
}

// One step over all parameters against each parameter with an optimiser of its own.
TEST(Optimizer, ParametersDoNotTouchEachOther) {
  struct Alone {
    Pointers parameters;
    std::vector<AdamW<float>> optimizers = {};
    void step() {
      for (std::size_t i = 0; i < optimizers.size(); ++i) {
        if (parameters[i]->has_grad()) optimizers[i].step();
      }
    }
  };
  const AdamWOptions options{.learning_rate = 0.1, .weight_decay = 0.1};
  const auto together = values_after_steps(2, [&](const Pointers& p) { return AdamW{p, options}; });
  const auto alone = values_after_steps(1, [&](const Pointers& p) {
    Alone all{p};
    for (Parameter<float>* parameter : p) all.optimizers.push_back(AdamW<float>{{parameter}, options});
    return all;
  });
  for (std::size_t i = 0; i < kShapes.size(); ++i) EXPECT_LT(testing::difference(together[i], alone[i]), 1e-6) << i;
}

TEST(Optimizer, GradientsThatDoNotFitChangeNothing) {
  const auto check = [](const auto& make) {
    Parameter<float> first{Tensor<float>::ones({3})}, second{Tensor<float>::ones({70000})};
    Parameter<float> control{Tensor<float>::ones({3})};
    auto optimizer = make(Pointers{&first, &second});
    auto other = make(Pointers{&control});
    first.add_grad(Tensor<float>::ones({3}));
    second.grad = Tensor<float>::ones({4});
    EXPECT_THROW(optimizer.step(), ShapeError);
    EXPECT_TRUE(equal(first.value, Tensor<float>::ones({3})));
    EXPECT_TRUE(first.has_grad());
    second.zero_grad();
    // The step after it is the first one: neither a count nor a mean has moved.
    optimizer.step();
    control.add_grad(Tensor<float>::ones({3}));
    other.step();
    EXPECT_TRUE(equal(first.value, control.value));
    first.value = Tensor<float>::ones({5});
    first.grad = Tensor<float>::ones({5});
    EXPECT_THROW(optimizer.step(), ShapeError);  // what is kept is that of another shape
  };
  check([](const Pointers& p) { return SGD{p, {.momentum = 0.9}}; });
  check([](const Pointers& p) { return Adam{p, {}}; });
  check([](const Pointers& p) { return AdamW{p, {}}; });
  check([](const Pointers& p) { return RMSprop{p, {.momentum = 0.9, .centered = true}}; });
}

TEST(Optimizer, GroupsOverrideRateAndDecay) {
  std::vector<Parameter<double>> p(3, Parameter<double>(Tensor<double>::ones({2})));
  SGD<double> sgd{{{.parameters = {&p[0]}, .learning_rate = 0.25},
                   {.parameters = {&p[1]}, .weight_decay = 1.0},
                   {.parameters = {&p[2]}}},
                  {.learning_rate = 0.5}};
  EXPECT_EQ(sgd.groups(), 3);
  const auto step = [&] {
    for (Parameter<double>& parameter : p) {
      parameter.value = Tensor<double>::ones({2});
      parameter.add_grad(Tensor<double>::full({2}, 2.0));
    }
    sgd.step();
    return std::vector<double>{p[0].value(0), p[1].value(0), p[2].value(1)};
  };
  EXPECT_EQ(step(), (std::vector<double>{1 - 0.25 * 2, 1 - 0.5 * 3, 1 - 0.5 * 2}));
  sgd.set_learning_rate_factor(0.5);
  EXPECT_EQ(step(), (std::vector<double>{1 - 0.125 * 2, 1 - 0.25 * 3, 1 - 0.25 * 2}));
  EXPECT_EQ(sgd.learning_rate(), 0.5);
  sgd.set_learning_rate(1.0);
  EXPECT_EQ(step(), (std::vector<double>{1 - 0.125 * 2, 1 - 0.5 * 3, 1 - 0.5 * 2}));
  EXPECT_EQ(sgd.effective_learning_rate(0), 0.125);
  EXPECT_EQ(sgd.effective_learning_rate(2), 0.5);
  EXPECT_EQ(sgd.learning_rate_factor(), 0.5);
  EXPECT_THROW(sgd.effective_learning_rate(3), ValueError);
  EXPECT_THROW(sgd.effective_learning_rate(-1), ValueError);
  EXPECT_THROW(sgd.set_learning_rate_factor(-0.5), ValueError);
}

TEST(Optimizer, RefusesGroupsThatAreWrong) {
  Parameter<float> a{Tensor<float>::ones({3})}, b{Tensor<float>::ones({3})};
  EXPECT_EQ(message_of([&] { AdamW adam{{&a, &b, &a}, {}}; }), "AdamW: parameter 2 is parameter 0 once more");
  EXPECT_EQ(message_of([&] {
              SGD sgd{{{.parameters = {&a}}, {.parameters = {&b, &a}}}, {}};
            }),
            "SGD: parameter 2 is parameter 0 once more");
  EXPECT_EQ(message_of([&] {
              SGD sgd{{{.parameters = {&a}}, {.parameters = {&b}, .learning_rate = -1.0}}, {}};
            }),
            "SGD: learning_rate of group 1 is -1, expected 0 or more");
  EXPECT_EQ(message_of([&] {
              SGD sgd{{{.parameters = {&a}, .weight_decay = -2.0}}, {}};
            }),
            "SGD: weight_decay of group 0 is -2, expected 0 or more");
  EXPECT_EQ(message_of([&] { SGD<float>(Pointers{&a, nullptr}, {}); }), "SGD: parameter 1 is a null pointer");
  EXPECT_THROW((SGD<float>{std::vector<ParameterGroup<float>>{{}, {}}, {}}), ValueError);
}

// A layer with a weight, a bias and a scalar.
struct Three {
  Parameter<float> weight{Tensor<float>::ones({2, 2})}, bias{Tensor<float>::ones({2})}, scale{Tensor<float>::ones({})};
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
  Tensor<float> backward(Tensor<float> dy) { return dy; }
  void visit(auto&& f) {
    f("weight", weight);
    f("bias", bias);
    f("scale", scale);
  }
};

TEST(DecayWeightsOnly, DecaysWhatHasTwoAxesOrMore) {
  Three layer;
  AdamW adam{decay_weights_only(layer), {.learning_rate = 0.5, .weight_decay = 0.5}};
  for (Parameter<float>* parameter : parameters(layer)) {
    parameter->add_grad(Tensor<float>::zeros(parameter->value.shape()));
  }
  adam.step();
  EXPECT_TRUE(equal(layer.weight.value, Tensor<float>::full({2, 2}, 0.75F)));
  EXPECT_TRUE(equal(layer.bias.value, Tensor<float>::ones({2})));
  EXPECT_EQ(layer.scale.value.item(), 1.0F);
}

TEST(Optimizer, ACopyGoesOnByItself) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  SGD first{{&parameter}, {.learning_rate = 1.0, .momentum = 1.0}};
  parameter.add_grad(Tensor<float>::ones({3}));
  first.step();
  SGD second = first;
  for (auto* sgd : {&first, &second}) {
    parameter.value = Tensor<float>::zeros({3});
    parameter.add_grad(Tensor<float>::ones({3}));
    sgd->step();
    EXPECT_EQ(parameter.value(0), -2.0F);
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
