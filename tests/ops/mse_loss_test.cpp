// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/mse_loss.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::mse_loss_test {
namespace {

using testing::random;

TEST(MseLoss, MatchesLoops) {
  for (const Shape& shape : {Shape{1}, Shape{5, 3}, Shape{2, 3, 4}, Shape{40, 1001}, Shape{}}) {
    const auto x = random<double>(shape, 1);
    const auto target = random<double>(shape, 2);
    double loss = 0.0;
    Tensor<double> dx(shape);
    const auto count = static_cast<double>(shape.numel());
    for (Index i = 0; i < shape.numel(); ++i) {
      const double d = x.data()[i] - target.data()[i];
      loss += d * d / count;
      dx.mutable_data()[i] = 2.0 * d / count;
    }
    testing::poison<double>(shape);
    const auto [value, rest] = mse_loss(x, target);
    EXPECT_NEAR(value, loss, 1e-13 * loss) << shape;
    testing::poison<double>(shape);
    EXPECT_LT(testing::difference(mse_loss_backward(rest), dx), 1e-14) << shape;
  }
}

TEST(MseLoss, IsTheSameForAnyNumberOfThreads) {
  const auto x = random<float>({100003}, 1);
  const auto target = random<float>({100003}, 2);
  set_num_threads(1);
  const float loss = mse_loss(x, target).loss;
  EXPECT_NEAR(loss, 2.0F, 0.05F);
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    EXPECT_EQ(mse_loss(x, target).loss, loss);
  }
  set_num_threads(0);
}

TEST(MseLoss, RefusesShapesThatDoNotFit) {
  const auto zeros = [](const Shape& shape) { return Tensor<float>::zeros(shape); };
  EXPECT_EQ(testing::message_of([&] {
              mse_loss(zeros({5, 1}), zeros({5}));
            }),
            "mse_loss: target has shape (5,), expected (5, 1)");
  EXPECT_THROW(mse_loss(zeros({0, 3}), zeros({0, 3})), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::mse_loss_test
