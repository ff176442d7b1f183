// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/tanh.hpp>

#include "support/layer_parity.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Tanh<float>> && std::same_as<decltype(Tanh{}), Tanh<float>>);

TEST(TanhLayer, Gradcheck) {
  EXPECT_TRUE(gradcheck(Tanh<double>{}, {4, 9}));
  EXPECT_TRUE(gradcheck(Tanh<double>{}, {1}));
  EXPECT_TRUE(gradcheck(Tanh<double>{}, {2, 3, 3, 2}, {.mode = Mode::eval}));
}

TEST(TanhLayer, MatchesPyTorch) {
  const testing::Golden golden("activations");
  testing::expect_matches_pytorch(golden, "tanh", []<class T>() { return Tanh<T>{}; });
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
