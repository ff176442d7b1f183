// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/ops/layer_norm.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::layer_norm_test {
namespace {

using testing::difference;
using testing::random;

constexpr double kEps = 1e-5;

/// The definition as loops, in double: y, and with dy the three gradients.
struct Reference {
  Tensor<double> y, dx, dweight, dbias;

  template <class T>
  Reference(const Tensor<T>& x, const Tensor<T>& dy, const Tensor<T>& weight, const Tensor<T>& bias, double eps = kEps)
      : y(x.shape()),
        dx(x.shape()),
        dweight(Tensor<double>::zeros({x.shape().cols()})),
        dbias(Tensor<double>::zeros({x.shape().cols()})) {
    const Index cols = x.shape().cols();
    for (Index row = 0; row < x.shape().rows(); ++row) {
      const auto at = [&](const Tensor<T>& t, Index c) { return static_cast<double>(t.data()[row * cols + c]); };
      const auto w = [&](Index c) { return weight.empty() ? 1.0 : static_cast<double>(weight.data()[c]); };
      double mean = 0.0, variance = 0.0;
      for (Index c = 0; c < cols; ++c) mean += at(x, c) / static_cast<double>(cols);
      for (Index c = 0; c < cols; ++c) variance += std::pow(at(x, c) - mean, 2) / static_cast<double>(cols);
      const double deviation = std::sqrt(variance + eps);
      for (Index i = 0; i < cols; ++i) {
        const double n = (at(x, i) - mean) / deviation;
        y.mutable_data()[row * cols + i] = w(i) * n + (bias.empty() ? 0.0 : static_cast<double>(bias.data()[i]));
        dweight.mutable_data()[i] += at(dy, i) * n;
        dbias.mutable_data()[i] += at(dy, i);
        // The Jacobian of one row: dn_j / dx_i = (delta_ij - 1/C) / deviation - n_i n_j / (C deviation).
        double sum = 0.0;
        for (Index j = 0; j < cols; ++j) {
          const double n_j = (at(x, j) - mean) / deviation;
          const double slope = (i == j ? 1.0 : 0.0) - (1.0 + n * n_j) / static_cast<double>(cols);
          sum += at(dy, j) * w(j) * slope / deviation;
        }
        dx.mutable_data()[row * cols + i] = sum;
      }
    }
  }
};

template <class T>
void expect_matches(const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias, double tolerance,
                    double eps = kEps) {
  const auto dy = random<T>(x.shape(), 7);
  const Reference expected(x, dy, weight, bias, eps);
  testing::poison<T>(x.shape());
  const auto [y, normalized, inverse] = layer_norm(x, weight, bias, eps, true);
  testing::poison<T>(x.shape());
  const Tensor<T> dx = layer_norm_backward_input(dy, normalized, inverse, weight);
  testing::poison<T>({x.shape().cols()});
  EXPECT_LT(difference(y.template cast<double>(), expected.y), tolerance) << x.shape();
  EXPECT_LT(difference(dx.template cast<double>(), expected.dx), tolerance) << x.shape();
  EXPECT_LT(difference(layer_norm_backward_weight(dy, normalized).template cast<double>(), expected.dweight), tolerance)
      << x.shape();
  EXPECT_LT(difference(layer_norm_backward_bias(dy).template cast<double>(), expected.dbias), tolerance) << x.shape();
  EXPECT_TRUE(equal(layer_norm(x, weight, bias, eps, false).y, y)) << x.shape();
}

TEST(LayerNorm, MatchesLoops) {
  for (const Shape& shape : {Shape{5, 8}, Shape{1, 13}, Shape{2, 3, 33}, Shape{700, 3}, Shape{3000, 31}, Shape{9}}) {
    const auto x = random<double>(shape, 1);
    const auto weight = random<double>({shape.cols()}, 2);
    const auto bias = random<double>({shape.cols()}, 3);
    expect_matches(x, weight, bias, 1e-12);
    expect_matches(x, weight, {}, 1e-12);
    expect_matches(x, {}, bias, 1e-12);
    expect_matches(x, {}, {}, 1e-12);
    expect_matches(x, weight, bias, 1e-12, 0.5);
  }
}

// A mean of 10000 against a spread of 1: with E[x^2] - E[x]^2, or with the mean rounded to a float, no digit or three
// would be left.
TEST(LayerNorm, IsAccurateWhereTheMeanIsLarge) {
  for (const Index cols : {7, 100, 1001}) {
    auto x = random<float>({20, cols}, 1);
    x.mutable_array() += 1e4F;
    expect_matches(x, random<float>({cols}, 2), random<float>({cols}, 3), 2e-6);
  }
}

TEST(LayerNorm, OfARowOfEqualNumbersIsTheBias) {
  const auto bias = random<float>({33}, 1);
  const Tensor<float> y = layer_norm(Tensor<float>::full({1, 33}, 0.1F), {}, bias, kEps, false).y;
  EXPECT_LT(difference(y, bias.reshape({1, 33})), 1e-6);
  EXPECT_EQ(layer_norm(Tensor<float>::full({4, 1}, 5.0F), {}, {}, kEps, true).y.array().abs().sum(), 0.0F);
}

TEST(LayerNorm, IsTheSameForAnyNumberOfThreads) {
  const auto x = random<float>({3000, 31}, 1);
  const auto dy = random<float>({3000, 31}, 2);
  const auto weight = random<float>({31}, 3);
  set_num_threads(1);
  const auto [y, normalized, inverse] = layer_norm(x, weight, {}, kEps, true);
  const Tensor<float> dx = layer_norm_backward_input(dy, normalized, inverse, weight);
  const Tensor<float> dweight = layer_norm_backward_weight(dy, normalized);
  const Tensor<float> dbias = layer_norm_backward_bias(dy);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    EXPECT_TRUE(equal(layer_norm(x, weight, {}, kEps, true).y, y));
    EXPECT_TRUE(equal(layer_norm_backward_input(dy, normalized, inverse, weight), dx));
    EXPECT_TRUE(equal(layer_norm_backward_weight(dy, normalized), dweight));
    EXPECT_TRUE(equal(layer_norm_backward_bias(dy), dbias));
  }
  set_num_threads(0);
}

TEST(LayerNorm, WritesOverAnInputThatNobodyElseHolds) {
  auto x = random<float>({4, 6}, 1);
  const Tensor<float> before(x.shape(), x.span());
  const Tensor<float> y = layer_norm(x, {}, {}, kEps, false).y;
  EXPECT_TRUE(equal(x, before));
  const float* memory = x.data();
  const Tensor<float> again = layer_norm(std::move(x), {}, {}, kEps, false).y;
  EXPECT_EQ(again.data(), memory);
  EXPECT_TRUE(equal(again, y));
}

TEST(LayerNorm, RefusesShapesThatDoNotFit) {
  const auto zeros = [](const Shape& shape) { return Tensor<float>::zeros(shape); };
  EXPECT_THROW(layer_norm(zeros({}), {}, {}, kEps, true), ShapeError);
  EXPECT_THROW(layer_norm(zeros({3, 0}), {}, {}, kEps, true), ShapeError);
  EXPECT_THROW(layer_norm(zeros({3, 4}), zeros({3}), {}, kEps, true), ShapeError);
  EXPECT_THROW(layer_norm(zeros({3, 4}), {}, zeros({3}), kEps, true), ShapeError);
  EXPECT_THROW(layer_norm_backward_input(zeros({3, 3}), zeros({3, 4}), zeros({3}), {}), ShapeError);
  EXPECT_THROW(layer_norm_backward_weight(zeros({3, 3}), zeros({3, 4})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::layer_norm_test
