// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <gtest/gtest.h>

#include <eigengrad/core/parallel.hpp>

#include "support/tensors.hpp"

// What tests of operations on each element share.

namespace eigengrad::EIGENGRAD_ISA::testing {

/// Compares y = forward(x) and dx = backward(dy, x) with scalar functions written out in double, from -8 to 8 and on
/// enough elements for several threads; also that one thread and three compute the same bits, that x stays as it is
/// where somebody else holds it, and that its memory is used where nobody does.
template <class T, class Forward, class Backward, class Value, class Slope>
void expect_elementwise(double tolerance, const Forward& forward, const Backward& backward, const Value& value,
                        const Slope& slope) {
  const Shape shape{7, 9001};
  Rng rng(1);
  const Tensor<T> x = Tensor<T>::rand(shape, rng, -8.0, 8.0);
  const Tensor<T> before = Tensor<T>(shape, x.span());
  const Tensor<T> dy = Tensor<T>::randn(shape, rng);
  Tensor<T> y_expected(shape);
  Tensor<T> dx_expected(shape);
  for (Index i = 0; i < x.numel(); ++i) {
    const auto at = static_cast<double>(x.data()[i]);
    y_expected.mutable_data()[i] = static_cast<T>(value(at));
    dx_expected.mutable_data()[i] = static_cast<T>(slope(at) * static_cast<double>(dy.data()[i]));
  }
  poison<T>(shape);
  set_num_threads(1);
  const Tensor<T> y = forward(x);
  const Tensor<T> dx = backward(dy, x);
  EXPECT_LT(difference(y, y_expected), tolerance);
  EXPECT_LT(difference(dx, dx_expected), tolerance);
  set_num_threads(3);
  EXPECT_TRUE(equal(forward(x), y));
  EXPECT_TRUE(equal(backward(dy, x), dx));
  set_num_threads(0);
  EXPECT_TRUE(equal(x, before));

  Tensor<T> own = Tensor<T>(shape, x.span());
  const T* memory = own.data();
  EXPECT_EQ(forward(std::move(own)).data(), memory);
  EXPECT_THROW(backward(Tensor<T>::zeros({3}), Tensor<T>::zeros({4})), ShapeError);
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
