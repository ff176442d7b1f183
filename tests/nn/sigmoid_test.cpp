// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/sigmoid.hpp>

#include "support/layer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Sigmoid<float>> && std::same_as<decltype(Sigmoid{}), Sigmoid<float>>);

TEST(SigmoidLayer, Gradcheck) {
  EXPECT_TRUE(gradcheck(Sigmoid<double>{}, {4, 9}));
  EXPECT_TRUE(gradcheck(Sigmoid<double>{}, {1}));
  EXPECT_TRUE(gradcheck(Sigmoid<double>{}, {2, 3, 3, 2}, {.mode = Mode::eval}));
}

TEST(SigmoidLayer, MatchesPyTorch) {
  const testing::Golden golden("activations");
  testing::expect_matches_pytorch(golden, "sigmoid", []<class T>() { return Sigmoid<T>{}; });
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
