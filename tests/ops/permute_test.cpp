// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/permute.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::permute_test {
namespace {

using testing::counting;
using testing::message_of;

template <class T>
void check(const Shape& shape, const AxisOrder& order) {
  const Tensor<T> x = counting<T>(shape);
  const Shape result = permuted_shape(shape, order);
  Tensor<T> expected(result);
  T* out = expected.mutable_data();
  testing::for_positions(result, [&](Index i, const testing::Position& at) {
    testing::Position source{};
    for (int axis = 0; axis < shape.rank(); ++axis)
      source[static_cast<std::size_t>(order[axis])] = at[static_cast<std::size_t>(axis)];
    out[i] = x.data()[testing::number_of(shape, source)];
  });
  if constexpr (std::is_floating_point_v<T>) testing::poison<T>(result);
  const Tensor<T> y = permute(x, order);
  EXPECT_TRUE(equal(y, expected)) << shape;
  EXPECT_TRUE(equal(permute_backward(y, order), x)) << shape;
}

TEST(Permute, MatchesLoopsAndItsBackwardUndoesIt) {
  const auto both = [](const Shape& shape, const AxisOrder& order) {
    check<float>(shape, order);
    check<double>(shape, order);
    check<Index>(shape, order);
    check<bool>(shape, order);
  };
  both({}, {});
  both({5}, {0});
  both({5}, {-1});
  both({33, 50}, {1, 0});
  both({3, 4, 5}, {2, 0, 1});
  both({3, 4, 5}, {-1, 0, -2});
  both({2, 17, 18, 3}, {0, 3, 1, 2});
  both({2, 3, 17, 18}, {0, 2, 3, 1});
  both({3, 5, 2, 7}, {1, 0, 2, 3});
  both({2, 3, 4, 2, 3, 2}, {5, 2, 0, 4, 1, 3});
  both({1, 6, 1, 4}, {3, 2, 0, 1});
  both({4, 0, 3}, {2, 1, 0});
}

TEST(Permute, MovesNothingWhereOnlyAxesOfOneElementMove) {
  const auto x = testing::random<float>({1, 6, 1, 4}, 1);
  EXPECT_TRUE(permute(x, {1, 0, 3, 2}).shares_memory(x));
  EXPECT_EQ(permute(x, {1, 0, 3, 2}).shape(), (Shape{6, 1, 4, 1}));
  EXPECT_FALSE(permute(x, {0, 3, 2, 1}).shares_memory(x));
}

TEST(Permute, RefusesWhatIsNoOrderOfAllAxes) {
  const auto x = Tensor<float>::zeros({2, 3});
  EXPECT_EQ(message_of([&] { permute(x, {0, 1, 2}); }), "permute: order of 3 axes, expected 2; shape (2, 3)");
  EXPECT_EQ(message_of([&] { permute(x, {0, 0}); }), "permute: axis 0 of 2 axes, expected each of them once");
  EXPECT_EQ(message_of([&] { permute(x, {0, 2}); }), "permute: axis 2 of 2 axes, expected each of them once");
  EXPECT_THROW(permute(x, {0, -2}), ShapeError);
  EXPECT_THROW(permute(x, {0, -3}), ShapeError);
  EXPECT_THROW(permute(x, {0, 1, 2, 3, 4, 5, 6}), ShapeError);
}

TEST(Transpose, SwapsTwoAxesAndItsBackwardUndoesIt) {
  const auto x = testing::random<double>({2, 3, 4, 5}, 1);
  EXPECT_TRUE(equal(transpose(x, 1, 3), permute(x, {0, 3, 2, 1})));
  EXPECT_TRUE(equal(transpose(x, -1, 0), permute(x, {3, 1, 2, 0})));
  EXPECT_TRUE(transpose(x, 2, -2).shares_memory(x));
  EXPECT_TRUE(equal(transpose_backward(transpose(x, 1, 3), 1, 3), x));
  EXPECT_EQ(message_of([&] { transpose(x, 0, 4); }), "transpose: axis 4 of shape (2, 3, 4, 5), which has rank 4");
  EXPECT_THROW(transpose(Tensor<float>::zeros({}), 0, 0), ShapeError);
}

TEST(Permute, DerivativesAreThoseOfTheForwards) {
  const auto x = testing::random<double>({2, 3, 4}, 1);
  EXPECT_TRUE(testing::op_gradcheck(
      "permute", x,
      [](const auto& v) {
        return permute(v, {2, 0, 1});
      },
      [](const auto& dy, const auto&, const auto&) {
        return permute_backward(dy, {2, 0, 1});
      }));
  EXPECT_TRUE(testing::op_gradcheck(
      "transpose", x, [](const auto& v) { return transpose(v, 0, -1); },
      [](const auto& dy, const auto&, const auto&) { return transpose_backward(dy, 0, -1); }));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::permute_test
