// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/nn/activation.hpp>
#include <eigengrad/ops/softmax.hpp>

// nn::Softmax softmax;
// For training prefer logits and nn::SoftmaxCrossEntropy: this layer followed by nn::CrossEntropy computes
// the same, but loss and gradient are not finite if the probability of a true class underflows.

namespace eigengrad::EIGENGRAD_ISA::nn {

/// y_i = exp(x_i) / sum_j exp(x_j) over the last axis.
/// Shapes   x, y (..., C)
/// Errors   ShapeError for a scalar
template <class T = float>
class Softmax : public detail::Activation<T, Softmax<T>> {
 public:
  Shape output_shape(const Shape& x) const {
    detail::check::rank_at_least(*this, x, 1);
    return x;
  }

  std::string description() const { return "Softmax"; }

 private:
  friend detail::Activation<T, Softmax>;
  static constexpr detail::Keeps keeps() { return detail::Keeps::output; }
  static Tensor<T> apply(Tensor<T> x) { return ops::softmax(std::move(x)); }
  static Tensor<T> derive(Tensor<T> dy, const Tensor<T>& y) { return ops::softmax_backward(std::move(dy), y); }
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
