// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/row_sum.hpp>
#include <eigengrad/ops/map.hpp>

// Mean squared error: L = mean (x - t)^2 over all elements.

namespace eigengrad::EIGENGRAD_ISA::ops {

/// A loss and the differences its backward starts from.
template <class T>
struct MSELossResult {
  T loss;
  Tensor<T> difference;  ///< x - t
};

/// Mean squared error: L = 1/n sum_i (x_i - t_i)^2 over all n elements
/// Shapes   x, target t any, the same
/// Units    L in the square of those of x
/// Errors   ShapeError if the shapes differ or there is no element
template <class T>
MSELossResult<T> mse_loss(Tensor<T> x, const Tensor<T>& target) {
  detail::check::same_shape("mse_loss", "target", target.shape(), x.shape());
  if (x.empty()) throw ShapeError("mse_loss: no elements, and the mean of none is not defined");
  Tensor<T> difference = map(std::move(x), target, [](const auto& v, const auto& t) { return v - t; });
  // One part for each piece of the loop, added from first to last whoever has computed them.
  const Index count = difference.numel();
  Tensor<double> parts({detail::ceil_div(count, detail::kElementGrain)});
  double* to = parts.mutable_data();
  parallel_for(count, detail::kElementGrain, [&](Index begin, Index end) {
    const auto square = [](const auto& d) { return d.square(); };
    to[begin / detail::kElementGrain] = detail::row_sum<T>(end - begin, square, difference.data() + begin);
  });
  double sum = 0.0;
  for (const double part : parts.span()) sum += part;
  return {static_cast<T>(sum / static_cast<double>(count)), std::move(difference)};
}

/// dx = 2 (x - t) / n
/// Shapes   difference x - t, dx any, the same, n elements
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> mse_loss_backward(Tensor<T> difference) {
  const T factor = T(2) / static_cast<T>(difference.numel());
  return map(std::move(difference), [factor](const auto& d) { return factor * d; });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
