// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/data/standardize.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/nn/state.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace standardize_test {
namespace {

using testing::message_of;

static_assert(Layer<Standardize<float>> && Layer<Standardize<double>>);

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Columns of mean 5 and deviation 2, and of mean -1 and deviation 0.5.
Tensor<double> two_columns() { return {{4, 2}, {3, -0.5, 7, -1.5, 7, -0.5, 3, -1.5}}; }

TEST(Standardize, LearnsMeanAndDeviationOfEachColumn) {
  const Standardize scaling{two_columns()};
  EXPECT_TRUE(equal(scaling.mean, Tensor<double>({2}, {5, -1})));
  EXPECT_TRUE(equal(scaling.deviation, Tensor<double>({2}, {2, 0.5})));
  EXPECT_EQ(scaling.description(), "Standardize 2");
}

TEST(Standardize, AppliesAndUndoesThem) {
  const Standardize scaling{two_columns()};
  const Tensor<double> y = scaling(two_columns());
  EXPECT_TRUE(equal(y, Tensor<double>({4, 2}, {-1, 1, 1, -1, 1, 1, -1, -1})));
  EXPECT_TRUE(equal(scaling.inverse(y), two_columns()));
  EXPECT_TRUE(equal(scaling(Tensor<double>({1, 2}, {9, 0})), Tensor<double>({1, 2}, {2, 2})));
  EXPECT_TRUE(equal(scaling(Tensor<double>({2}, {9, 0})), Tensor<double>({2}, {2, 2})));
  EXPECT_EQ(scaling(Tensor<double>({0, 2})).shape(), (Shape{0, 2}));
}

TEST(Standardize, LeavesItsArgumentAsItWas) {
  const Tensor<double> x = two_columns();
  Standardize{x}(x);
  EXPECT_TRUE(equal(x, two_columns()));
}

TEST(Standardize, TakesAxesBeforeTheFeatures) {
  const Standardize scaling{two_columns().reshape({2, 2, 2})};
  EXPECT_TRUE(equal(scaling.mean, Tensor<double>({2}, {5, -1})));
  EXPECT_EQ(scaling(two_columns().reshape({2, 1, 2, 2})).shape(), (Shape{2, 1, 2, 2}));
}

/// 0.1 has no exact sum, and a large number hides a small difference from squares that are not centred.
TEST(Standardize, OnlyShiftsAColumnThatNeverChanges) {
  Tensor<float> x(Shape{1000, 3});
  for (Index row = 0; row < 1000; ++row) {
    x.mutable_at(row, 0) = 0.1F;
    x.mutable_at(row, 1) = 1e30F;
    x.mutable_at(row, 2) = row % 2 == 0 ? 16777216.0F : 16777218.0F;
  }
  const Standardize scaling{x};
  EXPECT_TRUE(equal(scaling.mean, Tensor<float>({3}, {0.1F, 1e30F, 16777216.0F})));  // 16777217 is no float
  EXPECT_TRUE(equal(scaling.deviation, Tensor<float>({3}, {1, 1, 1})));
  EXPECT_TRUE(equal(scaling(Tensor<float>({1, 3}, {0.1F, 1e30F, 16777218.0F})), Tensor<float>({1, 3}, {0, 0, 2})));
}

/// The deviation is right in double, and 0 as a float.
TEST(Standardize, NeverDividesByZero) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const Standardize scaling{Tensor<float>({8, 1}, {0, 0, 0, 0, 0, 0, 0, tiny})};
  EXPECT_EQ(scaling.deviation(0), 1.0F);
}

TEST(Standardize, KeepsDigitsOfLongColumns) {
  Tensor<float> x(Shape{1 << 20, 1});
  for (Index row = 0; row < x.numel(); ++row) x.mutable_data()[row] = 1000.0F + (row % 2 == 0 ? 0.25F : -0.25F);
  const Standardize scaling{x};
  EXPECT_EQ(scaling.mean(0), 1000.0F);
  EXPECT_EQ(scaling.deviation(0), 0.25F);
}

