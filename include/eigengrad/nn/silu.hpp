// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/nn/activation.hpp>
#include <eigengrad/ops/silu.hpp>

// nn::SiLU silu;

namespace eigengrad::EIGENGRAD_ISA::nn {

/// y = x / (1 + exp(-x)), element by element.
template <class T = float>
class SiLU : public detail::Activation<T, SiLU<T>> {
 public:
  std::string description() const { return "SiLU"; }

 private:
  friend detail::Activation<T, SiLU>;
  static constexpr detail::Keeps keeps() { return detail::Keeps::input; }
  static Tensor<T> apply(Tensor<T> x) { return ops::silu(std::move(x)); }
  static Tensor<T> derive(Tensor<T> dy, const Tensor<T>& x) { return ops::silu_backward(std::move(dy), x); }
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
