// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>

#include <gtest/gtest.h>

#include <eigengrad/ops/pad.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::pad_test {
namespace {

using testing::message_of;

template <class T>
void check(const Shape& shape, const Padding& padding, T value) {
  const Tensor<T> x = testing::counting<T>(shape);
  const Shape result = padded_shape(shape, padding);
  Tensor<T> expected(result);
  Tensor<T> back = Tensor<T>::zeros(shape);
  T* out = expected.mutable_data();
  T* dx = back.mutable_data();
  const Tensor<T> dy = testing::counting<T>(result);
  testing::for_positions(result, [&](Index i, testing::Position at) {
    bool inside = true;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      Index& position = at[static_cast<std::size_t>(axis)];
      position -= padding[axis].before;
      inside = inside && position >= 0 && position < shape[axis];
    }
    out[i] = inside ? x.data()[testing::number_of(shape, at)] : value;
    if (inside) dx[testing::number_of(shape, at)] = dy.data()[i];
  });
  if constexpr (std::is_floating_point_v<T>) testing::poison<T>(result);
  EXPECT_TRUE(equal(pad(x, padding, value), expected)) << shape << " to " << result;
  if constexpr (std::is_floating_point_v<T>) testing::poison<T>(shape);
  EXPECT_TRUE(equal(pad_backward(dy, padding), back)) << shape << " to " << result;
}

TEST(Pad, MatchesLoopsForwardAndBackward) {
  const auto all = [](const Shape& shape, const Padding& padding) {
    check<float>(shape, padding, 2.5F);
    check<double>(shape, padding, 0.0);
    check<Index>(shape, padding, -7);
  };
  all({}, {});
  all({5}, {{2, 3}});
  all({5}, {{-2, -1}});
  all({5}, {{-2, 4}});
  all({5}, {{-3, -2}});
  all({3, 4}, {{1, 2}, {0, 0}});
  all({3, 4}, {{0, 0}, {2, 0}});
  all({3, 4}, {{-1, 1}, {3, -2}});
  all({2, 13, 17, 3}, {{0, 0}, {4, 4}, {4, 4}, {0, 0}});
  all({4, 40, 50}, {{1, 0}, {0, -1}, {20, 30}});
  all({2, 1, 2, 1, 2, 3}, {{0, 1}, {1, 0}, {0, 0}, {1, 1}, {-1, 0}, {2, 2}});
  all({0, 3}, {{1, 2}, {0, 1}});
  all({3, 0}, {{1, 2}, {0, 0}});
  all({3, 2}, {{-3, 0}, {1, 1}});
}

TEST(Pad, NoWidthIsTheSameTensor) {
  const auto x = testing::random<float>({4, 5}, 1);
  EXPECT_TRUE(pad(x, {{0, 0}, {0, 0}}).shares_memory(x));
}

TEST(Pad, TheNumberOfThreadsChangesNothing) {
  const auto x = testing::random<float>({8, 32, 32, 3}, 1);
  const Padding padding{{0, 0}, {4, 4}, {4, 4}, {0, 0}};
  set_num_threads(1);
  const Tensor<float> one = pad(x, padding);
  set_num_threads(3);
  EXPECT_TRUE(equal(pad(x, padding), one));
  set_num_threads(0);
}

TEST(Pad, RefusesWidthsThatDoNotFit) {
  const auto x = Tensor<float>::zeros({3, 4});
  EXPECT_EQ(message_of([&] { pad(x, {{1, 1}}); }), "pad: widths for 1 axes, expected 2; shape (3, 4)");
  EXPECT_EQ(message_of([&] {
              pad(x, {{-4, 0}, {0, 0}});
            }),
            "pad: widths -4 and 0 on axis 0 take more than there is; shape (3, 4)");
  EXPECT_THROW(pad(x, {{-4, 9}, {0, 0}}), ShapeError);
  EXPECT_THROW(pad(x, {{-2, -2}, {0, 0}}), ShapeError);
  EXPECT_THROW(pad(x, {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}), ShapeError);
}

TEST(Pad, DerivativeIsThatOfTheForward) {
  const Padding padding{{1, 2}, {-1, 1}};
  EXPECT_TRUE(testing::op_gradcheck(
      "pad", testing::random<double>({3, 4}, 1), [&](const auto& x) { return pad(x, padding, 3.0); },
      [&](const auto& dy, const auto&, const auto&) { return pad_backward(dy, padding); }));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::pad_test
