// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/copy_strided.hpp>

// Slices picked by their numbers, and the adjoint, which adds them up where they came from.
//   take(embedding, tokens);      // rows: (V, D) and (N, L) give (N, L, D)
//   take(x, columns, 1);          // along another axis, as numpy.take and torch.index_select

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// Throws ValueError "take: index 7 at position 2, expected 0 to 4" unless all are below size.
inline void check_indices(const char* where, const Tensor<Index>& indices, Index size) {
  const Index* data = indices.data();
  const Index count = indices.numel();
  bool inside = true;
  for (Index i = 0; i < count; ++i) inside &= data[i] >= 0 && data[i] < size;
  if (inside) return;
  const Index at = std::find_if(data, data + count, [&](Index i) { return i < 0 || i >= size; }) - data;
  throw ValueError(error_text(where, ": index ", data[at], " at position ", at, ", expected 0 to ", size - 1));
}

/// The shape with one axis replaced by the axes of `indices`.
inline Shape taken_shape(const char* where, const Shape& x, int axis, const Shape& indices) {
  if (x.rank() - 1 + indices.rank() > Shape::kMaxRank) {
    throw ShapeError(error_text(where, ": indices of shape ", indices, " for axis ", axis, " of shape ", x,
                                " give more than ", Shape::kMaxRank, " axes"));
  }
  std::array<Index, Shape::kMaxRank> sizes{};
  auto end = std::copy_n(x.begin(), axis, sizes.begin());
  end = std::copy(indices.begin(), indices.end(), end);
  end = std::copy(x.begin() + axis + 1, x.end(), end);
  return Shape({sizes.data(), static_cast<std::size_t>(end - sizes.begin())});
}

/// Runs of places, 2^shift in each, and for each run the numbers of the indices that point into it.
struct IndexRuns {
  Index count = 1;
  int shift = 0;
  Tensor<Index> order;  // of all runs, one after another; empty for one run
  Tensor<Index> ends;

  /// `work` is how many numbers are touched in all.
  IndexRuns(const Tensor<Index>& indices, Index places, Index work) {
    constexpr Index kMostRuns = 64;
    const Index wanted = std::clamp<Index>(work / detail::kElementGrain, 1, kMostRuns);
    shift = static_cast<int>(std::bit_width(static_cast<std::size_t>((places - 1) / wanted)));
    count = ((places - 1) >> shift) + 1;
    if (count == 1) return;
    // A counting sort: first how many there are in each run, then where the next of each goes.
    ends = Tensor<Index>::zeros({count});
    order = Tensor<Index>(Shape{indices.numel()});
    Index* next = ends.mutable_data();
    Index* to = order.mutable_data();
    for (const Index place : indices.span()) ++next[place >> shift];
    Index sum = 0;
    for (Index run = 0; run < count; ++run) sum += std::exchange(next[run], sum);
    for (Index i = 0; i < indices.numel(); ++i) to[next[indices.data()[i] >> shift]++] = i;
  }

  Index begin(Index run) const { return run == 0 ? 0 : ends.data()[run - 1]; }
};

}  // namespace detail

/// Whole slices of one axis: y[..., i..., ...] = x[..., indices[i...], ...]; rows, as an embedding's, for axis 0.
/// Shapes   indices any; y as x with the axis replaced by those of indices
/// Errors   ShapeError for an axis out of range or more than six axes, ValueError for an index outside the axis
template <class T>
Tensor<T> take(const Tensor<T>& x, const Tensor<Index>& indices, int axis = 0) {
  axis = detail::checked_axis("take", axis, x.shape());
  Tensor<T> y(detail::taken_shape("take", x.shape(), axis, indices.shape()));
  const Index size = x.shape().begin()[axis];
  detail::check_indices("take", indices, size);
  if (y.empty()) return y;
  const Index unit = detail::numel_between(x.shape(), axis + 1, x.rank());
  const Index count = indices.numel();
  T* to = y.mutable_data();
  parallel_for(y.numel() / unit, detail::row_grain(unit), [&](Index begin, Index end) {
    Index outer = begin / count;
    for (Index i = begin % count; begin < end; ++begin) {
      detail::copy_run(x.data() + (outer * size + indices.data()[i]) * unit, unit, to + begin * unit);
      if (++i == count) {
        i = 0;
        ++outer;
      }
    }
  });
  return y;
}

/// Zeros of the shape `whole`, to which the slices y are added at the indices of one axis: the adjoint of take. Slices
/// with the same index are added in their order; bool and small integers in Index.
/// Shapes   y as take(whole, indices, axis)
/// Errors   ShapeError for an axis out of range or a y that does not fit, ValueError for an index outside the axis
template <class T>
Tensor<SumOf<T>> scatter_add(const Tensor<T>& y, const Tensor<Index>& indices, const Shape& whole, int axis = 0) {
  axis = detail::checked_axis("scatter_add", axis, whole);
  detail::check::same_shape("scatter_add", "source", y.shape(),
                            detail::taken_shape("scatter_add", whole, axis, indices.shape()));
  const Index size = whole[axis];
  detail::check_indices("scatter_add", indices, size);
  using Result = SumOf<T>;
  Tensor<Result> x(whole);
  if (x.empty()) return x;
  const Index unit = detail::numel_between(whole, axis + 1, whole.rank());
  const Index count = indices.numel();
  Result* to = x.mutable_data();
  const T* from = y.data();
  const auto add = [&](Index outer, Index i) {
    Result* sums = to + (outer * size + indices.data()[i]) * unit;
    detail::RowMap<Result>(sums, unit) +=
        detail::ConstRowMap<T>(from + (outer * count + i) * unit, unit).template cast<Result>();
  };
  // Each run of places has its own indices, in their order, so that runs can be worked on at the same time.
  const detail::IndexRuns runs(indices, size, (count + size) * unit);
  parallel_for(detail::numel_between(whole, 0, axis) * runs.count, 1, [&](Index first, Index last) {
    for (Index piece = first; piece < last; ++piece) {
      const Index outer = piece / runs.count;
      const Index run = piece % runs.count;
      const Index begin = run << runs.shift;
      const Index end = std::min((run + 1) << runs.shift, size);
      std::fill(to + (outer * size + begin) * unit, to + (outer * size + end) * unit, Result(0));
      if (runs.count == 1) {
        for (Index i = 0; i < count; ++i) add(outer, i);
      } else {
        for (Index at = runs.begin(run); at < runs.begin(run + 1); ++at) add(outer, runs.order.data()[at]);
      }
    }
  });
  return x;
}

/// dx = the sum of the slices dy that each slice of x has been taken to
/// Shapes   dy as take(x, indices, axis); x the shape of its argument
template <class X>
X take_backward(const X& dy, const Tensor<Index>& indices, const Shape& x, int axis = 0) {
  return scatter_add(dy, indices, x, axis);
}

/// dy = the slices of dx that the slices y were added to
/// Shapes   dx as scatter_add(y, indices, whole, axis)
template <class X>
X scatter_add_backward(const X& dx, const Tensor<Index>& indices, int axis = 0) {
  return take(dx, indices, axis);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
