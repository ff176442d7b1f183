// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>

// Loops over the elements of tensors, on several threads, written as Eigen array expressions.
//   Tensor<T> y = map(x, [](const auto& x) { return x * x; });
// Equal elements have equal results, to the last bit, wherever they stand.

namespace eigengrad::EIGENGRAD_ISA::ops {

/// y = f(x) element by element; f takes and returns Eigen array expressions of blocks.
/// Memory   none if x is the only holder of its elements, else one tensor
template <class T, class F>
Tensor<T> map(Tensor<T> x, const F& f) {
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  parallel_for(y.numel(), detail::kElementGrain,
               [&](Index begin, Index end) { detail::map_row(end - begin, to + begin, f, from + begin); });
  return y;
}

/// z = f(x, y) element by element, for x and y of the same shape.
/// Memory   as for one argument; x is the one that may be written over
template <class T, class F>
Tensor<T> map(Tensor<T> x, const Tensor<T>& y, const F& f) {
  detail::check::same_shape("map", "second argument", y.shape(), x.shape());
  const T* from = x.data();
  Tensor<T> z = detail::reuse(x);
  T* to = z.mutable_data();
  parallel_for(z.numel(), detail::kElementGrain, [&](Index begin, Index end) {
    detail::map_row(end - begin, to + begin, f, from + begin, y.data() + begin);
  });
  return z;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
