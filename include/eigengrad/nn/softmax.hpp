// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/softmax.hpp>

// nn::Softmax softmax;
// For training prefer logits and nn::SoftmaxCrossEntropy: this layer followed by nn::CrossEntropy computes
// the same, but loss and gradient are not finite where the probability of a true class underflows.

namespace eigengrad::nn {

/// y_i = exp(x_i) / sum_j exp(x_j) over the last axis.
/// Shapes   x, y (..., C)
/// Errors   ShapeError for a scalar
template <class T = float>
class Softmax {
 public:
  Shape output_shape(const Shape& x) const {
    check::rank_at_least(*this, x, 1);
    return x;
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    y_.reset();
    Tensor<T> y = ops::softmax(std::move(x));
    if (remembers(mode)) y_ = y;
    return y;
  }

  Tensor<T> backward(Tensor<T> dy) {
    check::remembered(*this, y_.has_value());
    return ops::softmax_backward(std::move(dy), *y_);
  }

  std::string description() const { return "Softmax"; }

 private:
  std::optional<Tensor<T>> y_;  // of the last forward that remembers
};

}  // namespace eigengrad::nn
