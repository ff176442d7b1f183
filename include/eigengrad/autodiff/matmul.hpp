// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/autodiff/variable.hpp>
#include <eigengrad/ops/matmul.hpp>

// Matrix products of Variables.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

/// As ops::matmul, recorded.
template <class T>
Variable<T> matmul(const Variable<T>& a, const std::type_identity_t<Variable<T>>& b,
                   const ops::MatmulOptions& options = {}) {
  return record(
      ops::matmul(a.value(), b.value(), options),
      [options](const auto& dy, const auto&, const auto& x, const auto& z, const auto& give) {
        give(0, [&] { return ops::matmul_backward_first(dy, z, x.shape(), options); });
        give(1, [&] { return ops::matmul_backward_second(dy, x, z.shape(), options); });
      },
      a, b);
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
