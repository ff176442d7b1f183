// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/copy_strided.hpp>
#include <eigengrad/ops/reshape.hpp>
#include <eigengrad/ops/slice.hpp>

// Tensors joined along an axis that they have (concat) or along a new one (stack).
//   concat({a, b, c}, 1);       // (2, 3), (2, 1), (2, 5) give (2, 9)
//   stack({a, b}, 0);           // (2, 3), (2, 3) give (2, 2, 3)
//   concat(parts, 0);           // parts being a std::vector or a std::span of tensors

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// Writes the parts side by side into each row of y, a row being the axes from `axis` on.
template <class T>
void join(std::span<const Tensor<T>> parts, int axis, Tensor<T>& y) {
  if (y.empty()) return;
  const Index rows = detail::numel_between(y.shape(), 0, axis);
  const Index length = y.numel() / rows;
  T* to = y.mutable_data();
  for (const Tensor<T>& part : parts) {
    const Index share = part.numel() / rows;
    if (share > 0) copy_runs(rows, share, part.data(), share, to, length);
    to += share;
  }
}

}  // namespace detail

/// The shape of the joined parts; `shape_of(i)` is that of part i.
/// Errors   ShapeError for no parts, an axis out of range, or shapes that differ on another axis
template <class F>
Shape concat_shape(std::size_t parts, int axis, const F& shape_of) {
  if (parts == 0) throw ShapeError("concat: no tensors");
  const Shape& first = shape_of(0);
  axis = detail::checked_axis("concat", axis, first);
  Index size = first.begin()[axis];
  for (std::size_t i = 1; i < parts; ++i) {
    const Shape& shape = shape_of(i);
    if (shape.rank() != first.rank() || shape.with(axis, first[axis]) != first) {
      throw ShapeError(
          error_text("concat: tensor ", i, " has shape ", shape, ", expected ", first, " on all axes but axis ", axis));
    }
    size = detail::check::sum("concat", size, shape.begin()[axis]);
  }
  return first.with(axis, size);
}

/// The shape of the parts on a new axis; `shape_of(i)` is that of part i.
/// Errors   ShapeError for no parts, an axis out of range, a seventh axis, or shapes that differ
template <class F>
Shape stack_shape(std::size_t parts, int axis, const F& shape_of) {
  if (parts == 0) throw ShapeError("stack: no tensors");
  const Shape& first = shape_of(0);
  for (std::size_t i = 1; i < parts; ++i) {
    if (shape_of(i) == first) continue;
    throw ShapeError(error_text("stack: tensor ", i, " has shape ", shape_of(i), ", expected ", first));
  }
  return unsqueezed(first, axis).with(axis, static_cast<Index>(parts));
}

/// The parts one after another along an axis, as numpy.concatenate.
/// Shapes   parts equal but for the axis; on it, y has the sum of their sizes
/// Errors   ShapeError for no parts, an axis out of range, or shapes that differ on another axis
template <class T>
Tensor<T> concat(std::span<const Tensor<T>> parts, int axis = 0) {
  const Shape shape = concat_shape(parts.size(), axis, [&](std::size_t i) -> const Shape& { return parts[i].shape(); });
  if (parts.size() == 1) return parts[0];
  Tensor<T> y(shape);
  detail::join(parts, axis < 0 ? axis + shape.rank() : axis, y);
  return y;
}
template <class T>
Tensor<T> concat(std::initializer_list<Tensor<T>> parts, int axis = 0) {
  return concat(std::span<const Tensor<T>>(parts.begin(), parts.size()), axis);
}
template <class T>
Tensor<T> concat(const std::vector<Tensor<T>>& parts, int axis = 0) {
  return concat(std::span<const Tensor<T>>(parts), axis);
}

/// The parts on a new axis, which is axis `axis` of the result, as numpy.stack.
/// Shapes   parts all equal; y has one axis more
/// Errors   ShapeError for no parts, an axis out of range, a seventh axis, or shapes that differ
template <class T>
Tensor<T> stack(std::span<const Tensor<T>> parts, int axis = 0) {
  const Shape shape = stack_shape(parts.size(), axis, [&](std::size_t i) -> const Shape& { return parts[i].shape(); });
  Tensor<T> y(shape);
  detail::join(parts, axis < 0 ? axis + shape.rank() : axis, y);
  return y;
}
template <class T>
Tensor<T> stack(std::initializer_list<Tensor<T>> parts, int axis = 0) {
  return stack(std::span<const Tensor<T>>(parts.begin(), parts.size()), axis);
}
template <class T>
Tensor<T> stack(const std::vector<Tensor<T>>& parts, int axis = 0) {
  return stack(std::span<const Tensor<T>>(parts), axis);
}

/// The gradient of one part of a concat: the slice of dy where it stands, from `begin` on.
/// Shapes   dy as the result; dx as the part, with `size` on the axis
template <class X>
X concat_backward(const X& dy, int axis, Index begin, Index size) {
  return slice(dy, axis, begin, detail::check::sum("concat_backward", begin, size));
}

/// The gradient of part i of a stack.
/// Shapes   dy as the result; dx as the part
template <class X>
X stack_backward(const X& dy, int axis, Index i) {
  return reshape(slice(dy, axis, i, detail::check::sum("stack_backward", i, 1)),
                 squeezed(dy.shape().with(axis, 1), axis));
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
