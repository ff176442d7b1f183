// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>

#include <eigengrad/ops/kernels/elementwise.hpp>

// Walking over arrays by strides: what operations on axes have in common.
//   Walk<2> walk(shape, {strides_a, strides_b});      // the positions of a shape, with an offset in each array
//   for (walk.seek(begin); begin < end; ++begin, walk.next()) a[walk.offset(0)] = b[walk.offset(1)];

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// The distance in elements between neighbours on each axis.
using Strides = std::array<Index, Shape::kMaxRank>;

/// Those of a tensor of this shape.
inline Strides strides_of(const Shape& shape) {
  Strides strides{};
  Index next = 1;
  for (auto axis = static_cast<std::size_t>(shape.rank()); axis-- > 0;) {
    strides[axis] = next;
    next *= shape.begin()[axis];
  }
  return strides;
}

/// An axis counted from the start, where a negative one counts from the end.
/// Errors   ShapeError "permute: axis 3 of shape (2, 3), which has rank 2"
inline int checked_axis(const char* where, int axis, const Shape& shape) {
  const int from_start = axis < 0 ? axis + shape.rank() : axis;
  if (from_start >= 0 && from_start < shape.rank()) return from_start;
  throw ShapeError(error_text(where, ": axis ", axis, " of shape ", shape, ", which has rank ", shape.rank()));
}

/// The product of the sizes of the axes [begin, end).
inline Index numel_between(const Shape& shape, int begin, int end) {
  Index count = 1;
  for (int axis = begin; axis < end; ++axis) count *= shape.begin()[axis];
  return count;
}

/// The positions of some axes in row-major order, with the offset of each in N arrays.
template <std::size_t N>
class Walk {
 public:
  Walk(const Index* sizes, int rank, const std::array<Strides, N>& strides)
      : rank_(std::min<std::size_t>(static_cast<std::size_t>(rank), Shape::kMaxRank)), strides_(strides) {
    std::copy_n(sizes, rank_, sizes_.begin());
  }
  Walk(const Shape& shape, const std::array<Strides, N>& strides) : Walk(shape.begin(), shape.rank(), strides) {}

  /// Goes to a position, counted in row-major order.
  void seek(Index position) {
    offsets_ = {};
    for (std::size_t axis = rank_; axis-- > 0;) {
      at_[axis] = position % sizes_[axis];
      position /= sizes_[axis];
      for (std::size_t n = 0; n < N; ++n) offsets_[n] += at_[axis] * strides_[n][axis];
    }
  }

  void next() {
    for (std::size_t axis = rank_; axis-- > 0;) {
      for (std::size_t n = 0; n < N; ++n) offsets_[n] += strides_[n][axis];
      if (++at_[axis] < sizes_[axis]) return;
      for (std::size_t n = 0; n < N; ++n) offsets_[n] -= at_[axis] * strides_[n][axis];
      at_[axis] = 0;
    }
  }

  Index offset(std::size_t array = 0) const { return offsets_[array]; }
  Index at(std::size_t axis) const { return at_[axis]; }

 private:
  std::size_t rank_;
  std::array<Strides, N> strides_;
  Strides sizes_{};
  Strides at_{};
  std::array<Index, N> offsets_{};
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
