// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <span>
#include <string>

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/index.hpp>
#include <eigengrad/core/inlining.hpp>

// Shape: the sizes of a tensor's axes, outermost first.
//   Shape s{200, 32, 32, 3};   s.rank() == 4, s[-1] == 3, s.numel() == 614400

namespace eigengrad::EIGENGRAD_ISA {

class Shape;
/// "(200, 32, 32, 3)", as Python prints a tuple; "(5,)" for one axis.
std::string to_string(const Shape& shape);

/// The sizes of a tensor's axes. Rank 0 is a scalar and has one element.
/// Errors   ShapeError for a negative size, more than kMaxRank axes, or sizes whose product an Index does not hold.
///          Sizes of 0 are left out of that product: so that of any of the sizes is one that an Index holds
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  constexpr Shape() = default;
  constexpr Shape(std::initializer_list<Index> sizes) { assign(sizes.begin(), sizes.size()); }
  constexpr explicit Shape(std::span<const Index> sizes) { assign(sizes.data(), sizes.size()); }

  int rank() const { return rank_; }
  /// The number of elements; 1 for a scalar.
  Index numel() const { return numel_; }
  /// The size of an axis; negative axes count from the end, so s[-1] is the last.
  Index operator[](int axis) const;

  const Index* begin() const { return sizes_.data(); }
  const Index* end() const { return sizes_.data() + rank_; }

  /// The product of all sizes but the last: the rows of `Tensor::matrix()`. 1 for a scalar.
  Index rows() const;
  /// The last size: the columns of `Tensor::matrix()`. 1 for a scalar.
  Index cols() const { return rank_ == 0 ? 1 : sizes_[static_cast<std::size_t>(rank_ - 1)]; }

  /// The same shape with another size for one axis.
  Shape with(int axis, Index size) const;

  EIGENGRAD_CALLED bool operator==(const Shape& other) const {
    if (rank_ != other.rank_) return false;
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(rank_); ++axis)
      if (sizes_[axis] != other.sizes_[axis]) return false;  // std::equal would call memcmp for these few
    return true;
  }

 private:
  // Neither std::span nor std::copy: in libstdc++'s debug mode g++ 12 takes them for no constant expressions.
  EIGENGRAD_CALLED constexpr void assign(const Index* sizes, std::size_t count) {
    if (count > static_cast<std::size_t>(kMaxRank)) {
      throw ShapeError(error_text("Shape: ", count, " axes, expected at most ", kMaxRank));
    }
    rank_ = static_cast<int>(count);
    std::optional<Index> product = 1;
    for (std::size_t axis = 0; axis < count; ++axis) {
      const Index size = sizes_[axis] = sizes[axis];
      if (size < 0) throw ShapeError(error_text("Shape: size ", size, " of an axis, expected 0 or more"));
      if (size == 0) numel_ = 0;
      if (size != 0) product = detail::checked_product(*product, size);
      if (!product)
        throw ShapeError("Shape: the sizes of " + to_string(*this) + " multiply to more than an Index holds");
    }
    if (numel_ != 0) numel_ = *product;
  }
  std::size_t position(int axis) const;
  [[noreturn]] EIGENGRAD_COLD void refuse_axis(int axis) const {
    throw ShapeError(error_text("Shape: axis ", axis, " of ", *this, ", which has rank ", rank_));
  }

  std::array<Index, kMaxRank> sizes_{};
  Index numel_ = 1;
  int rank_ = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << to_string(shape); }

// ---------------------------------------------------------------------------------------------------------

inline std::size_t Shape::position(int axis) const {
  const int from_start = axis < 0 ? axis + rank_ : axis;
  if (from_start < 0 || from_start >= rank_) refuse_axis(axis);
  return static_cast<std::size_t>(from_start);
}

inline Index Shape::operator[](int axis) const { return sizes_[position(axis)]; }

inline Index Shape::rows() const {
  Index rows = 1;
  for (int axis = 0; axis + 1 < rank_; ++axis) rows *= sizes_[static_cast<std::size_t>(axis)];
  return rows;
}

EIGENGRAD_CALLED inline Shape Shape::with(int axis, Index size) const {
  std::array<Index, kMaxRank> sizes = sizes_;
  sizes[position(axis)] = size;
  return Shape(std::span<const Index>(sizes.data(), static_cast<std::size_t>(rank_)));
}

EIGENGRAD_COLD inline std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape.begin()[axis]);
  }
  return text + (shape.rank() == 1 ? ",)" : ")");
}

}  // namespace eigengrad::EIGENGRAD_ISA
