// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <eigengrad/ops/conv2d.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// The options with each algorithm that computes a convolution of numbers of type T.
/// Shapes   x (N, H, W, C), weight (K, R, S, C / groups)
template <class T>
std::vector<ops::Conv2dOptions> with_each_algorithm(const Shape& x, const Shape& weight, ops::Conv2dOptions options) {
  const ops::Conv2dPlan<T> plan("with_each_algorithm", x, weight, options);
  std::vector<ops::Conv2dOptions> result;
  for (const auto& algorithm : ops::detail::kConvAlgorithms<T>) {
    if (!algorithm.suits(plan.problem())) continue;
    options.algorithm = algorithm.name;
    result.push_back(options);
  }
  return result;
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
