// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/shape.hpp>

namespace eigengrad::EIGENGRAD_ISA {
namespace {

TEST(Shape, CountsElementsAndAxes) {
  const Shape shape{200, 32, 32, 3};
  EXPECT_EQ(shape.rank(), 4);
  EXPECT_EQ(shape.numel(), 200 * 32 * 32 * 3);
  EXPECT_EQ(shape.rows(), 200 * 32 * 32);
  EXPECT_EQ(shape.cols(), 3);
  EXPECT_EQ(shape[0], 200);
  EXPECT_EQ(shape[-1], 3);
  EXPECT_EQ(shape[-4], 200);
}

TEST(Shape, HasUpToSixAxesAndSizesOfZero) {
  EXPECT_EQ((Shape{1, 2, 1, 2, 1, 2}.rank()), 6);
  EXPECT_EQ((Shape{1, 2, 1, 2, 1, 2}.numel()), 8);
  EXPECT_EQ((Shape{2, 0, 3}.numel()), 0);
  EXPECT_EQ((Shape{2, 0, 3}.rows()), 0);
  EXPECT_EQ((Shape{0}.cols()), 0);
}

TEST(Shape, AScalarHasOneElement) {
  const Shape scalar{};
  EXPECT_EQ(scalar.rank(), 0);
  EXPECT_EQ(scalar.numel(), 1);
  EXPECT_EQ(scalar.rows(), 1);
  EXPECT_EQ(scalar.cols(), 1);
}

TEST(Shape, ComparesAndPrintsLikePython) {
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
  EXPECT_NE((Shape{2, 3}), (Shape{2, 3, 1}));
  EXPECT_EQ(to_string(Shape{2, 3}), "(2, 3)");
  EXPECT_EQ(to_string(Shape{5}), "(5,)");
  EXPECT_EQ(to_string(Shape{}), "()");
}

TEST(Shape, WithReplacesOneSize) {
  EXPECT_EQ((Shape{2, 3, 4}.with(-1, 9)), (Shape{2, 3, 9}));
  EXPECT_EQ((Shape{2, 3, 4}.with(0, 9)), (Shape{9, 3, 4}));
}

TEST(Shape, RefusesWhatCannotBe) {
  EXPECT_THROW((Shape{2, -1}), ShapeError);
  EXPECT_THROW((Shape{1, 1, 1, 1, 1, 1, 1}), ShapeError);
  const Index huge = std::numeric_limits<Index>::max() / 2;
  EXPECT_THROW((Shape{huge, 3}), ShapeError);
  EXPECT_THROW((Shape{2, 3}[2]), ShapeError);
  EXPECT_THROW((Shape{2, 3}[-3]), ShapeError);
  EXPECT_THROW((Shape{}[0]), ShapeError);
}

TEST(Shape, RefusesSizesThatDoNotMultiplyAlsoBesideZero) {
  const Index k32 = Index{1} << 32;
  for (const auto& sizes : {std::vector<Index>{0, k32, k32 + 3}, {k32, 0, k32}, {k32, k32, 0}, {0, 0, k32, k32, 2}}) {
    try {
      const Shape shape{std::span<const Index>(sizes)};
      FAIL() << shape;
    } catch (const ShapeError& error) {
      EXPECT_NE(std::string(error.what()).find("multiply to more than an Index holds"), std::string::npos);
    }
  }
  EXPECT_THROW((Shape{0, k32, 5}.with(-1, k32)), ShapeError);
}

TEST(Shape, EveryPartOfItsSizesHasAProduct) {
  const Shape shape{Index{1} << 31, 0, Index{1} << 31, 0};
  EXPECT_EQ(shape.numel(), 0);
  EXPECT_EQ(shape.rows(), 0);
  EXPECT_EQ((Shape{3, Index{1} << 40, 0}.rows()), Index{3} << 40);
  EXPECT_EQ((Shape{0, Index{1} << 40}.numel()), 0);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
