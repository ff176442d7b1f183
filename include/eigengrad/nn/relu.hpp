// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/relu.hpp>

// nn::ReLU relu;

namespace eigengrad::nn {

/// y = max(x, 0), element by element.
template <class T = float>
class ReLU {
 public:
  Shape output_shape(const Shape& x) const { return x; }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    y_.reset();  // lets the memory of the last step go first
    Tensor<T> y = ops::relu(std::move(x));
    if (remembers(mode)) y_ = y;
    return y;
  }

  Tensor<T> backward(Tensor<T> dy) {
    check::remembered(*this, y_.has_value());
    return ops::relu_backward(std::move(dy), *y_);
  }

  std::string description() const { return "ReLU"; }

 private:
  std::optional<Tensor<T>> y_;  // of the last forward that remembers
};

}  // namespace eigengrad::nn
