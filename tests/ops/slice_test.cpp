// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/slice.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::slice_test {
namespace {

using testing::counting;
using testing::message_of;

struct Case {
  Shape shape;
  int axis;
  Index begin, end, step;
};

const std::vector<Case> kSlices{
    {{10}, 0, 2, 7, 1},
    {{10}, 0, -3, kEnd, 1},
    {{10}, 0, 0, -4, 3},
    {{10}, 0, 1, 10, 4},
    {{10}, 0, 7, 2, 1},
    {{10}, 0, -99, 99, 1},
    {{10}, 0, 10, kEnd, 1},
    {{10}, 0, 0, 10, 100},
    {{6, 50}, 0, 1, 4, 1},
    {{6, 50}, 0, 0, 6, 2},
    {{6, 50}, 1, 3, 47, 1},
    {{6, 50}, -1, 3, 47, 5},
    {{400, 3, 60}, 1, 1, 2, 1},
    {{400, 3, 60}, 0, 5, kEnd, 7},
    {{400, 3, 60}, 2, -20, -1, 2},
    {{3, 0, 2}, 2, 0, 1, 1},
    {{3, 0, 2}, 1, 0, 1, 1},
    {{2, 3, 4, 2, 3, 2}, 3, 1, 2, 1},
    {{1, 5}, 0, 0, 1, 3},
};

/// The positions that Python's range(*slice(begin, end, step).indices(size)) gives.
std::vector<Index> taken(Index size, Index begin, Index end, Index step) {
  const auto from_start = [&](Index p) { return std::min(std::max<Index>(p < 0 ? p + size : p, 0), size); };
  std::vector<Index> positions;
  for (Index i = from_start(begin); i < from_start(end); i += step) positions.push_back(i);
  return positions;
}

template <class T>
void check(const Case& c) {
  const auto axis = static_cast<std::size_t>(c.axis < 0 ? c.axis + c.shape.rank() : c.axis);
  const std::vector<Index> positions = taken(c.shape[c.axis], c.begin, c.end, c.step);
  const Shape result = c.shape.with(c.axis, static_cast<Index>(positions.size()));
  const Tensor<T> x = counting<T>(c.shape);
  Tensor<T> expected(result);
  Tensor<T> back = Tensor<T>::zeros(c.shape);
  T* out = expected.mutable_data();
  T* dx = back.mutable_data();
  testing::for_positions(result, [&](Index i, testing::Position at) {
    at[axis] = positions[static_cast<std::size_t>(at[axis])];
    const Index source = testing::number_of(c.shape, at);
    out[i] = x.data()[source];
    dx[source] = x.data()[source];
  });
  if constexpr (std::is_floating_point_v<T>) testing::poison<T>(result);
  const Tensor<T> y = slice(x, c.axis, c.begin, c.end, c.step);
  EXPECT_TRUE(equal(y, expected)) << c.shape << c.axis << ", " << c.begin << ", " << c.end;
  if constexpr (std::is_floating_point_v<T>) testing::poison<T>(c.shape);
  EXPECT_TRUE(equal(slice_backward(y, c.shape, c.axis, c.begin, c.end, c.step), back)) << c.shape << c.axis;
  EXPECT_TRUE(equal(unslice_backward(x, c.axis, c.begin, c.end, c.step), expected));
}

TEST(Slice, MatchesLoopsForwardAndBackward) {
  for (const Case& c : kSlices) {
    check<float>(c);
    check<double>(c);
    check<Index>(c);
  }
}

TEST(Slice, AllOfAnAxisIsTheSameTensor) {
  const auto x = testing::random<float>({4, 5}, 1);
  EXPECT_TRUE(slice(x, 0, 0, kEnd).shares_memory(x));
  EXPECT_TRUE(unslice(x, x.shape(), 0, 0, kEnd).shares_memory(x));
}

TEST(Slice, RefusesWrongUse) {
  const auto x = Tensor<float>::zeros({4, 5});
  EXPECT_EQ(message_of([&] { slice(x, 2, 0, 1); }), "slice: axis 2 of shape (4, 5), which has rank 2");
  EXPECT_EQ(message_of([&] { slice(x, 0, 0, 1, 0); }), "slice: step is 0, expected more than 0");
  EXPECT_THROW(slice(x, 0, 3, 0, -1), ValueError);
  EXPECT_THROW(slice(Tensor<float>::zeros({}), 0, 0, 1), ShapeError);
  EXPECT_EQ(message_of([&] { unslice(x, {9, 5}, 0, 0, 3); }), "unslice: slice has shape (4, 5), expected (3, 5)");
  EXPECT_THROW(unslice(x, {9, 5}, 0, 0, 4, 0), ValueError);
}

TEST(Slice, DerivativesAreThoseOfTheForwards) {
  EXPECT_TRUE(testing::op_gradcheck(
      "slice", testing::random<double>({3, 7, 2}, 1), [](const auto& x) { return slice(x, 1, 1, -1, 2); },
      [](const auto& dy, const auto& x, const auto&) { return slice_backward(dy, x.shape(), 1, 1, -1, 2); }));
  EXPECT_TRUE(testing::op_gradcheck(
      "unslice", testing::random<double>({3, 3, 2}, 1),
      [](const auto& y) {
        return unslice(y, {3, 7, 2}, 1, 1, -1, 2);
      },
      [](const auto& dx, const auto&, const auto&) { return unslice_backward(dx, 1, 1, -1, 2); }));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::slice_test
