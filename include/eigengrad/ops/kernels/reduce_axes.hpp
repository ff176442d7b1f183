// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <type_traits>

#include <eigengrad/ops/kernels/axis_mask.hpp>
#include <eigengrad/ops/kernels/column_sum.hpp>
#include <eigengrad/ops/kernels/joined_axes.hpp>
#include <eigengrad/ops/kernels/row_sum.hpp>

// Sums and extrema over any axes, by several threads and yet in one order.
//   Tensor<T> y = reduce_axes<Sum>(x, axes.mask("sum", x.shape()), result_shape);
// What is reduced is cut into parts that depend on the sizes alone. Within a part short runs are added up in T and
// the runs in double, so that a long sum in float keeps its digits; the parts are added from first to last. Bool and
// small integers are added in Index.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// The larger and the smaller of two numbers; NaN if one of them is.
struct Larger {
  template <class T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Smaller {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

/// Reductions: `of` numbers in a row, and how two results, or expressions of them, are joined.
struct Sum {
  template <class T>
  using Result = SumOf<T>;
  /// The type that many results are joined in.
  template <class T>
  using Total = std::conditional_t<std::floating_point<T>, double, SumOf<T>>;

  template <class T>
  static Total<T> of(Index count, const T* x) {
    if constexpr (std::floating_point<T>)
      return row_sum(count, x);
    else
      return ConstRowMap<T>(x, count).template cast<SumOf<T>>().sum();
  }
  template <class A, class B>
  static auto join(const A& a, const B& b) {
    return a + b;
  }
};

template <class Choice>
struct Extremum {
  template <class T>
  using Result = T;
  template <class T>
  using Total = T;

  template <class T>
  static T of(Index count, const T* x) {
    const ConstRowMap<T> v(x, count);
    if constexpr (std::same_as<Choice, detail::Larger>)
      return v.template maxCoeff<Eigen::PropagateNaN>();
    else
      return v.template minCoeff<Eigen::PropagateNaN>();
  }
  template <class A, class B>
  static auto join(const A& a, const B& b) {
    if constexpr (std::is_arithmetic_v<A>)
      return Choice()(a, b);
    else
      return a.binaryExpr(b, Choice());
  }
};
using Maximum = Extremum<detail::Larger>;
using Minimum = Extremum<detail::Smaller>;

/// Columns that are reduced side by side.
inline constexpr Index kColumnBlock = 256;
/// With so many results or more, no result needs more than one thread.
inline constexpr Index kManyResults = 64;

/// The axes of a reduction and how its work is cut into pieces. A unit is one result or, if the innermost axis is
/// kept, a block of neighbouring results; each unit has `parts` parts of `part_size` positions of the reduced axes.
struct ReductionPlan {
  JoinedAxes<1> kept, reduced;
  Index count;      // positions of the reduced axes
  Index cols = 0;   // the innermost axis where it is kept, else 0; it is not among `kept`
  Index width = 1;  // results in a unit, but for the last of a row
  Index blocks = 1;
  Index units;
  Index part_size;
  Index parts = 1;

  ReductionPlan(const Shape& x, AxisMask mask) {
    const Strides strides = strides_of(x);
    for (int axis = 0; axis < x.rank(); ++axis) {
      const Index stride = strides[static_cast<std::size_t>(axis)];
      (((mask >> axis) & 1U) != 0 ? reduced : kept).add(x.begin()[axis], {stride});
    }
    count = reduced.positions();
    if (reduced.last_stride(0) != 1) {
      cols = kept.take_last();
      width = std::min(cols, kColumnBlock);
      blocks = ceil_div(cols, width);
    }
    units = kept.positions() * blocks;
    part_size = count;
    if (units >= kManyResults || count * width <= 2 * kElementGrain) return;
    part_size = std::max<Index>(1, kElementGrain / width);
    parts = ceil_div(count, part_size);
  }
};

/// The positions [begin, end) of reduced axes whose innermost is contiguous.
template <class R, class T>
auto reduce_row(const T* x, const JoinedAxes<1>& reduced, Index begin, Index end) {
  using Total = typename R::template Total<T>;
  if (reduced.rank == 1) return Total{R::of(end - begin, x + begin)};
  Total total{};
  bool first = true;
  reduced.for_runs(begin, end, [&](Index, const std::array<Index, 1>& offset, Index length) {
    const Total result = R::of(length, x + offset[0]);
    total = first ? result : R::join(total, result);
    first = false;
  });
  return total;
}

/// The positions [begin, end) of reduced axes for `width` neighbouring results.
template <class R, class T, class To>
void reduce_columns(const T* x, Index width, const JoinedAxes<1>& reduced, Index begin, Index end, To* to) {
  using Part = typename R::template Result<T>;
  using Total = typename R::template Total<T>;
  std::array<Part, kColumnBlock> run_memory;
  std::array<Total, kColumnBlock> total_memory;
  RowMap<Part> run(run_memory.data(), width);
  RowMap<Total> total(total_memory.data(), width);
  Walk<1> walk = reduced.walk();
  walk.seek(begin);
  for (Index first = begin; first < end; first += kColumnRun) {
    const Index rows = std::min(kColumnRun, end - first);
    for (Index row = 0; row < rows; ++row, walk.next()) {
      const ConstRowMap<T> next(x + walk.offset(), width);
      if (row == 0)
        run = next.template cast<Part>();
      else
        run = R::join(run, next.template cast<Part>());
    }
    if (rows == end - begin) {
      RowMap<To>(to, width) = run.template cast<To>();
      return;
    }
    if (first == begin)
      total = run.template cast<Total>();
    else
      total = R::join(total, run.template cast<Total>());
  }
  RowMap<To>(to, width) = total.template cast<To>();
}

/// All parts of all results.
/// Shapes   to (parts, results)
template <class R, class T, class To>
void reduce_parts(const ReductionPlan& plan, const T* x, Index results, To* to) {
  const Index grain = std::max<Index>(1, kElementGrain / (plan.part_size * plan.width));
  parallel_for(plan.units * plan.parts, grain, [&](Index first, Index last) {
    for (Index piece = first; piece < last; ++piece) {
      const Index part = plan.parts == 1 ? 0 : piece / plan.units;
      const Index unit = piece - part * plan.units;
      const Index begin = part * plan.part_size;
      const Index end = std::min(begin + plan.part_size, plan.count);
      if (plan.cols == 0) {
        const T* from = x + plan.kept.offset(unit);
        to[part * results + unit] = static_cast<To>(reduce_row<R>(from, plan.reduced, begin, end));
      } else {
        const Index col = unit % plan.blocks * plan.width;
        const Index outer = unit / plan.blocks;
        reduce_columns<R>(x + plan.kept.offset(outer) + col, std::min(plan.width, plan.cols - col), plan.reduced, begin,
                          end, to + part * results + outer * plan.cols + col);
      }
    }
  });
}

/// Each result from the elements along the axes of the mask; 0 if there is none.
/// Shapes   x any; result the other axes of x, with or without axes of size 1 between them
/// Memory   x itself if no axis has more than one element; at most x.numel() / 64 numbers beside the result
template <class R, class T>
Tensor<typename R::template Result<T>> reduce_axes(const Tensor<T>& x, AxisMask mask, const Shape& result) {
  using Result = typename R::template Result<T>;
  if (x.numel() == 0) return Tensor<Result>::zeros(result);
  if (x.numel() == result.numel()) {
    if constexpr (std::same_as<Result, T>)
      return x.reshape(result);
    else
      return x.template cast<Result>().reshape(result);
  }
  const detail::ReductionPlan plan(x.shape(), mask);
  const Index results = result.numel();
  Tensor<Result> y(result);
  Result* to = y.mutable_data();
  if (plan.parts == 1) {
    detail::reduce_parts<R>(plan, x.data(), results, to);
    return y;
  }
  using Total = typename R::template Total<T>;
  Tensor<Total> partial({plan.parts, results});
  Total* parts = partial.mutable_data();
  detail::reduce_parts<R>(plan, x.data(), results, parts);
  parallel_for(results, row_grain(plan.parts), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      Total total = parts[i];
      for (Index part = 1; part < plan.parts; ++part) total = R::join(total, parts[part * results + i]);
      to[i] = static_cast<Result>(total);
    }
  });
  return y;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
