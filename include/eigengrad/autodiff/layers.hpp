// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <numbers>

#include <eigengrad/autodiff/math.hpp>
#include <eigengrad/autodiff/matmul.hpp>
#include <eigengrad/autodiff/reduce.hpp>
#include <eigengrad/autodiff/structure.hpp>
#include <eigengrad/ops/cross_entropy.hpp>
#include <eigengrad/ops/gelu.hpp>
#include <eigengrad/ops/linear.hpp>
#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/relu.hpp>
#include <eigengrad/ops/sigmoid.hpp>
#include <eigengrad/ops/silu.hpp>
#include <eigengrad/ops/softmax.hpp>
#include <eigengrad/ops/tanh.hpp>

// What layers compute, on Variables: with the functions that the layers call, forward and backward. The overloads of
// the backward functions here serve derivatives of higher order.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

using ops::gelu_backward;
using ops::linear_backward_bias;
using ops::linear_backward_input;
using ops::linear_backward_weight;
using ops::relu_backward;
using ops::sigmoid_backward;
using ops::silu_backward;
using ops::softmax_backward;
using ops::tanh_backward;

template <class T>
Variable<T> relu_backward(const Variable<T>& dy, const Variable<T>& y) {
  return where(greater(y, 0), dy, 0);
}
template <class T>
Variable<T> relu(const Variable<T>& x) {
  return record(
      ops::relu(x.value()),
      [](auto dy, const auto& y, const auto&, const auto& give) {
        give(0, [&] { return relu_backward(std::move(dy), y); });
      },
      x);
}

template <class T>
Variable<T> sigmoid_backward(const Variable<T>& dy, const Variable<T>& y) {
  return dy * y * (T(1) - y);
}
template <class T>
Variable<T> sigmoid(const Variable<T>& x) {
  return record(
      ops::sigmoid(x.value()),
      [](auto dy, const auto& y, const auto&, const auto& give) {
        give(0, [&] { return sigmoid_backward(std::move(dy), y); });
      },
      x);
}

template <class T>
Variable<T> tanh_backward(const Variable<T>& dy, const Variable<T>& y) {
  return dy * (T(1) - y * y);
}
template <class T>
Variable<T> tanh(const Variable<T>& x) {
  return record(
      ops::tanh(x.value()),
      [](auto dy, const auto& y, const auto&, const auto& give) {
        give(0, [&] { return tanh_backward(std::move(dy), y); });
      },
      x);
}

template <class T>
Variable<T> silu_backward(const Variable<T>& dy, const Variable<T>& x) {
  const Variable<T> s = sigmoid(x);
  return dy * s * (T(1) + x * (T(1) - s));
}
template <class T>
Variable<T> silu(const Variable<T>& x) {
  return record(
      ops::silu(x.value()),
      [](auto dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return silu_backward(std::move(dy), a); });
      },
      x);
}

/// The exact form, with P the distribution function of the standard normal distribution: its derivative is P(x) + x
/// p(x) with the density p, and the derivative of that is p(x) (2 - x^2).
template <class T>
Variable<T> gelu_backward(const Variable<T>& dy, const Variable<T>& x) {
  return record(
      ops::gelu_backward(dy.value(), x.value()),
      [](const auto& d, const auto&, const auto& first, const auto& a, const auto& give) {
        give(0, [&] { return gelu_backward(d, a); });
        give(1, [&] {
          using ops::exp, ops::mul, ops::square;
          const T at_0 = static_cast<T>(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
          const auto density = mul(exp(mul(square(a), T(-0.5))), at_0);
          return mul(mul(d, first), mul(density, T(2) - square(a)));
        });
      },
      dy, x);
}
template <class T>
Variable<T> gelu(const Variable<T>& x) {
  return record(
      ops::gelu(x.value()),
      [](auto dy, const auto&, const auto& a, const auto& give) {
        give(0, [&] { return gelu_backward(std::move(dy), a); });
      },
      x);
}

template <class T>
Variable<T> softmax_backward(const Variable<T>& dy, const Variable<T>& y) {
  return y * (dy - sum(dy * y, -1, true));
}
template <class T>
Variable<T> softmax(const Variable<T>& x) {
  return record(
      ops::softmax(x.value()),
      [](auto dy, const auto& y, const auto&, const auto& give) {
        give(0, [&] { return softmax_backward(std::move(dy), y); });
      },
      x);
}

template <class T>
Variable<T> log_softmax(const Variable<T>& x) {
  return record(
      ops::log_softmax(x.value()),
      [](const auto& dy, const auto& y, const auto&, const auto& give) {
        give(0, [&] { return ops::log_softmax_backward(dy, y); });
      },
      x);
}

template <class T>
Variable<T> linear_backward_input(const Variable<T>& dy, const Variable<T>& weight) {
  return matmul(dy, weight);
}
template <class T>
Variable<T> linear_backward_weight(const Variable<T>& dy, const Variable<T>& x) {
  const auto rows = [](const Variable<T>& v) { return reshape(v, {v.shape().rows(), v.shape().cols()}); };
  return matmul(rows(dy), rows(x), {.transpose_a = true});
}
template <class T>
Variable<T> linear_backward_bias(const Variable<T>& dy) {
  return sum_to(dy, {dy.shape().cols()});
}
/// y = x W^T + b on the last axis, as nn::Linear.
/// Shapes   x (..., I), weight (O, I), bias (O), y (..., O)
template <class T>
Variable<T> linear(const Variable<T>& x, const Constant<T>& weight, const Constant<T>& bias) {
  detail::check::same_shape("linear", "bias", bias.shape(),
                            {weight.shape().rows()});  // an empty one is none for tensors alone
  return record(
      ops::linear(x.value(), weight.value(), bias.value()),
      [](const auto& dy, const auto&, const auto& a, const auto& w, const auto&, const auto& give) {
        give(0, [&] { return linear_backward_input(dy, w); });
        give(1, [&] { return linear_backward_weight(dy, a); });
        give(2, [&] { return linear_backward_bias(dy); });
      },
      x, weight, bias);
}

namespace detail {

/// The backward function of a loss that is a mean: on tensors the loss's own; on Variables the gradient is composed of
/// recorded operations.
template <class T>
Tensor<T> scaled(Tensor<T> gradient, const Tensor<T>& dy) {
  return ops::mul(std::move(gradient), dy.item());
}

}  // namespace detail

/// Cross-entropy of softmax(logits), the mean over the rows, as nn::SoftmaxCrossEntropy.
/// Shapes   logits (..., C), N rows; labels (N); result ()
template <class T>
Variable<T> softmax_cross_entropy(const Variable<T>& logits, const Tensor<Index>& labels) {
  auto [loss, probabilities] = ops::softmax_cross_entropy(logits.value(), labels);
  return record(
      Tensor<T>({}, {loss}),
      [labels, p = std::move(probabilities)]<class X>(const X& dy, const X&, const X& x, const auto& give) {
        give(0, [&] {
          if constexpr (std::same_as<X, Tensor<T>>) {
            return detail::scaled(ops::softmax_cross_entropy_backward(p, labels), dy);
          } else {
            const Tensor<T> truth = ops::one_hot<T>(labels, x.shape().cols()).reshape(x.shape());
            return (softmax(x) - truth) * (dy / static_cast<T>(x.shape().rows()));
          }
        });
      },
      logits);
}

/// The mean of the squared differences, as nn::MSELoss.
/// Shapes   x, target any, the same; result ()
template <class T>
Variable<T> mse_loss(const Variable<T>& x, const Constant<T>& target) {
  return mean(square(x - target));
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
