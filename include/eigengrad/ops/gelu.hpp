// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/map.hpp>
#include <eigengrad/ops/sigmoid.hpp>

// GELU: y = x P(x), where P is the distribution function of the standard normal distribution, by its definition
// or by PyTorch's approximation.
//   Tensor<T> y = gelu(x, Approximate::tanh);

namespace eigengrad::EIGENGRAD_ISA::ops {

/// How P is computed.
enum class Approximate {
  none,  ///< P(x) = (1 + erf(x / sqrt 2)) / 2
  tanh,  ///< P(x) = (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2
};

namespace detail {

// (1 + tanh u) / 2 = 1 / (1 + exp(-2 u)), which has no cancellation for negative u. Here 2 u = x (k1 + k3 x^2).
inline constexpr double kGelu1 = 2.0 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
inline constexpr double kGelu3 = kGelu1 * 0.044715;

/// Beyond this P is 0 or 1 in every number type. A factor x next to it, or next to P', may be cut off here, so that
/// infinity times 0 does not become NaN.
inline constexpr double kGeluRange = 100.0;

template <class V>
auto approximate_normal_cdf(const V& v) {
  using T = typename V::Scalar;
  return detail::logistic(v * (T(kGelu1) + T(kGelu3) * v * v));
}

template <class T>
T normal_cdf(T x) {
  return T(0.5) * std::erfc(x * T(-1.0 / std::numbers::sqrt2));  // 1 + erf would cancel for negative x
}

/// P(x) + x P'(x), where P' is the density of the standard normal distribution.
template <class T>
T gelu_derivative(T x) {
  constexpr double kDensityAt0 = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  const T bounded = std::clamp(x, T(-kGeluRange), T(kGeluRange));
  return normal_cdf(x) + bounded * T(kDensityAt0) * std::exp(T(-0.5) * bounded * bounded);
}

}  // namespace detail

/// Gaussian error linear unit, element by element: y = x P(x); 0 at minus infinity
/// Shapes   x, y any, the same
/// Source   Hendrycks & Gimpel 2016
template <class T>
Tensor<T> gelu(Tensor<T> x, Approximate approximate = Approximate::none) {
  if (approximate == Approximate::tanh) {
    return map(std::move(x),
               [](const auto& v) { return v.max(T(-detail::kGeluRange)) * detail::approximate_normal_cdf(v); });
  }
  return map(std::move(x), [](const auto& v) {
    return v.unaryExpr([](T e) { return std::max(e, T(-detail::kGeluRange)) * detail::normal_cdf(e); });
  });
}

/// dx = (P(x) + x P'(x)) dy
/// Shapes   dy, x, dx any, the same
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> gelu_backward(Tensor<T> dy, const Tensor<T>& x, Approximate approximate = Approximate::none) {
  detail::check::same_shape("gelu_backward", "gradient of the output", dy.shape(), x.shape());
  if (approximate == Approximate::tanh) {
    return map(std::move(dy), x, [](const auto& d, const auto& v) {
      const auto p = detail::approximate_normal_cdf(v).eval();  // once, though it stands twice below
      const auto bounded = v.max(T(-detail::kGeluRange)).min(T(detail::kGeluRange));
      const auto slope = T(detail::kGelu1) + T(3.0 * detail::kGelu3) * bounded * bounded;  // of 2 u
      return (d * p * (T(1) + bounded * slope * (T(1) - p))).eval();
    });
  }
  return map(std::move(dy), x, [](const auto& d, const auto& v) {
    return d * v.unaryExpr([](T e) { return detail::gelu_derivative(e); });
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
