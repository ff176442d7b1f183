// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <limits>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/copy_strided.hpp>

// Part of an axis, as x[..., begin:end:step, ...] of NumPy, and its adjoint, which puts the part back among zeros.
//   slice(x, 0, 2, 5);               // rows 2, 3, 4
//   slice(x, -1, -3, kEnd);          // the last three columns
//   slice(x, 1, 0, kEnd, 2);         // every second one

namespace eigengrad::EIGENGRAD_ISA::ops {

/// As the end of a slice: no end.
inline constexpr Index kEnd = std::numeric_limits<Index>::max();

namespace detail {

/// What a slice takes of an axis: begin, begin + step, ..., `count` positions.
struct SliceRange {
  int axis;
  Index begin;
  Index count;

  SliceRange(const char* where, const Shape& x, int any_axis, Index first, Index end, Index step)
      : axis(detail::checked_axis(where, any_axis, x)) {
    detail::check::above_zero(where, "step", step);
    const Index size = x.begin()[axis];
    const auto position = [&](Index p) { return std::clamp<Index>(p < 0 ? p + size : p, 0, size); };
    begin = position(first);
    const Index length = std::max<Index>(position(end) - begin, 0);
    count = detail::ceil_div(length, step);
  }
};

/// The elements from the sliced axis on: of `length` in a row of the whole, a slice of step 1 has `taken`, which stand
/// behind the first `before`.
struct SliceRows {
  Index count, length, before, taken;

  SliceRows(const Shape& whole, const SliceRange& range) {
    const Index unit = detail::numel_between(whole, range.axis + 1, whole.rank());
    count = detail::numel_between(whole, 0, range.axis);
    length = whole.begin()[range.axis] * unit;
    before = range.begin * unit;
    taken = range.count * unit;
  }
};

/// The strides of the slice inside the whole.
inline detail::Strides sliced_strides(const Shape& whole, int axis, Index step) {
  detail::Strides strides = detail::strides_of(whole);
  strides[static_cast<std::size_t>(axis)] *= std::min(step, std::max<Index>(whole.begin()[axis], 1));
  return strides;
}

}  // namespace detail

/// The positions begin, begin + step, ... below end of one axis. Negative positions count from the end; those beyond
/// the axis are moved to its ends, as NumPy does.
/// Shapes   x any of rank 1 or more; y has ceil((end - begin) / step) on the axis, possibly 0
/// Memory   none if it is all of x, which is returned as it is
/// Errors   ShapeError for an axis out of range, ValueError for a step below 1
template <class T>
Tensor<T> slice(const Tensor<T>& x, int axis, Index begin, Index end, Index step = 1) {
  const detail::SliceRange range("slice", x.shape(), axis, begin, end, step);
  if (range.count == x.size(range.axis)) return x;
  Tensor<T> y(x.shape().with(range.axis, range.count));
  if (y.empty()) return y;
  const detail::SliceRows rows(x.shape(), range);
  if (step == 1)
    detail::copy_runs(rows.count, rows.taken, x.data() + rows.before, rows.length, y.mutable_data(), rows.taken);
  else
    detail::copy_strided(y.shape(), x.data() + rows.before, detail::sliced_strides(x.shape(), range.axis, step),
                         y.mutable_data(), detail::strides_of(y.shape()));
  return y;
}

/// Zeros of the shape `whole`, in which slice(..., axis, begin, end, step) gives y: the adjoint of slice.
/// Errors   those of slice; ShapeError if y has not the shape of that slice
template <class T>
Tensor<T> unslice(const Tensor<T>& y, const Shape& whole, int axis, Index begin, Index end, Index step = 1) {
  const detail::SliceRange range("unslice", whole, axis, begin, end, step);
  detail::check::same_shape("unslice", "slice", y.shape(), whole.with(range.axis, range.count));
  if (y.shape() == whole) return y;
  Tensor<T> x(whole);
  if (x.empty()) return x;
  const detail::SliceRows rows(whole, range);
  T* to = x.mutable_data();
  if (step == 1) {
    const Index after = rows.before + rows.taken;
    parallel_for(rows.count, detail::row_grain(rows.length), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i) {
        T* row = to + i * rows.length;
        detail::fill_run(row, rows.before, T(0));
        detail::copy_run(y.data() + i * rows.taken, rows.taken, row + rows.before);
        detail::fill_run(row + after, rows.length - after, T(0));
      }
    });
  } else {
    detail::fill_run(to, x.numel(), T(0));
    detail::copy_strided(y.shape(), y.data(), detail::strides_of(y.shape()), to + rows.before,
                         detail::sliced_strides(whole, range.axis, step));
  }
  return x;
}

/// dx = dy at the positions of the slice, 0 elsewhere
/// Shapes   dy as the slice of x; dx as x
template <class X>
X slice_backward(const X& dy, const Shape& x, int axis, Index begin, Index end, Index step = 1) {
  return unslice(dy, x, axis, begin, end, step);
}

/// dy = the slice of dx
template <class X>
X unslice_backward(const X& dx, int axis, Index begin, Index end, Index step = 1) {
  return slice(dx, axis, begin, end, step);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
