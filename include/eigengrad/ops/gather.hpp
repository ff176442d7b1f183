// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/reshape.hpp>
#include <eigengrad/ops/take.hpp>

// Elements picked by their numbers, and the adjoint, which adds them up where they came from. Slices: ops/take.hpp.
//   gather(x, -1, labels);           // one for each place, as torch.gather: (N, C) and (N, 1) give (N, 1)
//   one_hot<float>(labels, 10);      // (N) gives (N, 10)

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// An index tensor that gather can use with x: the same rank, and no larger on any axis but the gathered one.
inline void check_gather(const char* where, const Shape& x, int axis, const Shape& index) {
  bool fits = x.rank() == index.rank();
  for (int other = 0; fits && other < x.rank(); ++other) fits = other == axis || index[other] <= x[other];
  if (fits) return;
  throw ShapeError(error_text(where, ": index has shape ", index, ", expected the rank of ", x,
                              " and no larger a size but on axis ", axis));
}

/// Calls f(position in index, offset in x) for a range of rows of the index tensor, in order, position by position. A
/// row of it is its last axis.
template <class F>
void for_gathered(const Shape& x, int axis, const Tensor<Index>& index, Index first_row, Index last_row, const F& f) {
  const detail::Strides strides = detail::strides_of(x);
  const Index along = strides[static_cast<std::size_t>(axis)];
  detail::Strides others = strides;
  others[static_cast<std::size_t>(axis)] = 0;
  const int last = x.rank() - 1;
  const Index step = others[static_cast<std::size_t>(last)];
  const Index cols = index.shape().cols();
  detail::Walk<1> walk(index.shape().begin(), last, {others});
  walk.seek(first_row);
  for (Index row = first_row; row < last_row; ++row, walk.next()) {
    for (Index i = 0; i < cols; ++i) {
      const Index position = row * cols + i;
      f(position, walk.offset() + i * step + index.data()[position] * along);
    }
  }
}

}  // namespace detail

/// One element for each place of `index`, as torch.gather: y[i, j, k] = x[i, index[i, j, k], k] for axis 1.
/// Shapes   index of the rank of x and, but for the axis, no larger; y as index
/// Errors   ShapeError for an axis out of range or an index that does not fit, ValueError for a number outside the axis
template <class T>
Tensor<T> gather(const Tensor<T>& x, int axis, const Tensor<Index>& index) {
  axis = detail::checked_axis("gather", axis, x.shape());
  detail::check_gather("gather", x.shape(), axis, index.shape());
  detail::check_indices("gather", index, x.shape().begin()[axis]);
  Tensor<T> y(index.shape());
  if (y.empty()) return y;
  T* to = y.mutable_data();
  detail::parallel_rows(y.shape(), [&](Index begin, Index end) {
    detail::for_gathered(x.shape(), axis, index, begin, end,
                         [&](Index position, Index offset) { to[position] = x.data()[offset]; });
  });
  return y;
}

/// Zeros of the shape `whole`, to which the elements y are added where gather takes them from: its adjoint. Those with
/// one place are added in their order; bool and small integers in Index.
/// Shapes   y as index
/// Errors   those of gather; ShapeError if y and index differ
template <class T>
Tensor<SumOf<T>> scatter_add(const Tensor<T>& y, int axis, const Tensor<Index>& index, const Shape& whole) {
  axis = detail::checked_axis("scatter_add", axis, whole);
  detail::check::same_shape("scatter_add", "source", y.shape(), index.shape());
  detail::check_gather("scatter_add", whole, axis, index.shape());
  detail::check_indices("scatter_add", index, whole[axis]);
  Tensor<SumOf<T>> x = Tensor<SumOf<T>>::zeros(whole);
  if (y.empty()) return x;
  SumOf<T>* to = x.mutable_data();
  // Only places that agree on the first axis meet, unless that is the one they are gathered along.
  const Index rows = index.shape().rows();
  const Index apart = axis == 0 || index.rank() == 1 ? 1 : index.size(0);
  parallel_for(apart, std::max<Index>(1, detail::kElementGrain * apart / y.numel()), [&](Index begin, Index end) {
    detail::for_gathered(whole, axis, index, begin * (rows / apart), end * (rows / apart),
                         [&](Index position, Index offset) { to[offset] += y.data()[position]; });
  });
  return x;
}

/// dx = the sum of the elements dy that each element of x has been gathered to
/// Shapes   dy as index; x the shape of the argument of gather
template <class X>
X gather_backward(const X& dy, int axis, const Tensor<Index>& index, const Shape& x) {
  return scatter_add(dy, axis, index, x);
}

/// dy = the elements of dx that the elements y were added to
/// Shapes   dx as scatter_add(y, axis, index, whole)
template <class X>
X scatter_add_backward(const X& dx, int axis, const Tensor<Index>& index) {
  return gather(dx, axis, index);
}

/// 1 at the label of each row, 0 elsewhere, in numbers of type T.
/// Shapes   labels any; y has one axis more, of size `classes`, at the end
/// Errors   ValueError for a label outside 0 ... classes - 1, ShapeError for a seventh axis
template <class T = float>
Tensor<T> one_hot(const Tensor<Index>& labels, Index classes) {
  Tensor<T> y = Tensor<T>::zeros(unsqueezed(labels.shape(), -1).with(-1, classes));
  detail::check_indices("one_hot", labels, classes);
  T* to = y.mutable_data();
  for (Index i = 0; i < labels.numel(); ++i) to[i * classes + labels.data()[i]] = T(1);
  return y;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
