// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/concat.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::concat_test {
namespace {

using testing::message_of;

/// Different numbers in every part.
template <class T>
Tensor<T> part(const Shape& shape, Index number) {
  Tensor<T> x = testing::counting<T>(shape);
  if (!x.empty()) x.mutable_array() += static_cast<T>(1000 * number);
  return x;
}

template <class T>
void check_concat(const Shape& shape, int axis, const std::vector<Index>& sizes) {
  std::vector<Tensor<T>> parts;
  Index total = 0;
  for (const Index size : sizes) {
    parts.push_back(part<T>(shape.with(axis, size), static_cast<Index>(parts.size())));
    total += size;
  }
  Tensor<T> expected(shape.with(axis, total));
  T* out = expected.mutable_data();
  const auto at_axis = static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis);
  testing::for_positions(expected.shape(), [&](Index i, testing::Position at) {
    std::size_t owner = 0;
    while (at[at_axis] >= sizes[owner]) at[at_axis] -= sizes[owner++];
    out[i] = parts[owner].data()[testing::number_of(parts[owner].shape(), at)];
  });
  if constexpr (std::is_floating_point_v<T>) testing::poison<T>(expected.shape());
  const Tensor<T> y = concat(parts, axis);
  EXPECT_TRUE(equal(y, expected)) << shape << " on axis " << axis;
  Index begin = 0;
  for (std::size_t i = 0; i < parts.size(); begin += sizes[i++])
    EXPECT_TRUE(equal(concat_backward(y, axis, begin, sizes[i]), parts[i])) << shape << " on axis " << axis;
}

TEST(Concat, MatchesLoopsForwardAndBackward) {
  const auto check = [](const Shape& shape, int axis, const std::vector<Index>& sizes) {
    check_concat<float>(shape, axis, sizes);
    check_concat<double>(shape, axis, sizes);
    check_concat<Index>(shape, axis, sizes);
  };
  check({1}, 0, {3, 4, 1});
  check({1}, 0, {30000, 40000});
  check({1, 5}, 0, {2, 0, 3});
  check({70, 1}, 1, {1, 600, 3});
  check({4, 1, 6}, -2, {2, 1});
  check({4, 3, 1}, 2, {1, 1, 1});
  check({2, 3, 2, 1, 2, 2}, 3, {2, 3});
  check({0, 1}, 1, {2, 3});
  check({3, 1}, 1, {0, 0});
}

TEST(Concat, OnePartIsItself) {
  const auto x = testing::random<float>({4, 5}, 1);
  EXPECT_TRUE(concat({x}, 1).shares_memory(x));
}

TEST(Concat, TakesAListOrASpan) {
  const auto x = testing::random<float>({4, 5}, 1);
  const std::vector<Tensor<float>> parts{x, x};
  EXPECT_TRUE(equal(concat({x, x}), concat(parts)));
  EXPECT_TRUE(equal(concat({x, x}), concat(std::span<const Tensor<float>>(parts))));
  EXPECT_TRUE(equal(stack({x, x}), stack(parts)));
}

TEST(Concat, RefusesShapesThatDoNotFit) {
  const auto x = Tensor<float>::zeros({2, 4});
  EXPECT_EQ(message_of([&] {
              concat({x, Tensor<float>::zeros({2, 3})}, 0);
            }),
            "concat: tensor 1 has shape (2, 3), expected (2, 4) on all axes but axis 0");
  EXPECT_THROW(concat({x, Tensor<float>::zeros({2, 4, 1})}, 0), ShapeError);
  EXPECT_EQ(message_of([&] { concat({x, x}, 2); }), "concat: axis 2 of shape (2, 4), which has rank 2");
  EXPECT_EQ(message_of([&] { concat(std::vector<Tensor<float>>{}, 0); }), "concat: no tensors");
  EXPECT_THROW(concat({Tensor<float>::zeros({}), Tensor<float>::zeros({})}, 0), ShapeError);
}

template <class T>
void check_stack(const Shape& shape, int axis, std::size_t count) {
  std::vector<Tensor<T>> parts;
  for (std::size_t i = 0; i < count; ++i) parts.push_back(part<T>(shape, static_cast<Index>(i)));
  const auto at_axis = static_cast<std::size_t>(axis < 0 ? axis + shape.rank() + 1 : axis);
  std::vector<Index> sizes(shape.begin(), shape.end());
  sizes.insert(sizes.begin() + static_cast<Index>(at_axis), static_cast<Index>(count));
  Tensor<T> expected{Shape(sizes)};
  T* out = expected.mutable_data();
  testing::for_positions(expected.shape(), [&](Index i, const testing::Position& at) {
    testing::Position inside{};
    for (std::size_t a = 0, from = 0; a < sizes.size(); ++a) {
      if (a != at_axis) inside[from++] = at[a];
    }
    out[i] = parts[static_cast<std::size_t>(at[at_axis])].data()[testing::number_of(shape, inside)];
  });
  if constexpr (std::is_floating_point_v<T>) testing::poison<T>(expected.shape());
  const Tensor<T> y = stack(parts, axis);
  EXPECT_TRUE(equal(y, expected)) << shape << " on axis " << axis;
  for (std::size_t i = 0; i < count; ++i)
    EXPECT_TRUE(equal(stack_backward(y, axis, static_cast<Index>(i)), parts[i])) << shape << " on axis " << axis;
}

TEST(Stack, MatchesLoopsForwardAndBackward) {
  for (const int axis : {0, 1, 2, -1, -3}) {
    check_stack<float>({4, 5}, axis, 3);
    check_stack<double>({4, 5}, axis, 1);
    check_stack<Index>({1, 700}, axis, 40);
  }
  check_stack<float>({}, 0, 4);
  check_stack<float>({}, -1, 4);
  check_stack<float>({2, 1, 2, 1, 3}, 4, 2);
  check_stack<float>({0, 3}, 1, 2);
}

TEST(Stack, RefusesShapesThatDiffer) {
  const auto x = Tensor<float>::zeros({2, 4});
  EXPECT_EQ(message_of([&] {
              stack({x, Tensor<float>::zeros({4, 2})}, 0);
            }),
            "stack: tensor 1 has shape (4, 2), expected (2, 4)");
  EXPECT_THROW(stack({x, x}, 3), ShapeError);
  EXPECT_THROW(stack(std::vector<Tensor<float>>{}, 0), ShapeError);
  EXPECT_THROW(stack({Tensor<float>::zeros({1, 1, 1, 1, 1, 1})}, 0), ShapeError);
}

TEST(Concat, DerivativesAreThoseOfTheForwards) {
  EXPECT_TRUE(testing::op_gradcheck(
      "concat", std::array{testing::random<double>({2, 3}, 1), testing::random<double>({2, 1}, 2)},
      [](const auto& x) {
        return concat({x[0], x[1]}, -1);
      },
      [](const auto& dy, const auto&, const auto&) {
        return std::array{concat_backward(dy, -1, 0, 3), concat_backward(dy, -1, 3, 1)};
      }));
  EXPECT_TRUE(testing::op_gradcheck(
      "stack", std::array{testing::random<double>({2, 3}, 1), testing::random<double>({2, 3}, 2)},
      [](const auto& x) {
        return stack({x[0], x[1]}, 1);
      },
      [](const auto& dy, const auto&, const auto&) {
        return std::array{stack_backward(dy, 1, 0), stack_backward(dy, 1, 1)};
      }));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::concat_test
