// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/nn/activation.hpp>
#include <eigengrad/ops/gelu.hpp>

// nn::GELU gelu;
// nn::GELU gelu{{.approximate = nn::Approximate::tanh}};

namespace eigengrad::EIGENGRAD_ISA::nn {

using ops::Approximate;

struct GELUOptions {
  Approximate approximate = Approximate::none;
};

/// y = x P(x), element by element, P being the distribution function of the standard normal distribution.
template <class T = float>
class GELU : public detail::Activation<T, GELU<T>> {
 public:
  GELU() = default;
  explicit GELU(const GELUOptions& options) : options_(options) {}

  std::string description() const { return options_.approximate == Approximate::tanh ? "GELU tanh" : "GELU"; }

 private:
  friend detail::Activation<T, GELU>;
  static constexpr detail::Keeps keeps() { return detail::Keeps::input; }
  Tensor<T> apply(Tensor<T> x) const { return ops::gelu(std::move(x), options_.approximate); }
  Tensor<T> derive(Tensor<T> dy, const Tensor<T>& x) const {
    return ops::gelu_backward(std::move(dy), x, options_.approximate);
  }

  GELUOptions options_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
