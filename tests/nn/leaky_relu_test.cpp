// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/leaky_relu.hpp>

#include "support/layer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<LeakyReLU<float>> && std::same_as<decltype(LeakyReLU{}), LeakyReLU<float>>);

TEST(LeakyReLULayer, Gradcheck) {
  EXPECT_TRUE(gradcheck(LeakyReLU<double>{}, {4, 9}));
  EXPECT_TRUE(gradcheck(LeakyReLU<double>{}, {1}));
  EXPECT_TRUE(gradcheck(LeakyReLU<double>{}, {2, 3, 3, 2}, {.mode = Mode::eval}));
  for (const double slope : {0.3, 0.0, -0.5}) {
    EXPECT_TRUE(gradcheck(LeakyReLU<double>{{.negative_slope = slope}}, {4, 9})) << slope;
  }
}

TEST(LeakyReLULayer, MatchesPyTorch) {
  const testing::Golden golden("activations");
  testing::expect_matches_pytorch(golden, "leaky_relu", []<class T>() { return LeakyReLU<T>{}; });
  testing::expect_matches_pytorch(golden, "leaky_relu_steep",
                                  []<class T>() { return LeakyReLU<T>{{.negative_slope = 0.3}}; });
  testing::expect_matches_pytorch(golden, "leaky_relu_negative",
                                  []<class T>() { return LeakyReLU<T>{{.negative_slope = -0.5}}; });
}

TEST(LeakyReLULayer, KeepsTheOutputUnlessTheSlopeIsNegative) {
  for (const double slope : {0.01, 0.0, -0.5}) {
    LeakyReLU<float> layer{{.negative_slope = slope}};
    auto x = testing::random<float>({10}, 1);
    const Tensor<float> y = layer.forward(x, Mode::train);
    EXPECT_EQ(x.unique(), slope >= 0.0) << slope;
    EXPECT_EQ(y.unique(), slope < 0.0) << slope;
  }
}

TEST(LeakyReLULayer, RefusesASlopeThatIsNotANumber) {
  EXPECT_THROW((LeakyReLU<float>{{.negative_slope = std::nan("")}}), ValueError);
  EXPECT_THROW((LeakyReLU<float>{{.negative_slope = HUGE_VAL}}), ValueError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
