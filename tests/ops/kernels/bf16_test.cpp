// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/ops/conv2d.hpp>
#include <eigengrad/ops/matmul.hpp>

#include "support/direct_conv2d.hpp"
#include "support/matmul_precision.hpp"
#include "support/tensors.hpp"

// Products with Float32MatmulPrecision::medium. On a processor without AVX512_BF16 they are those with `highest`: the
// references then round nothing.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::bf16_test {
namespace {

using testing::MatmulPrecisionScope;
using testing::random;
using enum Float32MatmulPrecision;

/// What a product in bfloat16 multiplies.
Tensor<double> operand(const Tensor<float>& x, bool rounds = kHasBf16) {
  Index i = 0;
  return Tensor<double>::generate(
      x.shape(), [&] { return static_cast<double>(rounds ? testing::in_bf16(x.data()[i++]) : x.data()[i++]); });
}

Tensor<double> magnitudes(Tensor<double> x) {
  x.mutable_array() = x.array().abs();
  return x;
}

/// The largest error of an element relative to its sum of magnitudes.
double error(const Tensor<float>& got, const Tensor<double>& expected, const Tensor<double>& magnitude) {
  if (got.shape() != expected.shape()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  for (Index i = 0; i < got.numel(); ++i) {
    const double difference = std::abs(static_cast<double>(got.data()[i]) - expected.data()[i]);
    if (!(difference <= largest * magnitude.data()[i])) largest = difference / magnitude.data()[i];
  }
  return largest;
}

struct Bf16Sizes {
  Index rows, cols, depth;
};

/// How the three matrices lie in memory, and whether c is there already.
struct Layout {
  bool a_transposed, b_transposed, c_transposed, add;
};

template <class T>
View<T> view(T* data, Index rows, Index cols, bool transposed) {
  return transposed ? row_major(data, cols, rows).transposed() : row_major(data, rows, cols);
}

/// c + a b by its definition, of a rows x depth, b cols x depth, c rows x cols.
Tensor<double> product(const Tensor<double>& a, const Tensor<double>& b, Tensor<double> c) {
  const Index depth = a.size(1);
  double* element = c.mutable_data();
  for (Index i = 0; i < a.size(0); ++i) {
    for (Index j = 0; j < b.size(0); ++j, ++element) {
      for (Index p = 0; p < depth; ++p) *element += a.data()[i * depth + p] * b.data()[j * depth + p];
    }
  }
  return c;
}

Tensor<float> transposed(const Tensor<float>& x, bool really = true) {
  if (!really) return x;
  Tensor<float> result({x.size(1), x.size(0)});
  result.mutable_matrix() = x.matrix().transpose();
  return result;
}

class Bf16 : public ::testing::TestWithParam<Bf16Sizes> {
 protected:
  MatmulPrecisionScope scope_{medium};

  static void check(const Bf16Sizes& sizes, const Layout& layout) {
    const auto [rows, cols, depth] = sizes;
    const Tensor<float> a = random<float>({rows, depth}, 1);
    const Tensor<float> b = random<float>({cols, depth}, 2);
    const Tensor<float> before = layout.add ? random<float>({rows, cols}, 3) : Tensor<float>::zeros({rows, cols});
    const Tensor<float> a_memory = transposed(a, layout.a_transposed);
    const Tensor<float> b_memory = transposed(b, !layout.b_transposed);
    Tensor<float> c = transposed(before, layout.c_transposed);
    if (!layout.add) c.mutable_array() = std::numeric_limits<float>::quiet_NaN();

    const auto a_view = view(a_memory.data(), rows, depth, layout.a_transposed);
    const auto b_view = view(b_memory.data(), depth, cols, layout.b_transposed);
    testing::poison<float>({2 * (rows + 32) * (depth + 64)});
    gemm(a_view, b_view, view(c.mutable_data(), rows, cols, layout.c_transposed), layout.add);

    const bool few = has_few_rows(b_view.transposed(), depth, rows) || has_few_rows(a_view, depth, cols);
    const Tensor<double> x = operand(a, kHasBf16 && !few);
    const Tensor<double> y = operand(b, kHasBf16 && !few);
    const Tensor<double> expected = product(x, y, before.cast<double>());
    const Tensor<double> magnitude = product(magnitudes(x), magnitudes(y), magnitudes(before.cast<double>()));
    EXPECT_LT(error(transposed(c, layout.c_transposed), expected, magnitude), 1e-5)
        << (layout.a_transposed ? " a^T" : "") << (layout.b_transposed ? " b^T" : "")
        << (layout.c_transposed ? " c^T" : "") << (layout.add ? " +=" : "");
  }
};

TEST_P(Bf16, MatchesLoopsOnRoundedNumbers) {
  for (const bool a : {false, true})
    for (const bool b : {false, true})
      for (const bool c : {false, true})
        for (const bool add : {false, true}) check(GetParam(), {a, b, c, add});
}

INSTANTIATE_TEST_SUITE_P(Sizes, Bf16,
                         ::testing::Values(Bf16Sizes{1, 1, 1}, Bf16Sizes{1, 1, 2}, Bf16Sizes{1, 10, 7},
                                           Bf16Sizes{10, 1, 7}, Bf16Sizes{3, 5, 2}, Bf16Sizes{40, 35, 31},
                                           Bf16Sizes{33, 40, 64}, Bf16Sizes{36, 47, 257}, Bf16Sizes{65, 70, 700},
                                           Bf16Sizes{50, 100, 2101}, Bf16Sizes{34, 100, 2200}, Bf16Sizes{1, 70, 129},
                                           Bf16Sizes{45, 9, 100}, Bf16Sizes{300, 40, 515}, Bf16Sizes{40, 700, 301}),
                         [](const auto& sizes) {
                           return std::to_string(sizes.param.rows) + "x" + std::to_string(sizes.param.cols) + "x" +
                                  std::to_string(sizes.param.depth);
                         });

/// a b, in the given precision.
template <class T>
Tensor<T> product_of(const Tensor<T>& a, const Tensor<T>& b, Float32MatmulPrecision precision) {
  const MatmulPrecisionScope scope(precision);
  Tensor<T> c({a.size(0), b.size(1)});
  gemm(row_major(a.data(), a.size(0), a.size(1)), row_major(b.data(), b.size(0), b.size(1)),
       row_major(c.mutable_data(), c.size(0), c.size(1)));
  return c;
}

TEST(Bf16, TheHighestPrecisionIsFloat32) {
  const Tensor<float> a = random<float>({60, 90}, 1);
  const Tensor<float> b = random<float>({90, 70}, 2);
  const Tensor<float> before = product_of(a, b, highest);
  EXPECT_EQ(equal(product_of(a, b, medium), before), !kHasBf16);
  EXPECT_TRUE(equal(product_of(a, b, highest), before));
  const auto x = operand(a, false);
  const auto y = operand(transposed(b), false);
  const auto zeros = Tensor<double>::zeros({60, 70});
  EXPECT_LT(error(before, product(x, y, zeros), product(magnitudes(x), magnitudes(y), zeros)), 1e-6);
}

TEST(Bf16, ProductsOfDoubleAreNotAffected) {
  const Tensor<double> a = random<double>({60, 90}, 1);
  const Tensor<double> b = random<double>({90, 70}, 2);
  EXPECT_TRUE(equal(product_of(a, b, medium), product_of(a, b, highest)));
}

TEST(Bf16, FewRowsAndBatchesOfSmallMatricesStayFloat32) {
  const auto same = [](const Tensor<float>& a, const Tensor<float>& b, const MatmulOptions& options) {
    const Tensor<float> before = matmul(a, b, options);
    const MatmulPrecisionScope scope(medium);
    return equal(matmul(a, b, options), before);
  };
  EXPECT_TRUE(same(random<float>({20, 90}, 1), random<float>({70, 90}, 2), {.transpose_b = true}));
  EXPECT_TRUE(same(random<float>({60, 90}, 1), random<float>({90}, 2), {}));
  EXPECT_TRUE(same(random<float>({20, 40, 30}, 1), random<float>({20, 30, 50}, 2), {}));
  EXPECT_EQ(same(random<float>({60, 90}, 1), random<float>({70, 90}, 2), {.transpose_b = true}), !kHasBf16);
}

TEST(Bf16, TheNumberOfThreadsChangesNoBit) {
  for (const Bf16Sizes sizes : {Bf16Sizes{200, 100, 3072}, Bf16Sizes{100, 3072, 200}, Bf16Sizes{200, 700, 701},
                                Bf16Sizes{333, 77, 500}, Bf16Sizes{40, 301, 999}}) {
    const Tensor<float> a = random<float>({sizes.rows, sizes.depth}, 1);
    const Tensor<float> b = random<float>({sizes.depth, sizes.cols}, 2);
    const auto with_threads = [&](int threads) {
      set_num_threads(threads);
      return product_of(a, b, medium);
    };
    const Tensor<float> one = with_threads(1);
    for (const int threads : {2, 3, 5, 8}) EXPECT_TRUE(equal(one, with_threads(threads))) << threads;
  }
  set_num_threads(0);
}

/// x times 1 in a product of two steps, the other of which adds 0.
float once(float x, Float32MatmulPrecision precision = medium) {
  return product_of(Tensor<float>({1, 2}, {x, 0.0F}), Tensor<float>({2, 1}, {1.0F, 1.0F}), precision).item();
}

TEST(Bf16, RoundsToNearestEven) {
  constexpr float Last = 1.0F / 128.0F;  // the last bit of 1 in bfloat16
  const auto expect = [](float x, float in_bf16) { EXPECT_EQ(once(x), kHasBf16 ? in_bf16 : x) << x; };
  expect(1.0F, 1.0F);
  expect(-3.75F, -3.75F);
  expect(1.0F + 0.49F * Last, 1.0F);
  expect(1.0F + 0.51F * Last, 1.0F + Last);
  expect(1.0F + 0.5F * Last, 1.0F);
  expect(1.0F + 1.5F * Last, 1.0F + 2.0F * Last);
  expect(-1.0F - 1.5F * Last, -1.0F - 2.0F * Last);
  expect(std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity());
  expect(std::numeric_limits<float>::denorm_min(), 0.0F);
}

TEST(Bf16, NaNAndInfinityPassThrough) {
  constexpr float Infinity = std::numeric_limits<float>::infinity();
  constexpr float NaN = std::numeric_limits<float>::quiet_NaN();
  for (const Index depth : {1, 37, 129, 600}) {
    Tensor<float> a = Tensor<float>::ones({50, depth});
    const auto set = [&](Index row, Index step, float x) { a.mutable_data()[row * depth + step] = x; };
    set(3, depth - 1, Infinity);
    set(20, depth - 1, -Infinity);
    set(31, std::min<Index>(depth - 1, 1), Infinity);  // must not come back as the pair of an odd last step
    set(41, depth - 1, NaN);
    Tensor<float> b = Tensor<float>::ones({depth, 60});
    b.mutable_data()[(depth - 1) * 60 + 7] = 0.0F;  // times infinity is NaN
    const Tensor<float> c = product_of(a, b, medium);
    for (Index i = 0; i < 50; ++i) {
      for (Index j = 0; j < 60; ++j) {
        if (i == 41 || (j == 7 && (i == 3 || i == 20 || (i == 31 && depth == 1))))
          EXPECT_TRUE(std::isnan(c(i, j))) << i << ' ' << j;
        else if (i == 3 || i == 20 || i == 31)
          EXPECT_EQ(c(i, j), i == 20 ? -Infinity : Infinity) << i << ' ' << j;
        else
          EXPECT_EQ(c(i, j), static_cast<float>(j == 7 ? depth - 1 : depth)) << i << ' ' << j;
      }
    }
  }
}

struct Convolution {
  Shape x, weight;
  Conv2dOptions options;
};

/// All three directions, with patches, lattices of pixels and groups as operands.
TEST(Bf16, ConvolutionsMatchLoopsOnRoundedNumbers) {
  using enum Conv2dAlgorithm;
  const MatmulPrecisionScope scope(medium);
  for (const auto& [x_shape, w_shape, options] :
       {Convolution{{2, 7, 6, 37}, {35, 3, 3, 37}, {.padding = 1, .algorithm = im2col}},
        Convolution{{2, 9, 10, 5}, {7, 3, 3, 5}, {.stride = 2, .padding = 1, .algorithm = im2col}},
        Convolution{{2, 8, 7, 60}, {39, 3, 3, 20}, {.padding = 1, .groups = 3, .algorithm = im2col}},
        Convolution{{3, 5, 4, 33}, {34, 1, 1, 33}, {.algorithm = pointwise}}}) {
    const Tensor<float> x = random<float>(x_shape, 1);
    const Tensor<float> weight = random<float>(w_shape, 2);
    const Tensor<float> y = conv2d(x, weight, {}, options);
    const Tensor<float> dy = random<float>(y.shape(), 3);
    const Tensor<float> dx = conv2d_backward_input(dy, weight, x_shape, options);
    const Tensor<float> dw = conv2d_backward_weight(dy, x, {w_shape[1], w_shape[2]}, options);

    const auto expect = [&, &options = options](bool of_magnitudes) {
      const auto make = [&](const Tensor<float>& t) { return of_magnitudes ? magnitudes(operand(t)) : operand(t); };
      return std::pair(testing::direct_conv2d<double>(make(x), make(weight), {}, options),
                       testing::direct_conv2d_backward<double>(make(dy), make(x), make(weight), options));
    };
    const auto expected = expect(false);
    const auto magnitude = expect(true);
    EXPECT_LT(error(y, expected.first, magnitude.first), 1e-5) << w_shape;
    EXPECT_LT(error(dx, expected.second.dx, magnitude.second.dx), 1e-5) << w_shape;
    EXPECT_LT(error(dw, expected.second.dw, magnitude.second.dw), 1e-5) << w_shape;
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::bf16_test
