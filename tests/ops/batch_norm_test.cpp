// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/ops/batch_norm.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::batch_norm_test {
namespace {

using testing::difference;
using testing::random;

const Shape kShapes[] = {{2, 3},           {7, 5},   {3, 4, 2}, {2, 5, 6, 33}, {1, 2, 1, 1},
                         {16, 20, 20, 16}, {600, 1}, {9, 64},   {70, 100},     {301, 17}};

/// Mean and biased variance of a channel in plain loops.
std::pair<double, double> moments(const Tensor<double>& x, Index c) {
  const auto rows = static_cast<double>(x.shape().rows());
  double mean = 0.0;
  double var = 0.0;
  for (Index i = 0; i < x.shape().rows(); ++i) mean += x.matrix()(i, c) / rows;
  for (Index i = 0; i < x.shape().rows(); ++i) var += std::pow(x.matrix()(i, c) - mean, 2) / rows;
  return {mean, var};
}

TEST(BatchNormOp, MatchesLoops) {
  for (const Shape& shape : kShapes) {
    const Index channels = shape[-1];
    const auto x = random<double>(shape, 1);
    const auto weight = random<double>({channels}, 2);
    const auto bias = random<double>({channels}, 3);
    testing::poison<double>({channels});
    const auto [mean, var] = batch_norm_statistics(x);
    const Tensor<double> inv_std = batch_norm_inv_std(var, 1e-3);
    testing::poison<double>(shape);
    const Tensor<double> y = batch_norm(x, mean, inv_std, weight, bias);
    const Tensor<double> plain = batch_norm(x, mean, inv_std);
    for (Index c = 0; c < channels; ++c) {
      const auto [m, v] = moments(x, c);
      EXPECT_NEAR(mean(c), m, 1e-14);
      EXPECT_NEAR(var(c), v, 1e-13);
      for (Index i = 0; i < shape.rows(); ++i) {
        const double normal = (x.matrix()(i, c) - m) / std::sqrt(v + 1e-3);
        EXPECT_NEAR(plain.matrix()(i, c), normal, 1e-12);
        EXPECT_NEAR(y.matrix()(i, c), weight(c) * normal + bias(c), 1e-12);
      }
    }
  }
}

TEST(BatchNormOp, BackwardMatchesTheJacobian) {
  for (const Shape& shape : kShapes) {
    if (shape.rows() > 100) continue;
    const Index channels = shape[-1];
    const Index rows = shape.rows();
    const auto x = random<double>(shape, 1);
    const auto weight = random<double>({channels}, 2);
    const auto dy = random<double>(shape, 4);
    const BatchNormStatistics<double> statistics = batch_norm_statistics(x);
    const Tensor<double>& mean = statistics.mean;
    const Tensor<double> inv_std = batch_norm_inv_std(statistics.var, 1e-3);
    const auto trained = batch_norm_backward(dy, x, mean, inv_std, weight, BatchNormSource::batch);
    const auto running = batch_norm_backward(dy, x, mean, inv_std, weight, BatchNormSource::running);
    const auto m = static_cast<double>(rows);
    for (Index c = 0; c < channels; ++c) {
      const auto normal = [&](Index i) { return (x.matrix()(i, c) - mean(c)) * inv_std(c); };
      double dweight = 0.0;
      double dbias = 0.0;
      for (Index i = 0; i < rows; ++i) {
        dweight += dy.matrix()(i, c) * normal(i);
        dbias += dy.matrix()(i, c);
        // d y_j / d x_i = weight inv_std (1[i = j] - 1/m - x^_i x^_j / m)
        double dx = 0.0;
        for (Index j = 0; j < rows; ++j) {
          dx += dy.matrix()(j, c) * ((i == j ? 1.0 : 0.0) - 1.0 / m - normal(i) * normal(j) / m);
        }
        EXPECT_NEAR(trained.dx.matrix()(i, c), dx * weight(c) * inv_std(c), 1e-11);
        EXPECT_NEAR(running.dx.matrix()(i, c), dy.matrix()(i, c) * weight(c) * inv_std(c), 1e-12);
      }
      EXPECT_NEAR(trained.dweight(c), dweight, 1e-12);
      EXPECT_NEAR(trained.dbias(c), dbias, 1e-12);
    }
    EXPECT_TRUE(equal(trained.dweight, running.dweight) && equal(trained.dbias, running.dbias));
  }
}

TEST(BatchNormOp, TheVarianceSurvivesALargeMean) {
  for (const Shape& shape : {Shape{40000, 3}, Shape{3000, 69}}) {
    Rng rng(1);
    const auto x = Tensor<float>::generate(shape, [&] { return static_cast<float>(1e4 + rng.normal()); });
    const auto [mean, var] = batch_norm_statistics(x);
    for (Index c = 0; c < shape[1]; ++c) {
      const auto [m, v] = moments(x.cast<double>(), c);
      EXPECT_NEAR(mean(c), m, 2e-3);
      EXPECT_NEAR(var(c), v, 1e-3);
    }
  }
}

// The sum of 256 numbers about 10^6 is rounded to a multiple of 16: the mean of such a run is wrong by a good part of
// the deviation, and what is missing from it sets that right.
TEST(BatchNormOp, TheRoundingOfASumIsSetRight) {
  Rng rng(1);
  const auto x = Tensor<float>::generate({4000, 2}, [&] { return static_cast<float>(1e6 + rng.normal()); });
  const auto [mean, var] = batch_norm_statistics(x);
  for (Index c = 0; c < 2; ++c) {
    const auto [m, v] = moments(x.cast<double>(), c);
    EXPECT_NEAR(mean(c), m, 0.04);  // 10^6 is a multiple of 1/16 in float
    EXPECT_NEAR(var(c), v, 1e-4);
  }
}

TEST(BatchNormOp, TheVarianceOfManyRowsKeepsItsDigits) {
  auto x = Tensor<float>::full({50000, 1}, 0.7F);
  for (Index i = 0; i < x.numel(); i += 2) x.mutable_data()[i] = -0.7F;
  const auto [mean, var] = batch_norm_statistics(x);
  EXPECT_NEAR(var(0) / (0.7 * 0.7), 1.0, 1e-5);
}

TEST(BatchNormOp, GivesTheSameBitsForAnyNumberOfThreads) {
  const auto x = random<float>({16, 20, 20, 16}, 1);
  const auto dy = random<float>({16, 20, 20, 16}, 2);
  Tensor<float> y, dx, dweight;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const auto [mean, var] = batch_norm_statistics(x);
    const Tensor<float> inv_std = batch_norm_inv_std(var, 1e-5);
    const Tensor<float> out = batch_norm(x, mean, inv_std);
    const auto gradients = batch_norm_backward(dy, x, mean, inv_std, {}, BatchNormSource::batch);
    if (threads > 1) {
      EXPECT_TRUE(equal(out, y) && equal(gradients.dx, dx) && equal(gradients.dweight, dweight)) << threads;
    }
    y = out, dx = gradients.dx, dweight = gradients.dweight;
  }
  set_num_threads(0);
}