TEST(Standardize, NamesWhatIsNotFinite) {
  Tensor<double> x = two_columns();
  x.mutable_at(2, 1) = kNaN;
  EXPECT_EQ(message_of([&] { Standardize{x}; }), "Standardize: row 2, column 1 is nan, expected a finite number");
  x.mutable_at(0, 1) = -kInfinity;
  EXPECT_EQ(message_of([&] { Standardize{x}; }), "Standardize: row 0, column 1 is -inf, expected a finite number");
  EXPECT_THROW(Standardize{x}, ValueError);
  EXPECT_EQ(message_of([&] {
              Standardize{Tensor<double>({2, 1}, {1e200, -1e200})};
            }),
            "Standardize: column 0 has numbers too large for their variance");
  EXPECT_EQ(message_of([&] {
              Standardize{Tensor<double>({2, 1}, {1.7e308, -1.7e308})};
            }),
            "Standardize: column 0 has numbers too large for their variance");
}

TEST(Standardize, RefusesDataWithoutRowsAndOtherFeatures) {
  EXPECT_EQ(message_of([] {
              Standardize{Tensor<float>(Shape{0, 3})};
            }),
            "Standardize: data have shape (0, 3), expected (N, features) with a row");
  EXPECT_EQ(message_of([] { Standardize{Tensor<float>(Shape{5})}; }),
            "Standardize: data have shape (5,), expected (N, features) with a row");
  EXPECT_THROW(Standardize{Tensor<float>(Shape{3, 0})}, ShapeError);
  EXPECT_EQ(message_of([] { Standardize<float>{0}; }), "Standardize: features is 0, expected more than 0");
  const Standardize scaling{two_columns()};
  const auto three = Tensor<double>::ones({4, 3});
  EXPECT_EQ(message_of([&] { scaling(three); }), "Standardize 2: input has 3 features, expected 2; input shape (4, 3)");
  EXPECT_EQ(message_of([&] { scaling.inverse(three); }),
            "Standardize 2: input has 3 features, expected 2; input shape (4, 3)");
}

TEST(Standardize, ChecksFiguresThatWereSet) {
  Standardize scaling{two_columns()}, other = scaling;
  scaling.mean = Tensor<double>({1, 2});
  EXPECT_EQ(message_of([&] { scaling(two_columns()); }), "Standardize 2: mean has shape (1, 2), expected (2,)");
  other.deviation = Tensor<double>(Shape{3});
  EXPECT_EQ(message_of([&] { other(two_columns()); }), "Standardize 2: deviation has shape (3,), expected (2,)");
}

TEST(Standardize, SaysThatItHasBeenMovedAway) {
  Standardize scaling{two_columns()};
  const Standardize taken = std::move(scaling);
  EXPECT_THROW(scaling(two_columns()), StateError);
  EXPECT_NO_THROW(taken(two_columns()));
}

TEST(Standardize, IsALayerWithTheRightGradient) {
  Rng rng(3);
  Standardize scaling{two_columns()};
  EXPECT_TRUE(gradcheck(scaling, {5, 2}));
  const auto x = Tensor<double>::ones({5, 2});
  scaling.forward(x, Mode::train);
  EXPECT_EQ(message_of([&] {
              scaling.backward(Tensor<double>({4, 2}));
            }),
            "Standardize 2: gradient of the output has shape (4, 2), expected (5, 2)");
  scaling.forward(x, Mode::inference);
  EXPECT_THROW(scaling.backward(x), StateError);
}

TEST(Standardize, IsSavedWithTheNetworkBehindItAndAlone) {
  nn::Sequential<double> net{Standardize{two_columns()}, nn::Linear<double>{2, 3}};
  const nn::State<double> state = nn::state(net);
  EXPECT_TRUE(equal(state.at("0.mean"), Tensor<double>({2}, {5, -1})));
  EXPECT_TRUE(equal(state.at("0.deviation"), Tensor<double>({2}, {2, 0.5})));
  nn::Sequential<double> again{Standardize<double>{2}, nn::Linear<double>{2, 3}};
  nn::load_state(again, state);
  EXPECT_TRUE(equal(again.forward(two_columns(), Mode::inference), net.forward(two_columns(), Mode::inference)));
  EXPECT_EQ(net.parameters().size(), 2U);  // of the Linear alone

  Standardize scaling{two_columns()};
  Standardize<double> loaded{2};
  EXPECT_TRUE(equal(loaded(two_columns()), two_columns()));
  nn::load_state(loaded, nn::state(scaling));
  EXPECT_TRUE(equal(loaded(two_columns()), scaling(two_columns())));
}

}  // namespace
}  // namespace standardize_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
