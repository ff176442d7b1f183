// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <span>
#include <type_traits>
#include <utility>

#include <eigengrad/ops/kernels/copy_strided.hpp>
#include <eigengrad/ops/kernels/reduce_axes.hpp>

// Broadcasting, by NumPy's rules: shapes are aligned at their last axes, and where one has size 1 or no axis, its
// elements are repeated.
//   broadcast_shape({8, 1, 3}, {5, 1});      // (8, 5, 3)
//   broadcast_to(x, {8, 5, 3});              // x repeated
//   sum_to(y, x.shape());                    // its adjoint: the sum over all copies of an element

namespace eigengrad::EIGENGRAD_ISA::ops {

/// A number, not a tensor.
template <class N>
concept Number = std::is_arithmetic_v<N>;

/// A number that an operation on a Tensor<T> takes: converted to T, and an integer if T is one.
template <class N, class T>
concept NumberFor = Number<N> &&(std::floating_point<T> || std::integral<N>);

/// The shape that two shapes broadcast to.
/// Errors   ShapeError "add: shapes (2, 3) and (4, 3) do not broadcast"
inline Shape broadcast_shape(const Shape& a, const Shape& b, const char* where = "broadcast_shape") {
  if (a == b || b.rank() == 0) return a;
  if (a.rank() == 0) return b;
  std::array<Index, Shape::kMaxRank> sizes{};
  const int rank = std::max(a.rank(), b.rank());
  for (int from_end = 1; from_end <= rank; ++from_end) {
    const Index in_a = from_end <= a.rank() ? a.end()[-from_end] : 1;
    const Index in_b = from_end <= b.rank() ? b.end()[-from_end] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) {
      throw ShapeError(error_text(where, ": shapes ", a, " and ", b, " do not broadcast"));
    }
    sizes[static_cast<std::size_t>(rank - from_end)] = in_a == 1 ? in_b : in_a;
  }
  return Shape(std::span<const Index>(sizes.data(), static_cast<std::size_t>(rank)));
}

namespace detail {

/// True if x broadcasts to exactly this shape.
inline bool broadcasts_to(const Shape& x, const Shape& shape) {
  if (x.rank() > shape.rank()) return false;
  for (int from_end = 1; from_end <= x.rank(); ++from_end) {
    const Index size = x.end()[-from_end];
    if (size != 1 && size != shape.end()[-from_end]) return false;
  }
  return true;
}

/// The strides of a tensor under a shape that it broadcasts to: 0 on the axes along which it is repeated.
inline detail::Strides broadcast_strides(const Shape& x, const Shape& shape) {
  detail::Strides strides{};
  Index next = 1;
  for (int from_end = 1; from_end <= x.rank(); ++from_end) {
    const Index size = x.end()[-from_end];
    if (size != 1) strides[static_cast<std::size_t>(shape.rank() - from_end)] = next;
    next *= size;
  }
  return strides;
}

/// f(position, offsets, steps, count) for runs of elements of the result, on several threads: each operand has its
/// elements of the run from its offset on if its step is 1, or one element for all of them if it is 0.
template <std::size_t N, class F>
void broadcast_loop(const Shape& result, const std::array<const Shape*, N>& operands, const F& f) {
  const Index numel = result.numel();
  std::array<Index, N> steps;
  bool one_run = true;
  for (std::size_t n = 0; n < N; ++n) {
    const Index own = operands[n]->numel();
    steps[n] = own == numel ? 1 : 0;
    one_run = one_run && (own == numel || own == 1);
  }
  if (one_run) {
    parallel_for(numel, detail::kElementGrain, [&](Index begin, Index end) {
      std::array<Index, N> offsets;
      for (std::size_t n = 0; n < N; ++n) offsets[n] = begin * steps[n];
      f(begin, offsets, steps, end - begin);
    });
    return;
  }
  std::array<detail::Strides, N> strides;
  for (std::size_t n = 0; n < N; ++n) strides[n] = broadcast_strides(*operands[n], result);
  detail::JoinedAxes<N> axes;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(result.rank()); ++axis) {
    for (std::size_t n = 0; n < N; ++n) steps[n] = strides[n][axis];
    axes.add(result.begin()[axis], steps);
  }
  for (std::size_t n = 0; n < N; ++n) steps[n] = axes.last_stride(n);
  parallel_for(numel, detail::kElementGrain, [&](Index begin, Index end) {
    axes.for_runs(begin, end, [&](Index position, const std::array<Index, N>& offsets, Index count) {
      f(position, offsets, steps, count);
    });
  });
}

