// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/grad.hpp>

#include "support/tensors.hpp"

// First and second derivatives of a function on Variables against central differences.

namespace eigengrad::EIGENGRAD_ISA::testing {

using autodiff::Variable;
using Tensors = std::vector<Tensor<double>>;
using Variables = std::vector<Variable<double>>;
using VariableFunction = std::function<Variable<double>(const Variables&)>;

inline Variables leaves(const Tensors& values) {
  Variables result;
  for (const Tensor<double>& value : values) result.push_back(Variable<double>::leaf(value));
  return result;
}

/// The largest error of `exact`, the gradients of `number` at `at`, relative to the largest of the gradients or 1.
inline double gradient_error(const std::function<double(const Tensors&)>& number, Tensors at, const Tensors& exact) {
  constexpr double kStep = 1e-5;
  double error = 0.0;
  double scale = 1.0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    if (exact[i].shape() != at[i].shape()) return std::numeric_limits<double>::infinity();
    for (Index k = 0; k < at[i].numel(); ++k) {
      const double value = at[i].data()[k];
      at[i].mutable_data()[k] = value + kStep;
      const double above = number(at);
      at[i].mutable_data()[k] = value - kStep;
      const double below = number(at);
      at[i].mutable_data()[k] = value;
      const double difference = std::abs((above - below) / (2.0 * kStep) - exact[i].data()[k]);
      if (!(difference <= error)) error = difference;
      scale = std::max(scale, std::abs(exact[i].data()[k]));
    }
  }
  return error / scale;
}

/// Checks the gradients of <r, f(x)> for a random r, and, unless `twice` is false, the gradients of a random
/// combination of these gradients.
inline void expect_derivatives(const std::string& name, const VariableFunction& f, const Tensors& at,
                               bool twice = true) {
  const Shape shape = f(leaves(at)).shape();
  const auto r = random<double>(shape, 101);
  const auto weighted = [&](const Variables& x) { return sum(f(x) * Variable<double>(r)); };
  const auto gradients = [&](const Variables& x, bool create_graph) {
    const Variable<double> y = weighted(x);
    return autodiff::grad(y, x, Variable<double>(Tensor<double>::ones({})), {.create_graph = create_graph});
  };
  const auto values = [](const Variables& variables) {
    Tensors result;
    for (const auto& v : variables) result.push_back(v.value());
    return result;
  };
  if (!weighted(leaves(at)).requires_grad()) return;  // of nothing
  const auto number = [&](const Tensors& x) { return weighted(leaves(x)).item(); };
  EXPECT_LT(gradient_error(number, at, values(gradients(leaves(at), false))), 1e-6) << name;
  if (!twice) return;

  const auto combined = [&](const Variables& x) {
    const Variables first = gradients(x, true);
    Variable<double> total(0.0);
    for (std::size_t i = 0; i < first.size(); ++i) {
      total = total + sum(first[i] * Variable<double>(random<double>(first[i].shape(), 200 + i)));
    }
    return total;
  };
  const Variables x = leaves(at);
  const Variable<double> total = combined(x);
  const auto second_number = [&](const Tensors& values_of_x) { return combined(leaves(values_of_x)).item(); };
  Tensors second;
  if (total.requires_grad()) {
    second = values(autodiff::grad(total, x, Variable<double>(Tensor<double>::ones({}))));
  } else {
    for (const auto& value : at) second.push_back(Tensor<double>::zeros(value.shape()));
  }
  EXPECT_LT(gradient_error(second_number, at, second), 1e-6) << name << ", second derivative";
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
