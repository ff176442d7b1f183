// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/silu.hpp>

#include "support/layer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<SiLU<float>> && std::same_as<decltype(SiLU{}), SiLU<float>>);

TEST(SiLULayer, Gradcheck) {
  EXPECT_TRUE(gradcheck(SiLU<double>{}, {4, 9}));
  EXPECT_TRUE(gradcheck(SiLU<double>{}, {1}));
  EXPECT_TRUE(gradcheck(SiLU<double>{}, {2, 3, 3, 2}, {.mode = Mode::eval}));
}

TEST(SiLULayer, MatchesPyTorch) {
  const testing::Golden golden("activations");
  testing::expect_matches_pytorch(golden, "silu", []<class T>() { return SiLU<T>{}; });
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
