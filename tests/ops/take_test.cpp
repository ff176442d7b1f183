// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/take.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::take_test {
namespace {

using testing::message_of;
using testing::number_of;
using testing::Position;
using testing::random;
using testing::random_indices;

/// Where take finds the element for a position of its result.
Position taken_from(const Position& at, std::size_t axis, const Tensor<Index>& indices, int x_rank) {
  Position in_indices{}, source{};
  const auto rank = static_cast<std::size_t>(indices.rank());
  for (std::size_t a = 0; a < rank; ++a) in_indices[a] = at[axis + a];
  for (std::size_t a = 0; a < static_cast<std::size_t>(x_rank); ++a) {
    if (a < axis) source[a] = at[a];
    if (a > axis) source[a] = at[a + rank - 1];
  }
  source[axis] = indices.data()[number_of(indices.shape(), in_indices)];
  return source;
}

template <class T>
void check_take(const Shape& shape, const Shape& indices_shape, int axis) {
  const Tensor<T> x = testing::counting<T>(shape);
  const Tensor<Index> indices = random_indices(indices_shape, shape[axis]);
  const int from_start = axis < 0 ? axis + shape.rank() : axis;
  const Tensor<T> y = take(x, indices, axis);
  EXPECT_EQ(y.rank(), shape.rank() - 1 + indices.rank());
  Tensor<T> expected(y.shape());
  Tensor<T> sums = Tensor<T>::zeros(shape);
  const Tensor<T> dy = testing::counting<T>(y.shape());
  T* out = expected.mutable_data();
  T* dx = sums.mutable_data();
  testing::for_positions(y.shape(), [&](Index i, const Position& at) {
    const Index source = number_of(shape, taken_from(at, static_cast<std::size_t>(from_start), indices, shape.rank()));
    out[i] = x.data()[source];
    dx[source] += dy.data()[i];
  });
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    if constexpr (std::is_floating_point_v<T>) testing::poison<T>(y.shape());
    EXPECT_TRUE(equal(take(x, indices, axis), expected)) << shape << " on axis " << axis;
    if constexpr (std::is_floating_point_v<T>) testing::poison<T>(shape);
    EXPECT_TRUE(equal(take_backward(dy, indices, shape, axis), sums)) << shape << " on axis " << axis;
    EXPECT_TRUE(equal(scatter_add_backward(x, indices, axis), expected));
  }
  set_num_threads(0);
}

TEST(Take, MatchesLoopsForwardAndBackward) {
  const auto check = [](const Shape& shape, const Shape& indices, int axis) {
    check_take<float>(shape, indices, axis);
    check_take<double>(shape, indices, axis);
    check_take<Index>(shape, indices, axis);
  };
  check({5}, {}, 0);
  check({5}, {8}, 0);
  check({50, 7}, {30, 4}, 0);
  check({1000, 64}, {3000}, 0);
  check({3, 1000, 30}, {500}, 1);
  check({4, 6, 5}, {3, 2}, 1);
  check({4, 6, 5}, {7}, -1);
  check({4, 300}, {1000}, 1);
  check({2, 3, 4, 2, 3, 2}, {1}, 3);
  check({4, 3}, {0}, 0);
  check({4, 0}, {5}, 0);
}

TEST(Take, SumsInFloatAreTheSameForAnyNumberOfThreads) {
  const auto dy = random<float>({3000, 33}, 1);
  const Tensor<Index> indices = random_indices({3000}, 200);
  set_num_threads(1);
  const Tensor<float> one = take_backward(dy, indices, {200, 33});
  for (const int threads : {2, 3, 5}) {
    set_num_threads(threads);
    EXPECT_TRUE(equal(take_backward(dy, indices, {200, 33}), one)) << threads;
  }
  set_num_threads(0);
}

TEST(Take, RefusesIndicesThatDoNotFit) {
  const auto x = Tensor<float>::zeros({5, 3});
  EXPECT_EQ(message_of([&] {
              take(x, Tensor<Index>({3}, {4, 0, 5}));
            }),
            "take: index 5 at position 2, expected 0 to 4");
  EXPECT_EQ(message_of([&] { take(x, Tensor<Index>({1}, {-1}), 1); }), "take: index -1 at position 0, expected 0 to 2");
  EXPECT_EQ(message_of([&] { take(x, Tensor<Index>({1}, {0}), 2); }), "take: axis 2 of shape (5, 3), which has rank 2");
  EXPECT_EQ(message_of([&] {
              take(x, Tensor<Index>::zeros({1, 1, 1, 1, 1, 1}));
            }),
            "take: indices of shape (1, 1, 1, 1, 1, 1) for axis 0 of shape (5, 3) give more than 6 axes");
  const Tensor<Index> two({2}, {0, 5});
  EXPECT_EQ(message_of([&] {
              scatter_add(Tensor<float>::zeros({3, 3}), two, {5, 3});
            }),
            "scatter_add: source has shape (3, 3), expected (2, 3)");
  EXPECT_THROW(scatter_add(Tensor<float>::zeros({2, 3}), two, {5, 3}), ValueError);
  EXPECT_THROW(scatter_add(Tensor<float>::zeros({2, 3}), two, {5, 3}, -3), ShapeError);
}

TEST(Take, DerivativesAreThoseOfTheForwards) {
  const Tensor<Index> rows = random_indices({4, 2}, 5);
  EXPECT_TRUE(testing::op_gradcheck(
      "take", random<double>({5, 3}, 1), [&](const auto& x) { return take(x, rows); },
      [&](const auto& dy, const auto& x, const auto&) { return take_backward(dy, rows, x.shape()); }));
  EXPECT_TRUE(testing::op_gradcheck(
      "scatter_add", random<double>({4, 2, 3}, 1),
      [&](const auto& x) {
        return scatter_add(x, rows, {5, 3});
      },
      [&](const auto& dy, const auto&, const auto&) { return scatter_add_backward(dy, rows); }));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::take_test
