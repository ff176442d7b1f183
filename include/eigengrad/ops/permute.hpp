// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <utility>

#include <eigengrad/ops/kernels/copy_strided.hpp>

// The axes of a tensor in another order.
//   permute(x, {0, 3, 1, 2});      // (N, H, W, C) becomes (N, C, H, W)
//   transpose(x, -1, -2);          // the last two axes change places
// A product takes transposed operands as they are: matmul(a, b, {.transpose_b = true}).

namespace eigengrad::EIGENGRAD_ISA::ops {

/// An order of all axes: axis i of the result is axis order[i] of the argument; negative axes count from the end.
class AxisOrder {
 public:
  /// Errors   ShapeError for an axis that is out of range or named twice, or more axes than a tensor can have
  AxisOrder(std::initializer_list<int> axes) : AxisOrder(std::span<const int>(axes.begin(), axes.size())) {}
  explicit AxisOrder(std::span<const int> axes) : rank_(static_cast<int>(axes.size())) {
    if (rank_ > Shape::kMaxRank) {
      throw ShapeError(error_text("permute: ", rank_, " axes, expected at most ", Shape::kMaxRank));
    }
    unsigned seen = 0;
    for (int i = 0; i < rank_; ++i) {
      const int axis = axes[static_cast<std::size_t>(i)];
      const int from_start = axis < 0 ? axis + rank_ : axis;
      if (from_start < 0 || from_start >= rank_ || ((seen >> from_start) & 1U) != 0) {
        throw ShapeError(error_text("permute: axis ", axis, " of ", rank_, " axes, expected each of them once"));
      }
      seen |= 1U << from_start;
      axes_[static_cast<std::size_t>(i)] = from_start;
    }
  }

  /// The order in which two axes change places.
  /// Errors   ShapeError "transpose: axis 2 of shape (3, 4), which has rank 2"
  static AxisOrder swapping(const Shape& x, int axis1, int axis2) {
    std::array<int, Shape::kMaxRank> axes{0, 1, 2, 3, 4, 5};
    std::swap(axes[static_cast<std::size_t>(detail::checked_axis("transpose", axis1, x))],
              axes[static_cast<std::size_t>(detail::checked_axis("transpose", axis2, x))]);
    return AxisOrder(std::span<const int>(axes.data(), static_cast<std::size_t>(x.rank())));
  }

  int rank() const { return rank_; }
  int operator[](int axis) const { return axes_[static_cast<std::size_t>(axis)]; }

  /// The order that undoes this one.
  AxisOrder inverse() const {
    AxisOrder result = *this;
    for (int i = 0; i < rank_; ++i) result.axes_[static_cast<std::size_t>((*this)[i])] = i;
    return result;
  }

 private:
  std::array<int, Shape::kMaxRank> axes_{};
  int rank_;
};

/// The shape with its axes in another order.
/// Errors   ShapeError if the order is one of another number of axes
inline Shape permuted_shape(const Shape& x, const AxisOrder& order) {
  if (order.rank() != x.rank()) {
    throw ShapeError(error_text("permute: order of ", order.rank(), " axes, expected ", x.rank(), "; shape ", x));
  }
  std::array<Index, Shape::kMaxRank> sizes{};
  for (int axis = 0; axis < x.rank(); ++axis) sizes[static_cast<std::size_t>(axis)] = x.begin()[order[axis]];
  return Shape({sizes.data(), static_cast<std::size_t>(x.rank())});
}

namespace detail {

/// True if the elements stand in memory as before: only axes of size 1 have moved.
inline bool keeps_elements(const Shape& x, const AxisOrder& order) {
  int last = -1;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (x.begin()[order[axis]] == 1) continue;
    if (order[axis] < last) return false;
    last = order[axis];
  }
  return true;
}

}  // namespace detail

/// The axes in another order, as torch.permute, the elements moved in memory.
/// Memory   none if only axes of size 1 move
/// Errors   ShapeError if the order is not one of all axes of x
template <class T>
Tensor<T> permute(const Tensor<T>& x, const AxisOrder& order) {
  const Shape shape = permuted_shape(x.shape(), order);
  if (detail::keeps_elements(x.shape(), order)) return x.reshape(shape);
  Tensor<T> y(shape);
  const detail::Strides from = detail::strides_of(x.shape());
  detail::Strides permuted{};
  for (int axis = 0; axis < x.rank(); ++axis)
    permuted[static_cast<std::size_t>(axis)] = from[static_cast<std::size_t>(order[axis])];
  detail::copy_strided(shape, x.data(), permuted, y.mutable_data(), detail::strides_of(shape));
  return y;
}

/// dx = dy with its axes back in the order of x
template <class X>
X permute_backward(const X& dy, const AxisOrder& order) {
  return permute(dy, order.inverse());
}

/// Two axes change places, as torch.transpose.
/// Memory   none if one of them has size 1 and all between them too
/// Errors   ShapeError for an axis out of range
template <class T>
Tensor<T> transpose(const Tensor<T>& x, int axis1, int axis2) {
  return permute(x, AxisOrder::swapping(x.shape(), axis1, axis2));
}

/// dx = dy with the two axes back in their places
template <class X>
X transpose_backward(const X& dy, int axis1, int axis2) {
  return transpose(dy, axis1, axis2);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