/// to = f(a, b) element by element, broadcast; f takes and returns Eigen array expressions.
template <class R, class T, class F>
void broadcast_into(R* to, const Shape& result, const T* a, const Shape& a_shape, const T* b, const Shape& b_shape,
                    const F& f) {
  using Row = Eigen::Array<T, Eigen::Dynamic, 1>;
  broadcast_loop<2>(result, {&a_shape, &b_shape},
                    [&](Index at, const std::array<Index, 2>& offsets, const std::array<Index, 2>& steps, Index count) {
                      detail::RowMap<R> out(to + at, count);
                      const detail::ConstRowMap<T> from_a(a + offsets[0], count);
                      const detail::ConstRowMap<T> from_b(b + offsets[1], count);
                      if (steps[0] == 0)
                        out = f(Row::Constant(count, a[offsets[0]]), from_b);
                      else if (steps[1] == 0)
                        out = f(from_a, Row::Constant(count, b[offsets[1]]));
                      else
                        out = f(from_a, from_b);
                    });
}

/// f(a, b), broadcast.
/// Memory   none if a has the shape and type of the result and is the only holder of its elements, else one tensor
template <class R, class T, class F>
Tensor<R> broadcast(const char* where, Tensor<T> a, const Tensor<T>& b, const F& f) {
  const Shape a_shape = a.shape();
  const Shape shape = broadcast_shape(a_shape, b.shape(), where);
  const T* from = a.data();
  if constexpr (std::same_as<R, T>) {
    if (a_shape == shape) {
      Tensor<T> y = reuse(a);
      broadcast_into(y.mutable_data(), shape, from, a_shape, b.data(), b.shape(), f);
      return y;
    }
  }
  Tensor<R> y(shape);
  broadcast_into(y.mutable_data(), shape, from, a_shape, b.data(), b.shape(), f);
  return y;
}

/// f(a, number), which is f(number, a) if f is given its arguments the other way round.
template <class R, class T, class F>
Tensor<R> with_number(Tensor<T> a, T number, const F& f) {
  const Shape shape = a.shape();
  const T* from = a.data();
  if constexpr (std::same_as<R, T>) {
    Tensor<T> y = reuse(a);
    broadcast_into(y.mutable_data(), shape, from, shape, &number, Shape(), f);
    return y;
  } else {
    Tensor<R> y(shape);
    broadcast_into(y.mutable_data(), shape, from, shape, &number, Shape(), f);
    return y;
  }
}

/// The same function of its arguments the other way round.
template <class F>
struct Flipped {
  template <class A, class B>
  auto operator()(const A& a, const B& b) const {
    return F()(b, a);
  }
};

}  // namespace detail

/// x repeated along the axes that it lacks or has with size 1, as torch.broadcast_to.
/// Memory   none if the shape is that of x
/// Errors   ShapeError if x does not broadcast to the shape
template <class T>
Tensor<T> broadcast_to(const Tensor<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (!detail::broadcasts_to(x.shape(), shape)) {
    throw ShapeError(error_text("broadcast_to: shape ", x.shape(), " does not broadcast to ", shape));
  }
  Tensor<T> y(shape);
  detail::copy_strided(shape, x.data(), detail::broadcast_strides(x.shape(), shape), y.mutable_data(),
                       detail::strides_of(shape));
  return y;
}

/// The adjoint of broadcast_to: x summed over the axes along which a tensor of the given shape is repeated to have that
/// of x.
/// Memory   none if the shape is that of x
/// Errors   ShapeError if the shape does not broadcast to that of x
template <class T>
Tensor<SumOf<T>> sum_to(const Tensor<T>& x, const Shape& shape) {
  if constexpr (std::same_as<SumOf<T>, T>) {
    if (x.shape() == shape) return x;
  }
  if (!detail::broadcasts_to(shape, x.shape())) {
    throw ShapeError(error_text("sum_to: shape ", shape, " does not broadcast to ", x.shape()));
  }
  const int added = x.rank() - shape.rank();
  detail::AxisMask mask = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis < added || shape.begin()[axis - added] == 1) mask |= detail::AxisMask{1} << axis;
  }
  return detail::reduce_axes<detail::Sum>(x, mask, shape);
}

/// dx = dy summed over the copies of each element
/// Shapes   dy as the result of broadcast_to; x the shape of its argument
template <class X>
X broadcast_to_backward(const X& dy, const Shape& x) {
  return sum_to(dy, x);
}

/// dx = dy repeated
/// Shapes   dy as the result of sum_to; x the shape of its argument
template <class X>
X sum_to_backward(const X& dy, const Shape& x) {
  return broadcast_to(dy, x);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
