// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <utility>

#include <eigengrad/ops/axes.hpp>
#include <eigengrad/ops/math.hpp>
#include <eigengrad/ops/reshape.hpp>

// Reductions over some axes or all, and their derivatives.
//   Tensor<T> total = sum(x);                    // a scalar, shape ()
//   Tensor<T> means = mean(x, {0, 1}, true);     // keepdims: shape (1, 1, C)
//   Tensor<Index> best = argmax(x, -1);
// A derivative takes the gradient with respect to the result with keepdims or without.

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// A reduction that has no value over no elements.
inline void check_not_of_nothing(const char* where, const Shape& x, detail::AxisMask mask) {
  if (detail::reduced_count(x, mask) > 0) return;
  throw ShapeError(error_text(where, ": no elements along an axis of shape ", x, ", and that of none is not defined"));
}

/// The shape of a reduction's result with keepdims.
inline Shape kept_shape(const char* where, const Shape& x, const Axes& axes) {
  return detail::reduced_shape(x, axes.mask(where, x), true);
}

}  // namespace detail

/// y = the sum along the axes; 0 if there is no element. Bool and small integers add up in Index: a sum of bool
/// counts.
/// Shapes   x any; y the other axes of x, or with keepdims all, those of the sum having size 1
/// Errors   ShapeError for an axis out of range or one that is given twice; so below
template <class T>
Tensor<SumOf<T>> sum(const Tensor<T>& x, const Axes& axes = {}, bool keepdims = false) {
  const detail::AxisMask mask = axes.mask("sum", x.shape());
  return detail::reduce_axes<detail::Sum>(x, mask, detail::reduced_shape(x.shape(), mask, keepdims));
}

/// dx = dy, repeated along the axes
/// Shapes   dy as the result of sum, with keepdims or without; x the shape of its argument; so below
template <class X>
X sum_backward(const X& dy, const Shape& x, const Axes& axes = {}) {
  return broadcast_to(reshape(dy, detail::kept_shape("sum_backward", x, axes)), x);
}

/// y = 1/n sum_i x_i over the n elements along the axes; NaN for none
template <std::floating_point T>
Tensor<T> mean(const Tensor<T>& x, const Axes& axes = {}, bool keepdims = false) {
  const detail::AxisMask mask = axes.mask("mean", x.shape());
  return div(detail::reduce_axes<detail::Sum>(x, mask, detail::reduced_shape(x.shape(), mask, keepdims)),
             detail::reduced_count(x.shape(), mask));
}

/// dx = dy / n, repeated along the axes
template <class X>
X mean_backward(const X& dy, const Shape& x, const Axes& axes = {}) {
  return sum_backward(div(dy, static_cast<double>(detail::reduced_count(x, axes.mask("mean_backward", x)))), x, axes);
}

namespace detail {

/// What a sum of squares is divided by; never negative, as in torch.var.
inline double var_divisor(Index count, double correction) {
  return std::max(0.0, static_cast<double>(count) - correction);
}

}  // namespace detail

/// y = 1/(n - correction) sum_i (x_i - mean)^2 over the n elements along the axes; NaN for no more than `correction`
/// equal ones, as torch.var
template <std::floating_point T>
Tensor<T> var(const Tensor<T>& x, const Axes& axes = {}, bool keepdims = false, double correction = 1.0) {
  const detail::AxisMask mask = axes.mask("var", x.shape());
  const Tensor<T> squares = square(sub(x, mean(x, axes, true)));
  return div(detail::reduce_axes<detail::Sum>(squares, mask, detail::reduced_shape(x.shape(), mask, keepdims)),
             detail::var_divisor(detail::reduced_count(x.shape(), mask), correction));
}

/// dx = 2/(n - correction) (x - mean) dy
template <class X>
X var_backward(const X& dy, const X& x, const Axes& axes = {}, double correction = 1.0) {
  const detail::AxisMask mask = axes.mask("var_backward", x.shape());
  const double factor = 2.0 / detail::var_divisor(detail::reduced_count(x.shape(), mask), correction);
  return mul(sub(x, mean(x, axes, true)), mul(reshape(dy, detail::reduced_shape(x.shape(), mask, true)), factor));
}

/// y = the largest element along the axes, NaN if one of them is; as torch.amax
/// Errors   ShapeError also if there is no element along the axes
template <class T>
Tensor<T> max(const Tensor<T>& x, const Axes& axes = {}, bool keepdims = false) {
  const detail::AxisMask mask = axes.mask("max", x.shape());
  detail::check_not_of_nothing("max", x.shape(), mask);
  return detail::reduce_axes<detail::Maximum>(x, mask, detail::reduced_shape(x.shape(), mask, keepdims));
}

