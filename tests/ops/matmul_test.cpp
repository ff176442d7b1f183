// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/ops/permute.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::matmul_test {
namespace {

using testing::difference;
using testing::message_of;
using testing::Position;
using testing::random;

/// The product by its definition, for operands of rank 2 and more that are not transposed.
template <class T>
Tensor<T> reference(const Tensor<T>& a, const Tensor<T>& b) {
  const auto batch_axes = static_cast<std::size_t>(std::max(a.rank(), b.rank()) - 2);
  std::vector<Index> sizes(batch_axes + 2);
  const auto own = [&](const Shape& x, std::size_t axis) {
    return static_cast<int>(axis) - (static_cast<int>(batch_axes) + 2 - x.rank());
  };
  for (std::size_t axis = 0; axis < batch_axes; ++axis) {
    sizes[axis] = 1;
    for (const Shape& x : {a.shape(), b.shape()}) {
      if (own(x, axis) >= 0 && x[own(x, axis)] != 1) sizes[axis] = x[own(x, axis)];
    }
  }
  sizes[batch_axes] = a.size(-2);
  sizes[batch_axes + 1] = b.size(-1);
  Tensor<T> c{Shape(sizes)};
  T* out = c.mutable_data();
  const auto number = [&](const Shape& x, const Position& at, Index row, Index col) {
    Position place{};
    for (std::size_t axis = 0; axis < batch_axes; ++axis) {
      if (own(x, axis) >= 0) place[static_cast<std::size_t>(own(x, axis))] = x[own(x, axis)] == 1 ? 0 : at[axis];
    }
    place[static_cast<std::size_t>(x.rank() - 2)] = row;
    place[static_cast<std::size_t>(x.rank() - 1)] = col;
    return testing::number_of(x, place);
  };
  testing::for_positions(c.shape(), [&](Index i, const Position& at) {
    double sum = 0.0;
    for (Index k = 0; k < a.size(-1); ++k) {
      sum += static_cast<double>(a.data()[number(a.shape(), at, at[batch_axes], k)]) *
             static_cast<double>(b.data()[number(b.shape(), at, k, at[batch_axes + 1])]);
    }
    out[i] = static_cast<T>(sum);
  });
  return c;
}

template <class T>
void check(const Shape& a_shape, const Shape& b_shape, double tolerance) {
  const auto a = random<T>(a_shape, 1);
  const auto b = random<T>(b_shape, 2);
  const Tensor<T> expected = reference(a, b);
  const Tensor<T> at = transpose(a, -1, -2);
  const Tensor<T> bt = transpose(b, -1, -2);
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      const Tensor<T>& left = transpose_a ? at : a;
      const Tensor<T>& right = transpose_b ? bt : b;
      const MatmulOptions options{transpose_a, transpose_b};
      EXPECT_EQ(matmul_shape(left.shape(), right.shape(), options), expected.shape());
      testing::poison<T>(expected.shape());
      set_num_threads(1);
      const Tensor<T> c = matmul(left, right, options);
      EXPECT_LT(difference(c, expected), tolerance) << a_shape << b_shape << transpose_a << transpose_b;
      set_num_threads(3);
      EXPECT_TRUE(equal(matmul(left, right, options), c)) << a_shape << b_shape << transpose_a << transpose_b;
      set_num_threads(0);
    }
  }
}

TEST(Matmul, MatchesLoops) {
  const auto both = [](const Shape& a, const Shape& b) {
    check<float>(a, b, 1e-5);
    check<double>(a, b, 1e-13);
  };
  both({1, 1}, {1, 1});
  both({3, 4}, {4, 5});
  both({30, 40}, {40, 50});
  both({130, 340}, {340, 250});
  both({3000, 40}, {40, 1});  // a matrix and a column
  both({3, 4000}, {4000, 1});
  both({1, 300}, {300, 500});  // a row and a matrix
  both({1, 5000}, {5000, 1});
  both({50, 1}, {1, 60});
  both({7, 3, 4}, {7, 4, 5});        // tiny products
  both({20, 13, 17}, {20, 17, 33});  // small ones
  both({3, 31, 300}, {3, 300, 16});
  both({5, 64, 3}, {5, 3, 32});
  both({3, 5, 700}, {3, 700, 2});      // packets along the rows
  both({3, 120, 130}, {3, 130, 110});  // few large ones
  both({2, 300, 250}, {2, 250, 400});  // larger than a cache
  both({40, 33, 20}, {40, 20, 1});     // vectors
  both({40, 1, 20}, {40, 20, 31});
  both({2, 3, 4, 5, 6, 7}, {2, 3, 4, 5, 7, 2});
}

TEST(Matmul, BroadcastsTheLeadingAxes) {
  const auto both = [](const Shape& a, const Shape& b) {
    check<float>(a, b, 1e-5);
    check<double>(a, b, 1e-13);
  };
  both({6, 30, 20}, {20, 25});  // one b: the rows of all products are those of one
  both({2, 3, 30, 20}, {1, 20, 25});
  both({30, 20}, {6, 20, 25});  // one a
  both({2, 3, 14, 20}, {3, 20, 15});
  both({2, 1, 14, 20}, {3, 20, 15});
  both({4, 1, 3, 4}, {1, 5, 4, 2});
  both({1, 1, 30, 20}, {20, 25});
  both({3, 1, 2, 1, 4, 6}, {2, 2, 5, 6, 3});
}

