// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/nn/activation.hpp>
#include <eigengrad/ops/tanh.hpp>

// nn::Tanh tanh;

namespace eigengrad::EIGENGRAD_ISA::nn {

/// y = tanh(x), element by element.
template <class T = float>
class Tanh : public detail::Activation<T, Tanh<T>> {
 public:
  std::string description() const { return "Tanh"; }

 private:
  friend detail::Activation<T, Tanh>;
  static constexpr detail::Keeps keeps() { return detail::Keeps::output; }
  static Tensor<T> apply(Tensor<T> x) { return ops::tanh(std::move(x)); }
  static Tensor<T> derive(Tensor<T> dy, const Tensor<T>& y) { return ops::tanh_backward(std::move(dy), y); }
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