/// y = the smallest element along the axes, NaN if one of them is; as torch.amin
/// Errors   ShapeError also if there is no element along the axes
template <class T>
Tensor<T> min(const Tensor<T>& x, const Axes& axes = {}, bool keepdims = false) {
  const detail::AxisMask mask = axes.mask("min", x.shape());
  detail::check_not_of_nothing("min", x.shape(), mask);
  return detail::reduce_axes<detail::Minimum>(x, mask, detail::reduced_shape(x.shape(), mask, keepdims));
}

/// dx = dy / k where x = y, else 0, with k the number of elements that are equal to y
/// Shapes   dy, y as the result of max, with keepdims or without; x as its argument
template <class X>
X max_backward(const X& dy, const X& x, const X& y, const Axes& axes = {}) {
  const Shape kept = detail::kept_shape("max_backward", x.shape(), axes);
  const Tensor<bool> chosen = equal_to(x, reshape(y, kept));
  const X ones = where(chosen, where(chosen, 1, x), 0);  // the inner one to have them of the type X
  return div(where(chosen, reshape(dy, kept), 0), sum(ones, axes, true));
}

/// dx = dy / k where x = y, else 0, with k the number of elements that are equal to y
/// Shapes   dy, y as the result of min, with keepdims or without; x as its argument
template <class X>
X min_backward(const X& dy, const X& x, const X& y, const Axes& axes = {}) {
  return max_backward(dy, x, y, axes);
}

/// y = log sum_i exp(x_i) along the axes; -infinity where there is no element. The largest element is subtracted first,
/// so no exponential overflows.
template <std::floating_point T>
Tensor<T> logsumexp(const Tensor<T>& x, const Axes& axes = {}, bool keepdims = false) {
  const detail::AxisMask mask = axes.mask("logsumexp", x.shape());
  const Shape result = detail::reduced_shape(x.shape(), mask, keepdims);
  if (x.empty()) return log(Tensor<T>::zeros(result));
  const Shape kept = detail::reduced_shape(x.shape(), mask, true);
  Tensor<T> largest = detail::reduce_axes<detail::Maximum>(x, mask, kept);
  largest = where(equal_to(abs(largest), std::numeric_limits<T>::infinity()), 0, largest);
  const Tensor<T> sums = detail::reduce_axes<detail::Sum>(exp(sub(x, largest)), mask, kept);
  return add(log(sums), largest).reshape(result);
}

/// dx = exp(x - y) dy
/// Shapes   dy, y as the result of logsumexp, with keepdims or without; x as its argument
template <class X>
X logsumexp_backward(const X& dy, const X& x, const X& y, const Axes& axes = {}) {
  const Shape kept = detail::kept_shape("logsumexp_backward", x.shape(), axes);
  return mul(exp(sub(x, reshape(y, kept))), reshape(dy, kept));
}

/// y = sqrt(sum_i x_i^2) along the axes; 0 if there is no element
template <std::floating_point T>
Tensor<T> norm(const Tensor<T>& x, const Axes& axes = {}, bool keepdims = false) {
  const detail::AxisMask mask = axes.mask("norm", x.shape());
  return sqrt(detail::reduce_axes<detail::Sum>(square(x), mask, detail::reduced_shape(x.shape(), mask, keepdims)));
}

/// dx = x dy / y, 0 where y = 0
/// Shapes   dy, y as the result of norm, with keepdims or without; x as its argument
template <class X>
X norm_backward(const X& dy, const X& x, const X& y, const Axes& axes = {}) {
  const Shape kept = detail::kept_shape("norm_backward", x.shape(), axes);
  return mul(x, reshape(div(dy, where(equal_to(y, 0), 1, y)), kept));
}

/// The position of the largest element along an axis: the first of equal ones, the first NaN if there is one.
/// Shapes   x (..., n, ...); result without the axis, or with keepdims with size 1
/// Errors   ShapeError for an axis out of range or one without elements
template <class T>
Tensor<Index> argmax(const Tensor<T>& x, int axis, bool keepdims = false) {
  const int along = detail::checked_axis("argmax", axis, x.shape());
  const detail::AxisMask mask = detail::AxisMask{1} << along;
  detail::check_not_of_nothing("argmax", x.shape(), mask);
  const Index count = x.size(along);
  const Index stride = detail::numel_between(x.shape(), along + 1, x.rank());
  Tensor<Index> result(detail::reduced_shape(x.shape(), mask, keepdims));
  Index* to = result.mutable_data();
  parallel_for(result.numel(), detail::row_grain(count), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T* from = x.data() + i / stride * stride * count + i % stride;
      Index best = 0;
      for (Index at = 1; at < count; ++at) {
        const T largest = from[best * stride];
        const T next = from[at * stride];
        if (next > largest || (next != next && largest == largest)) best = at;
      }
      to[i] = best;
    }
  });
  return result;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
