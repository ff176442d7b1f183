// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/ops/avg_pool2d.hpp>
#include <eigengrad/ops/batch_norm.hpp>
#include <eigengrad/ops/conv2d.hpp>
#include <eigengrad/ops/cross_entropy.hpp>
#include <eigengrad/ops/kernels/row_sum.hpp>
#include <eigengrad/ops/layer_norm.hpp>
#include <eigengrad/ops/linear.hpp>
#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/matmul.hpp>
#include <eigengrad/ops/mse_loss.hpp>
#include <eigengrad/ops/permute.hpp>
#include <eigengrad/ops/reduce.hpp>

// Sums of millions of floats keep their digits, whatever adds them: 0.1 is not a number of float, so each addition to a
// large sum rounds, and always the same way. Beyond 2^24 ones would not be counted at all.

namespace eigengrad::EIGENGRAD_ISA::ops::long_sums_test {
namespace {

constexpr Index kMany = 5000 * 5000;
constexpr double kTolerance = 4e-6;  // a run of 256 additions in float

/// Every element is `expected`, but for a share of it.
void expect_all(const char* name, const Tensor<float>& y, double expected, double tolerance = kTolerance) {
  for (const float value : y.span()) {
    ASSERT_NEAR(static_cast<double>(value) / expected, 1.0, tolerance) << name << ", shape " << y.shape();
  }
}

TEST(LongSums, OfOnesAreCounted) {
  const auto x = Tensor<float>::ones({1, 5000, 5000, 1});
  expect_all("sum", sum(x), 25e6);
  expect_all("mean", mean(x), 1.0);
  expect_all("norm", norm(x), 5000.0);
  expect_all("global_avg_pool2d", global_avg_pool2d(x), 1.0);
  expect_all("avg_pool2d", avg_pool2d(x, {.kernel = 5000, .stride = 5000}), 1.0);
  expect_all("batch_norm_statistics", batch_norm_statistics(x).mean, 1.0);
  expect_all("conv2d_backward_bias", conv2d_backward_bias(x), 25e6);
  const auto row = x.reshape({1, kMany});
  const auto column = x.reshape({kMany, 1});
  expect_all("sum of a row", sum(row, {1}), 25e6);
  expect_all("sum of a column", sum(column, {0}), 25e6);
  expect_all("sum_to", sum_to(column, {1}), 25e6);
  expect_all("linear_backward_bias", linear_backward_bias(column), 25e6);
  expect_all("softmax", softmax(row), 1.0 / 25e6);
  expect_all("log_softmax", log_softmax(row), -std::log(25e6));
  expect_all("logsumexp", logsumexp(row, {1}), 1.0 + std::log(25e6));
  expect_all("matmul", matmul(row, column), 25e6);
}

TEST(LongSums, OfTenthsKeepTheirDigits) {
  const double tenth = static_cast<double>(0.1F);
  const auto x = Tensor<float>::full({2, 512, 512, 3}, 0.1F);
  expect_all("global_avg_pool2d", global_avg_pool2d(x), tenth);
  expect_all("avg_pool2d", avg_pool2d(x, {.kernel = 512, .stride = 512}), tenth);
  expect_all("mean", mean(x), tenth);
  expect_all("mean of pixels", mean(x, {1, 2}), tenth);
  expect_all("mean over everything else", mean(x, {0, 1, 2}), tenth);
  expect_all("batch_norm_statistics", batch_norm_statistics(x).mean, tenth);
  expect_all("mse_loss", Tensor<float>({1}, {mse_loss(x, Tensor<float>::zeros(x.shape())).loss}), tenth * tenth);
}

TEST(LongSums, OfGradientsKeepTheirDigits) {
  const double tenth = static_cast<double>(0.1F);
  constexpr Index kRows = 2'000'000;
  const auto dy = Tensor<float>::full({kRows, 3}, 0.1F);
  expect_all("sum_to", sum_to(dy, {3}), kRows * tenth);
  expect_all("linear_backward_bias", linear_backward_bias(dy), kRows * tenth);
  expect_all("layer_norm_backward_weight", layer_norm_backward_weight(dy, dy), kRows * tenth * tenth);
  const auto zeros = Tensor<float>::zeros({3});
  const auto ones = Tensor<float>::ones({3});
  const auto gradients = batch_norm_backward(dy, dy, zeros, ones, ones, BatchNormSource::running);
  expect_all("batch_norm_backward, bias", gradients.dbias, kRows * tenth);
  expect_all("batch_norm_backward, weight", gradients.dweight, kRows * tenth * tenth);

  // One long row, half of it above the mean and half below.
  Tensor<float> row = Tensor<float>::full({1, 4 * kRows}, 0.1F);
  for (Index i = 0; i < row.numel(); i += 2) row.mutable_data()[i] = -0.1F;
  const auto normalized = layer_norm(row, {}, {}, 0.0, /*remember=*/true);
  expect_all("layer_norm", square(normalized.y), 1.0);
  expect_all("var", var(row, {}, false, 0.0), tenth * tenth);
}

// Products over a long axis, in each of the ways that the sizes choose.
TEST(LongSums, OfProductsKeepTheirDigits) {
  const double product = static_cast<double>(0.1F) * static_cast<double>(0.1F);
  const auto tenths = [](const Shape& shape) { return Tensor<float>::full(shape, 0.1F); };
  constexpr Index kLong = 1'000'000;
  for (const Index rows : {1, 2, 5, 16}) {
    for (const Index cols : {1, 3, 16}) {
      if (rows * cols > 64) continue;
      expect_all("a b", matmul(tenths({rows, kLong}), tenths({kLong, cols})), kLong * product, 2e-5);
      expect_all("a^T b", matmul(transpose(tenths({kLong, rows}), 0, 1), tenths({kLong, cols})), kLong * product, 2e-5);
      expect_all("a b^T", matmul(tenths({rows, kLong}), transpose(tenths({cols, kLong}), 0, 1)), kLong * product, 2e-5);
    }
  }
  expect_all("few rows", matmul(tenths({2, 80'000}), transpose(tenths({40, 80'000}), 0, 1)), 80'000 * product, 2e-5);
  expect_all("small", matmul(tenths({64, 7, 20'000}), tenths({64, 20'000, 5})), 20'000 * product, 2e-5);
  expect_all("linear_backward_weight", linear_backward_weight(tenths({kLong, 5}), tenths({kLong, 7})), kLong * product,
             2e-5);
  for (const Index channels : {1, 3, 16}) {
    const auto x = tenths({1, 700, 700, channels});
    const Tensor<float> dw = conv2d_backward_weight(tenths({1, 700, 700, 16}), x, {1, 1});
    expect_all("conv2d_backward_weight", dw, 490'000 * product, 2e-5);
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::long_sums_test