TEST(Matmul, EmptySumsAreZeroAndEmptyResultsHaveAShape) {
  testing::poison<float>({3, 2, 4});
  EXPECT_TRUE(equal(matmul(Tensor<float>({3, 2, 0}), Tensor<float>({3, 0, 4})), Tensor<float>::zeros({3, 2, 4})));
  EXPECT_EQ(matmul(Tensor<float>({0, 3}), Tensor<float>({3, 4})).shape(), (Shape{0, 4}));
  EXPECT_EQ(matmul(Tensor<float>({0, 2, 3}), Tensor<float>({3, 4})).shape(), (Shape{0, 2, 4}));
  EXPECT_EQ(matmul(Tensor<float>({0}), Tensor<float>({0})).item(), 0.0F);
}

TEST(Matmul, AVectorLosesItsAxis) {
  const auto a = random<double>({2, 3, 4, 5}, 1);
  const auto v = random<double>({5}, 2);
  const auto u = random<double>({4}, 3);
  EXPECT_LT(difference(matmul(a, v), reference(a, v.reshape({5, 1})).reshape({2, 3, 4})), 1e-14);
  EXPECT_LT(difference(matmul(u, a), reference(u.reshape({1, 4}), a).reshape({2, 3, 5})), 1e-14);
  EXPECT_LT(difference(matmul(v, v), reference(v.reshape({1, 5}), v.reshape({5, 1})).reshape(Shape{})), 1e-14);
  EXPECT_EQ(matmul(v, v).shape(), Shape{});
}

TEST(Matmul, NaNReachesTheElementsItBelongsTo) {
  for (const Index size : {4, 40}) {
    auto a = Tensor<float>::ones({size, size});
    a.mutable_matrix()(1, 2) = std::numeric_limits<float>::quiet_NaN();
    const Tensor<float> c = matmul(a, Tensor<float>::zeros({size, size}));
    for (Index i = 0; i < size; ++i) EXPECT_EQ(std::isnan(c(i, 0)), i == 1);
  }
}

TEST(Matmul, RefusesShapesThatDoNotFit) {
  const auto x = [](const Shape& shape) { return Tensor<float>::zeros(shape); };
  EXPECT_EQ(message_of([&] {
              matmul(x({2, 3}), x({4, 5}));
            }),
            "matmul: shapes (2, 3) and (4, 5): the axes that are summed over differ");
  EXPECT_EQ(message_of([&] {
              matmul(x({2, 3}), x({3, 5}), {.transpose_b = true});
            }),
            "matmul: shapes (2, 3) and (3, 5)^T: the axes that are summed over differ");
  EXPECT_EQ(message_of([&] {
              matmul(x({2, 2, 3}), x({3, 3, 5}));
            }),
            "matmul: shapes (2, 2, 3) and (3, 3, 5): the leading axes do not broadcast");
  EXPECT_EQ(message_of([&] { matmul(x({}), x({3})); }), "matmul: shapes () and (3,): a number is not a matrix");
  EXPECT_EQ(message_of([&] { matmul(x({3}), x({3}), {.transpose_a = true}); }),
            "matmul: shapes (3,)^T and (3,): a vector is not transposed");
  EXPECT_THROW(matmul(x({3, 4}), x({3})), ShapeError);
  EXPECT_THROW(matmul(x({3}), x({2, 4})), ShapeError);
}

GradcheckResult gradcheck_matmul(const Shape& a, const Shape& b, const MatmulOptions& options = {}) {
  return testing::op_gradcheck(
      "matmul of " + to_string(a) + " and " + to_string(b), std::array{random<double>(a, 1), random<double>(b, 2)},
      [&](const auto& x) { return matmul(x[0], x[1], options); },
      [&](const auto& dy, const auto& x, const auto&) {
        return std::array{matmul_backward_first(dy, x[1], x[0].shape(), options),
                          matmul_backward_second(dy, x[0], x[1].shape(), options)};
      });
}

TEST(Matmul, DerivativesAreThoseOfTheForward) {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      const MatmulOptions options{transpose_a, transpose_b};
      const auto a = [&](std::initializer_list<Index> batch) {
        std::vector<Index> sizes(batch);
        sizes.insert(sizes.end(), {transpose_a ? 4 : 3, transpose_a ? 3 : 4});
        return Shape(sizes);
      };
      const auto b = [&](std::initializer_list<Index> batch) {
        std::vector<Index> sizes(batch);
        sizes.insert(sizes.end(), {transpose_b ? 5 : 4, transpose_b ? 4 : 5});
        return Shape(sizes);
      };
      EXPECT_TRUE(gradcheck_matmul(a({}), b({}), options));
      EXPECT_TRUE(gradcheck_matmul(a({2}), b({2}), options));
      EXPECT_TRUE(gradcheck_matmul(a({2}), b({}), options));
      EXPECT_TRUE(gradcheck_matmul(a({}), b({2}), options));
      EXPECT_TRUE(gradcheck_matmul(a({2, 1}), b({3}), options));
      EXPECT_TRUE(gradcheck_matmul(a({1}), b({2, 1}), options));
    }
  }
  EXPECT_TRUE(gradcheck_matmul({4}, {4}));
  EXPECT_TRUE(gradcheck_matmul({4}, {4, 5}));
  EXPECT_TRUE(gradcheck_matmul({3, 4}, {4}));
  EXPECT_TRUE(gradcheck_matmul({4}, {2, 4, 5}));
  EXPECT_TRUE(gradcheck_matmul({2, 3, 4}, {4}));
  EXPECT_TRUE(gradcheck_matmul({4}, {2, 5, 4}, {.transpose_b = true}));
  EXPECT_TRUE(gradcheck_matmul({2, 4, 3}, {4}, {.transpose_a = true}));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::matmul_test
