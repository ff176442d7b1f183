// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/nn/avg_pool2d.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/residual.hpp>

#include "support/tensors.hpp"

// What users of PyTorch write first means the same as the long form.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

template <class A, class B>
void expect_same_layer(A a, B b, const Shape& shape) {
  const auto x = testing::random<float>(shape, 1);
  EXPECT_EQ(a.description(), b.description());
  EXPECT_TRUE(equal(a.forward(x, Mode::eval), b.forward(x, Mode::eval)));
}

TEST(Shorthand, AKernelStandsForTheOptions) {
  expect_same_layer(MaxPool2d{2}, MaxPool2d{{.kernel = 2}}, {2, 6, 6, 3});
  expect_same_layer(AvgPool2d{3}, AvgPool2d{{.kernel = 3}}, {2, 6, 6, 3});
  const Size2d kernel{1, 3};
  expect_same_layer(MaxPool2d{kernel}, MaxPool2d{{.kernel = {1, 3}}}, {2, 6, 6, 3});
  manual_seed(4);
  Conv2d brief{3, 5, 3};
  manual_seed(4);
  expect_same_layer(std::move(brief), Conv2d{3, 5, {.kernel = 3}}, {2, 6, 6, 3});
  static_assert(std::same_as<decltype(MaxPool2d{2}), MaxPool2d<float>>);
  static_assert(std::same_as<decltype(Conv2d{3, 5, 3}), Conv2d<float>>);
  expect_same_layer(MaxPool2d{MaxPool2d{2}}, MaxPool2d{2}, {2, 6, 6, 3});
}

TEST(Shorthand, APathOfOneLayerNeedsNoSequential) {
  const Linear<> linear{4, 4}, other{4, 4};
  expect_same_layer(Residual{linear}, Residual{Sequential{linear}}, {3, 4});
  expect_same_layer(Residual{linear, other}, Residual{Sequential{linear}, Sequential{other}}, {3, 4});
  expect_same_layer(Residual{Sequential{linear}, other}, Residual{Sequential{linear}, Sequential{other}}, {3, 4});
  static_assert(std::same_as<decltype(Residual{Linear<double>{4, 4}}), Residual<double>>);
  const Residual block{linear};
  const Residual copy{block};
  EXPECT_EQ(copy.body.size(), 1);
}

TEST(Shorthand, PredictIsForwardInInference) {
  Sequential net{Linear{4, 4}, BatchNorm1d{4}, Dropout{}};
  const auto x = testing::random<float>({3, 4}, 1);
  net.forward(x);
  EXPECT_TRUE(equal(net.predict(x), net.forward(x, Mode::inference)));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
