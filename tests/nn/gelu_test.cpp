// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/gelu.hpp>

#include "support/layer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<GELU<float>> && std::same_as<decltype(GELU{}), GELU<float>>);

TEST(GELULayer, Gradcheck) {
  EXPECT_TRUE(gradcheck(GELU<double>{}, {4, 9}));
  EXPECT_TRUE(gradcheck(GELU<double>{}, {1}));
  EXPECT_TRUE(gradcheck(GELU<double>{}, {2, 3, 3, 2}, {.mode = Mode::eval}));
  EXPECT_TRUE(gradcheck(GELU<double>{{.approximate = Approximate::tanh}}, {4, 9}));
}

TEST(GELULayer, MatchesPyTorch) {
  const testing::Golden golden("activations");
  testing::expect_matches_pytorch(golden, "gelu", []<class T>() { return GELU<T>{}; });
  testing::expect_matches_pytorch(golden, "gelu_tanh",
                                  []<class T>() { return GELU<T>{{.approximate = Approximate::tanh}}; });
}

TEST(GELULayer, TheTwoFormsDiffer) {
  const auto x = testing::random<float>({100}, 1);
  const Tensor<float> exact = GELU{}.forward(x, Mode::inference);
  const Tensor<float> approximate = GELU{{.approximate = Approximate::tanh}}.forward(x, Mode::inference);
  EXPECT_FALSE(equal(exact, approximate));
  EXPECT_LT(testing::difference(approximate, exact), 1e-3);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
