// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/map.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::map_test {
namespace {

TEST(Map, AppliesToEveryElementAndLeavesASharedInputAlone) {
  const auto x = testing::random<float>({100003}, 1);
  const auto y = testing::random<float>({100003}, 2);
  const Tensor<float> doubled = map(x, [](const auto& v) { return v + v; });
  const Tensor<float> product = map(x, y, [](const auto& a, const auto& b) { return a * b; });
  for (Index i = 0; i < x.numel(); ++i) {
    ASSERT_EQ(doubled.data()[i], 2 * x.data()[i]);
    ASSERT_EQ(product.data()[i], x.data()[i] * y.data()[i]);
  }
}

TEST(Map, RefusesTwoShapes) {
  const auto sum = [](const auto& a, const auto& b) { return a + b; };
  EXPECT_THROW(map(Tensor<float>::zeros({4}), Tensor<float>::zeros({3}), sum), ShapeError);
}

TEST(Map, WritesOverAnInputThatNobodyElseHolds) {
  auto x = testing::random<float>({1000}, 1);
  const float* memory = x.data();
  EXPECT_EQ(map(std::move(x), [](const auto& v) { return -v; }).data(), memory);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::map_test
