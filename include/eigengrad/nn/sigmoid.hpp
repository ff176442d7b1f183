// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/nn/activation.hpp>
#include <eigengrad/ops/sigmoid.hpp>

// nn::Sigmoid sigmoid;

namespace eigengrad::EIGENGRAD_ISA::nn {

/// y = 1 / (1 + exp(-x)), element by element.
template <class T = float>
class Sigmoid : public detail::Activation<T, Sigmoid<T>> {
 public:
  std::string description() const { return "Sigmoid"; }

 private:
  friend detail::Activation<T, Sigmoid>;
  static constexpr detail::Keeps keeps() { return detail::Keeps::output; }
  static Tensor<T> apply(Tensor<T> x) { return ops::sigmoid(std::move(x)); }
  static Tensor<T> derive(Tensor<T> dy, const Tensor<T>& y) { return ops::sigmoid_backward(std::move(dy), y); }
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
