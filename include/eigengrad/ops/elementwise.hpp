// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>

// Loops over the elements of tensors, on several threads, written as Eigen array expressions.
//   Tensor<T> y = map(x, [](const auto& x) { return x.max(T(0)); });

namespace eigengrad::ops {

/// Elements in one piece of a parallel elementwise loop.
inline constexpr Index kElementGrain = 16 * 1024;
/// Rows in one piece of a parallel loop over rows of the given length.
inline Index row_grain(Index cols) { return std::max<Index>(1, kElementGrain / std::max<Index>(cols, 1)); }

/// Calls body(begin, end) for the rows of a tensor of this shape, on several threads; not at all if it has no elements,
/// however many rows that may be.
template <class F>
void parallel_rows(const Shape& shape, F&& body) {
  if (shape.numel() > 0) parallel_for(shape.rows(), row_grain(shape.cols()), body);
}

/// The type that elements add up in, as in NumPy and PyTorch: Index for bool and integers smaller than it, so that a
/// sum counts what is true and does not wrap at 255; else their own.
template <class T>
using SumOf = std::conditional_t<std::integral<T> && sizeof(T) < sizeof(Index), Index, T>;

/// Numbers in a row, as those of a pixel or of a matrix row, wherever they begin.
template <class T>
using RowMap = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstRowMap = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

namespace detail {

/// x itself if nobody shares its memory, so that a result can be written over it; else a new tensor of its
/// shape.
template <class T>
Tensor<T> reuse(Tensor<T>& x) {
  return x.unique() ? std::move(x) : Tensor<T>(x.shape());
}

}  // namespace detail

/// y = f(x) element by element; f takes and returns Eigen array expressions.
/// Memory   none if x is the only holder of its elements, else one tensor
template <class T, class F>
Tensor<T> map(Tensor<T> x, const F& f) {
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  parallel_for(y.numel(), kElementGrain, [&](Index begin, Index end) {
    ArrayMap<T>(to + begin, end - begin) = f(ConstArrayMap<T>(from + begin, end - begin));
  });
  return y;
}

/// z = f(x, y) element by element, for x and y of the same shape.
/// Memory   as for one argument; x is the one that may be written over
template <class T, class F>
Tensor<T> map(Tensor<T> x, const Tensor<T>& y, const F& f) {
  check::same_shape("map", "second argument", y.shape(), x.shape());
  const T* from = x.data();
  Tensor<T> z = detail::reuse(x);
  T* to = z.mutable_data();
  parallel_for(z.numel(), kElementGrain, [&](Index begin, Index end) {
    const Index count = end - begin;
    ArrayMap<T>(to + begin, count) =
        f(ConstArrayMap<T>(from + begin, count), ConstArrayMap<T>(y.data() + begin, count));
  });
  return z;
}

}  // namespace eigengrad::ops
