// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/nn/activation.hpp>
#include <eigengrad/ops/relu.hpp>

// nn::ReLU relu;

namespace eigengrad::EIGENGRAD_ISA::nn {

/// y = max(x, 0), element by element.
template <class T = float>
class ReLU : public detail::Activation<T, ReLU<T>> {
 public:
  bool fold_into(ChannelMap<T>& f) {
    this->forget();
    f.relu = true;
    return true;
  }

  std::string description() const { return "ReLU"; }

 private:
  friend detail::Activation<T, ReLU>;
  static constexpr detail::Keeps keeps() { return detail::Keeps::output; }
  static Tensor<T> apply(Tensor<T> x) { return ops::relu(std::move(x)); }
  static Tensor<T> derive(Tensor<T> dy, const Tensor<T>& y) { return ops::relu_backward(std::move(dy), y); }
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
