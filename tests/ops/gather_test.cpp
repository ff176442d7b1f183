// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/gather.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::gather_test {
namespace {

using testing::message_of;
using testing::number_of;
using testing::Position;
using testing::random;
using testing::random_indices;

template <class T>
void check_gather(const Shape& shape, const Shape& index_shape, int axis) {
  const Tensor<T> x = testing::counting<T>(shape);
  const Tensor<Index> index = random_indices(index_shape, shape[axis]);
  const auto at_axis = static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis);
  Tensor<T> expected(index_shape);
  Tensor<T> sums = Tensor<T>::zeros(shape);
  const Tensor<T> dy = testing::counting<T>(index_shape);
  T* out = expected.mutable_data();
  T* dx = sums.mutable_data();
  testing::for_positions(index_shape, [&](Index i, Position at) {
    at[at_axis] = index.data()[i];
    out[i] = x.data()[number_of(shape, at)];
    dx[number_of(shape, at)] += dy.data()[i];
  });
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    if constexpr (std::is_floating_point_v<T>) testing::poison<T>(index_shape);
    EXPECT_TRUE(equal(gather(x, axis, index), expected)) << shape << " on axis " << axis;
    if constexpr (std::is_floating_point_v<T>) testing::poison<T>(shape);
    EXPECT_TRUE(equal(gather_backward(dy, axis, index, shape), sums)) << shape << " on axis " << axis;
    EXPECT_TRUE(equal(scatter_add_backward(x, axis, index), expected));
  }
  set_num_threads(0);
}

TEST(Gather, MatchesLoopsForwardAndBackward) {
  const auto check = [](const Shape& shape, const Shape& index, int axis) {
    check_gather<float>(shape, index, axis);
    check_gather<double>(shape, index, axis);
    check_gather<Index>(shape, index, axis);
  };
  check({7}, {20}, 0);
  check({50, 10}, {50, 1}, 1);
  check({50, 10}, {50, 1}, -1);
  check({50, 10}, {3, 10}, 0);
  check({500, 90}, {400, 100}, 1);
  check({500, 90}, {900, 80}, 0);
  check({4, 5, 6}, {4, 9, 6}, 1);
  check({4, 5, 6}, {2, 9, 3}, 1);
  check({4, 5, 6}, {3, 2, 50}, 2);
  check({2, 3, 2, 3, 2, 3}, {2, 2, 2, 5, 1, 3}, 3);
  check({4, 5}, {0, 5}, 0);
  check({4, 5}, {4, 0}, 0);
}

TEST(Gather, RefusesAnIndexThatDoesNotFit) {
  const auto x = Tensor<float>::zeros({5, 3});
  EXPECT_EQ(message_of([&] {
              gather(x, 1, Tensor<Index>({5, 1}, {0, 1, 2, 3, 0}));
            }),
            "gather: index 3 at position 3, expected 0 to 2");
  EXPECT_EQ(message_of([&] {
              gather(x, 1, Tensor<Index>::zeros({6, 1}));
            }),
            "gather: index has shape (6, 1), expected the rank of (5, 3) and no larger a size but on axis 1");
  EXPECT_THROW(gather(x, 1, Tensor<Index>::zeros({5})), ShapeError);
  EXPECT_THROW(gather(x, 2, Tensor<Index>::zeros({5, 1})), ShapeError);
  EXPECT_THROW(scatter_add(x, 1, Tensor<Index>::zeros({5, 1}), {5, 3}), ShapeError);
  EXPECT_THROW(scatter_add(x, 1, Tensor<Index>::full({5, 3}, 3), {5, 3}), ValueError);
}

TEST(Gather, DerivativesAreThoseOfTheForwards) {
  const Tensor<Index> index = random_indices({4, 6}, 5);
  EXPECT_TRUE(testing::op_gradcheck(
      "gather", random<double>({4, 5}, 1), [&](const auto& x) { return gather(x, 1, index); },
      [&](const auto& dy, const auto& x, const auto&) { return gather_backward(dy, 1, index, x.shape()); }));
  EXPECT_TRUE(testing::op_gradcheck(
      "scatter_add along an axis", random<double>({4, 6}, 1),
      [&](const auto& x) {
        return scatter_add(x, 1, index, {4, 5});
      },
      [&](const auto& dy, const auto&, const auto&) { return scatter_add_backward(dy, 1, index); }));
}

TEST(OneHot, HasA1AtTheLabel) {
  const Tensor<Index> labels({2, 2}, {2, 0, 1, 2});
  EXPECT_TRUE(equal(one_hot(labels, 3), Tensor<float>({2, 2, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1})));
  EXPECT_TRUE(equal(one_hot<double>(Tensor<Index>({}, {1}), 2), Tensor<double>({2}, {0, 1})));
  EXPECT_EQ(one_hot(Tensor<Index>({0}), 3).shape(), (Shape{0, 3}));
  EXPECT_EQ(message_of([&] { one_hot(labels, 2); }), "one_hot: index 2 at position 0, expected 0 to 1");
  EXPECT_THROW(one_hot(labels, -1), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::gather_test
