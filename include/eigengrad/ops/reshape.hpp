// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <utility>

#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/strided.hpp>

// The same elements under another shape, in O(1).
//   reshape(x, {4, -1});      // one size may follow from the others
//   unsqueeze(x, 0);          // (3, 5) becomes (1, 3, 5)
//   squeeze(x, 0);            // and back

namespace eigengrad::EIGENGRAD_ISA::ops {

/// As Tensor::reshape.
/// Errors   ShapeError if the number of elements differs
template <class T>
Tensor<T> reshape(Tensor<T> x, const Shape& shape) {
  return std::move(x).reshape(shape);
}
template <class T>
Tensor<T> reshape(Tensor<T> x, std::initializer_list<Index> sizes) {
  return std::move(x).reshape(sizes);
}

/// dx = dy in the shape of x; for squeeze and unsqueeze as well.
template <class X>
X reshape_backward(const X& dy, const Shape& x) {
  return reshape(dy, x);
}

/// The shape with an axis of size 1 put in; `axis` is its place in the result, -1 being the last.
/// Errors   ShapeError for an axis out of range, or a seventh axis
inline Shape unsqueezed(const Shape& x, int axis) {
  const int place = axis < 0 ? axis + x.rank() + 1 : axis;
  if (place < 0 || place > x.rank()) {
    throw ShapeError(
        error_text("unsqueeze: axis ", axis, " of shape ", x, ", expected ", -x.rank() - 1, " to ", x.rank()));
  }
  if (x.rank() == Shape::kMaxRank) {
    throw ShapeError(error_text("unsqueeze: shape ", x, " has the most axes there are, ", Shape::kMaxRank));
  }
  std::array<Index, Shape::kMaxRank> sizes{};
  std::copy(x.begin() + place, x.end(), std::copy_n(x.begin(), place, sizes.begin()) + 1);
  sizes[static_cast<std::size_t>(place)] = 1;
  return Shape({sizes.data(), static_cast<std::size_t>(x.rank()) + 1});
}

/// The shape without one axis of size 1.
/// Errors   ShapeError for an axis out of range or of another size
inline Shape squeezed(const Shape& x, int axis) {
  const int place = detail::checked_axis("squeeze", axis, x);
  if (x[place] != 1) throw ShapeError(error_text("squeeze: axis ", axis, " of shape ", x, ", expected one of size 1"));
  std::array<Index, Shape::kMaxRank> sizes{};
  std::copy(x.begin() + place + 1, x.end(), std::copy_n(x.begin(), place, sizes.begin()));
  return Shape({sizes.data(), static_cast<std::size_t>(x.rank()) - 1});
}

/// The shape without any axis of size 1.
inline Shape squeezed(const Shape& x) {
  std::array<Index, Shape::kMaxRank> sizes{};
  const auto end = std::copy_if(x.begin(), x.end(), sizes.begin(), [](Index size) { return size != 1; });
  return Shape({sizes.data(), static_cast<std::size_t>(end - sizes.begin())});
}

/// An axis of size 1 more, as torch.unsqueeze.
/// Errors   ShapeError for an axis out of range, or a seventh axis
template <class T>
Tensor<T> unsqueeze(Tensor<T> x, int axis) {
  const Shape shape = unsqueezed(x.shape(), axis);
  return std::move(x).reshape(shape);
}

/// One axis of size 1 less, as numpy.squeeze: an axis of another size is refused.
/// Errors   ShapeError for an axis out of range or of another size
template <class T>
Tensor<T> squeeze(Tensor<T> x, int axis) {
  const Shape shape = squeezed(x.shape(), axis);
  return std::move(x).reshape(shape);
}
/// No axis of size 1.
template <class T>
Tensor<T> squeeze(Tensor<T> x) {
  const Shape shape = squeezed(x.shape());
  return std::move(x).reshape(shape);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
