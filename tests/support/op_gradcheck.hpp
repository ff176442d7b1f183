// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <utility>

#include <eigengrad/core/gradcheck.hpp>

// Is the derivative of an operation on tensors that of its forward?
//   EXPECT_TRUE(op_gradcheck("mul", std::array{a, b},
//                            [](const auto& x) { return mul(x[0], x[1]); },
//                            [](const auto& dy, const auto& x, const auto& y) {
//                              return std::array{mul_backward_first(dy, x[1], x[0].shape()),
//                                                mul_backward_second(dy, x[0], x[1].shape())};
//                            }));

namespace eigengrad::EIGENGRAD_ISA::testing {

/// Compares the gradient of a random weighted sum of forward(inputs) by every element of every input with central
/// differences. backward(dy, inputs, y) returns one gradient for each input; dy has the shape of y.
template <std::size_t N, class Forward, class Backward>
GradcheckResult op_gradcheck(const std::string& name, std::array<Tensor<double>, N> inputs, const Forward& forward,
                             const Backward& backward, const GradcheckOptions& options = {}) {
  std::array<double*, N> values;
  for (std::size_t i = 0; i < N; ++i) values[i] = inputs[i].mutable_data();  // unshared: the caller's stay as they are
  Tensor<double> weights;
  std::array<Tensor<double>, N> analytic;
  {
    const Tensor<double> y = forward(std::as_const(inputs));
    Rng rng(options.seed, 1);
    weights = Tensor<double>::randn(y.shape(), rng);
    analytic = backward(weights, std::as_const(inputs), y);
  }
  const auto weighted_sum = [&] { return (forward(std::as_const(inputs)).array() * weights.array()).sum(); };
  detail::GradientComparison comparison(name, options);
  for (std::size_t i = 0; i < N; ++i) {
    comparison.compare("input " + std::to_string(i), values[i], inputs[i].shape(), analytic[i], weighted_sum);
  }
  return comparison.result();
}

/// The same for an operation on one tensor: forward(x), backward(dy, x, y).
template <class Forward, class Backward>
GradcheckResult op_gradcheck(const std::string& name, const Tensor<double>& x, const Forward& forward,
                             const Backward& backward, const GradcheckOptions& options = {}) {
  return op_gradcheck(
      name, std::array{x}, [&](const auto& inputs) { return forward(inputs[0]); },
      [&](const auto& dy, const auto& inputs, const auto& y) { return std::array{backward(dy, inputs[0], y)}; },
      options);
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
