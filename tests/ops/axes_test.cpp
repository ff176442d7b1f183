// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/axes.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::axes_test {
namespace {

TEST(Axes, AreBitsOfAMask) {
  const Shape x{2, 3, 4};
  EXPECT_EQ(Axes().mask("sum", x), 7U);
  EXPECT_EQ(Axes({}).mask("sum", x), 7U);
  EXPECT_EQ(Axes().mask("sum", {}), 0U);
  EXPECT_EQ(Axes(1).mask("sum", x), 2U);
  EXPECT_EQ(Axes({2, 0}).mask("sum", x), 5U);
  EXPECT_EQ(Axes({-1, -2}).mask("sum", x), 6U);
  EXPECT_EQ(Axes({0, 1, 2, 3, 4, 5}).mask("sum", {1, 1, 1, 1, 1, 1}), 63U);
}

TEST(Axes, OutOfRangeOrTwiceAreRefused) {
  const Shape x{2, 3};
  EXPECT_EQ(testing::message_of([&] { Axes(2).mask("sum", x); }), "sum: axis 2 of shape (2, 3), which has rank 2");
  EXPECT_EQ(testing::message_of([&] {
              Axes({0, -3}).mask("max", x);
            }),
            "max: axis -3 of shape (2, 3), which has rank 2");
  EXPECT_EQ(testing::message_of([&] { Axes({1, -1}).mask("var", x); }), "var: axis 1 of shape (2, 3) twice");
  EXPECT_THROW(Axes(0).mask("sum", {}), ShapeError);
  EXPECT_EQ(testing::message_of([&] { Axes({0, 1, 2, 3, 4, 5, 6}); }), "Axes: 7 axes, expected at most 6");
}

TEST(Axes, LeaveAShapeOfTheOthers) {
  const Shape x{2, 3, 4};
  EXPECT_EQ(detail::reduced_shape(x, 2U, false), (Shape{2, 4}));
  EXPECT_EQ(detail::reduced_shape(x, 2U, true), (Shape{2, 1, 4}));
  EXPECT_EQ(detail::reduced_shape(x, 7U, false), Shape{});
  EXPECT_EQ(detail::reduced_shape(x, 0U, false), x);
  EXPECT_EQ(detail::reduced_count(x, 5U), 8);
  EXPECT_EQ(detail::reduced_count(x, 0U), 1);
  EXPECT_EQ(detail::reduced_count({2, 0}, 2U), 0);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::axes_test
