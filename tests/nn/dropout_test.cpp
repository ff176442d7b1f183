// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/sequential.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Dropout<float>> && std::same_as<decltype(Dropout{{.p = 0.1}}), Dropout<float>>);

TEST(DropoutLayer, Gradcheck) {
  for (const double p : {0.0, 0.3, 0.5, 1.0}) {
    EXPECT_TRUE(gradcheck(Dropout<double>{{.p = p}}, {4, 9})) << p;
    EXPECT_TRUE(gradcheck(Dropout<double>{{.p = p}}, {4, 9}, {.mode = Mode::eval})) << p;
  }
  EXPECT_TRUE(gradcheck(Sequential{Linear<double>{4, 6}, Dropout<double>{}, Linear<double>{6, 3}}, {5, 4}));
}

TEST(DropoutLayer, KeepsTheMean) {
  constexpr Index kCount = 1 << 20;
  for (const double p : {0.1, 0.5, 0.8}) {
    const Tensor<double> y = Dropout<double>{{.p = p}}.forward(Tensor<double>::ones({kCount}), Mode::train);
    EXPECT_NEAR(y.array().mean(), 1.0, 4.0 * std::sqrt(p / (1.0 - p) / static_cast<double>(kCount))) << p;
  }
}

TEST(DropoutLayer, TakesFreshNumbersInEveryForwardOfTraining) {
  Dropout<float> layer;
  Dropout<float> copy = layer;
  const auto ones = Tensor<float>::ones({1000});
  const Tensor<float> first = layer.forward(ones, Mode::train);
  layer.forward(ones, Mode::eval);  // takes none
  const Tensor<float> second = layer.forward(ones, Mode::train);
  EXPECT_FALSE(equal(first, second));
  EXPECT_TRUE(equal(copy.forward(ones, Mode::train), first));
  EXPECT_TRUE(equal(copy.forward(ones, Mode::train), second));
}

// As documented: one object twice in a network is one sequence of masks; two objects are two.
TEST(DropoutLayer, TwoObjectsInANetworkDropDifferentPlaces) {
  const auto ones = Tensor<float>::ones({1000});
  const auto left_of_two = [&](Sequential<float> net) {
    const Tensor<float> y = net.forward(ones);
    return (y.array() != 0.0F).count();
  };
  const Dropout<float> one;
  const Index once = left_of_two(Sequential<float>{one});
  EXPECT_EQ(left_of_two(Sequential<float>{one, one}), once);
  const Index of_two = left_of_two(Sequential<float>{Dropout<float>{}, Dropout<float>{}});
  EXPECT_GT(of_two, 150);
  EXPECT_LT(of_two, 350);
}

TEST(DropoutLayer, IsFixedByManualSeedAndEveryLayerHasItsOwnNumbers) {
  const auto ones = Tensor<float>::ones({1000});
  manual_seed(4);
  const Tensor<float> y = Dropout{}.forward(ones, Mode::train);
  EXPECT_FALSE(equal(Dropout{}.forward(ones, Mode::train), y));
  manual_seed(4);
  EXPECT_TRUE(equal(Dropout{}.forward(ones, Mode::train), y));
}

TEST(DropoutLayer, IsTheSameForAnyNumberOfThreads) {
  const Dropout<float> layer;
  const auto x = testing::random<float>({100003}, 1);
  const auto run = [&](int threads) {
    set_num_threads(threads);
    Dropout<float> copy = layer;
    const Tensor<float> y = copy.forward(x, Mode::train);
    const Tensor<float> dx = copy.backward(x);
    EXPECT_TRUE(equal(y, dx));
    return y;
  };
  const Tensor<float> y = run(1);
  for (const int threads : {2, 3}) EXPECT_TRUE(equal(run(threads), y));
  set_num_threads(0);
}

TEST(DropoutLayer, IsTheIdentityOutsideTraining) {
  Dropout<float> layer;
  auto x = testing::random<float>({100}, 1);
  EXPECT_TRUE(layer.forward(x, Mode::eval).shares_memory(x));
  const auto dy = testing::random<float>({100}, 2);
  EXPECT_TRUE(layer.backward(dy).shares_memory(dy));
  EXPECT_TRUE(layer.forward(x, Mode::inference).shares_memory(x));
  EXPECT_TRUE(x.unique());
}

TEST(DropoutLayer, BackwardIsZeroExactlyWhereForwardIs) {
  Dropout<float> layer{{.p = 0.7}};
  const auto ones = Tensor<float>::ones({40, 41});
  const Tensor<float> y = layer.forward(ones, Mode::train);
  const Tensor<float> dx = layer.backward(ones);
  EXPECT_TRUE(equal(dx, y));
  EXPECT_GT((y.array() == 0.0F).count(), 1000);
  EXPECT_GT((y.array() != 0.0F).count(), 300);
}

TEST(DropoutLayer, RefusesWrongUse) {
  EXPECT_THROW((Dropout<float>{{.p = -0.1}}), ValueError);
  EXPECT_THROW((Dropout<float>{{.p = std::nan("")}}), ValueError);
  EXPECT_EQ(testing::message_of([] { Dropout{{.p = 1.5}}; }), "Dropout: p is 1.5, expected 0 to 1");
  Dropout<float> layer;
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({2})), StateError);
  for (const Mode mode : {Mode::train, Mode::eval}) {
    layer.forward(Tensor<float>::zeros({2}), mode);
    EXPECT_THROW(layer.backward(Tensor<float>::zeros({3})), ShapeError);
  }
  layer.forward(Tensor<float>::zeros({2}), Mode::inference);
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({2})), StateError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
