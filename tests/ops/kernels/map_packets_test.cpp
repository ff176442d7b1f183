// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/map_packets.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::detail::map_packets_test {
namespace {

using testing::random;

template <class T>
void expect_matches_loops(const Shape& shape) {
  const auto x = random<T>(shape, 1);
  const auto y = random<T>(shape, 2);
  testing::poison<T>(shape);
  const Tensor<T> one = map_packets(x, [](auto v) { return v * v; });
  testing::poison<T>(shape);
  const Tensor<T> two = map_packets(x, y, [](auto v, auto w) { return v > w ? v - w : w; });
  for (Index i = 0; i < x.numel(); ++i) {
    const T v = x.data()[i], w = y.data()[i];
    ASSERT_EQ(one.data()[i], v * v) << shape;
    ASSERT_EQ(two.data()[i], v > w ? v - w : w) << shape;
  }
}

TEST(MapPackets, MatchesLoops) {
  for (const Shape& shape : {Shape{}, Shape{0, 2}, Shape{3}, Shape{31}, Shape{64}, Shape{127}, Shape{3, 10007}}) {
    expect_matches_loops<float>(shape);
    expect_matches_loops<double>(shape);
  }
}

TEST(MapPackets, TakesWholeNumbersToo) {
  const Tensor<Index> x({3}, {-2, 0, 5});
  EXPECT_TRUE(equal(map_packets(x, [](auto v) { return v < 0 ? 0 : v; }), Tensor<Index>({3}, {0, 0, 5})));
}

TEST(MapPackets, WorksInPlaceWhereItHoldsTheOnlyReference) {
  auto x = random<float>({100}, 1);
  const float* memory = x.data();
  x = map_packets(std::move(x), [](auto v) { return v + v; });
  EXPECT_EQ(x.data(), memory);
  EXPECT_EQ(map_packets(std::move(x), random<float>({100}, 2), [](auto v, auto w) { return v + w; }).data(), memory);
}

TEST(MapPackets, RefusesTwoShapes) {
  EXPECT_THROW(map_packets(Tensor<float>({3}), Tensor<float>({4}), [](auto v, auto) { return v; }), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::map_packets_test
