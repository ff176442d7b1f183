// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <utility>

#include <eigengrad/nn/activation.hpp>
#include <eigengrad/ops/leaky_relu.hpp>

// nn::LeakyReLU leaky_relu;
// nn::LeakyReLU leaky_relu{{.negative_slope = 0.2}};

namespace eigengrad::EIGENGRAD_ISA::nn {

struct LeakyReLUOptions {
  double negative_slope = 0.01;
};

/// y = x where x > 0, else negative_slope x, element by element. The slope may be negative, as in PyTorch.
/// Errors   ValueError for a slope that is not finite
template <class T = float>
class LeakyReLU : public detail::Activation<T, LeakyReLU<T>> {
 public:
  LeakyReLU() = default;
  explicit LeakyReLU(const LeakyReLUOptions& options) : options_(options) {
    if (std::isfinite(options.negative_slope)) return;
    throw ValueError(error_text("LeakyReLU: negative_slope is ", options.negative_slope, ", expected a finite number"));
  }

  std::string description() const { return error_text("LeakyReLU ", options_.negative_slope); }

 private:
  friend detail::Activation<T, LeakyReLU>;
  // y, which the next layer keeps anyway, does as well as x unless the slope is negative.
  detail::Keeps keeps() const { return options_.negative_slope < 0.0 ? detail::Keeps::input : detail::Keeps::output; }
  Tensor<T> apply(Tensor<T> x) const { return ops::leaky_relu(std::move(x), options_.negative_slope); }
  Tensor<T> derive(Tensor<T> dy, const Tensor<T>& kept) const {
    return ops::leaky_relu_backward(std::move(dy), kept, options_.negative_slope);
  }

  LeakyReLUOptions options_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