TEST(BatchNormOp, WorksInPlaceWhereNobodyElseHoldsTheTensor) {
  auto x = random<float>({5, 3}, 1);
  const float* memory = x.data();
  const auto [mean, var] = batch_norm_statistics(x);
  const Tensor<float> y = batch_norm(std::move(x), mean, batch_norm_inv_std(var, 1e-5));
  EXPECT_EQ(y.data(), memory);
}

TEST(BatchNormOp, RefusesShapesThatDoNotFit) {
  const auto x = random<float>({5, 3}, 1);
  const auto three = Tensor<float>::ones({3});
  const auto two = Tensor<float>::ones({2});
  EXPECT_THROW(batch_norm_statistics(Tensor<float>({0, 3})), ShapeError);
  EXPECT_THROW(batch_norm(x, two, two), ShapeError);
  EXPECT_THROW(batch_norm(x, three, two), ShapeError);
  EXPECT_THROW(batch_norm(x, three, three, two), ShapeError);
  EXPECT_THROW(batch_norm(x, three, three, three, two), ShapeError);
  EXPECT_THROW(batch_norm_backward(x, x, two, three, three, BatchNormSource::batch), ShapeError);
  EXPECT_THROW(batch_norm_backward(x, x, three, two, three, BatchNormSource::batch), ShapeError);
  EXPECT_THROW(batch_norm_backward(x, x, three, three, two, BatchNormSource::batch), ShapeError);
  EXPECT_THROW(batch_norm_backward(random<float>({4, 3}, 1), x, three, three, three, BatchNormSource::batch),
               ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::batch_norm_test
