// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>

#include <eigengrad/ops/kernels/axis_mask.hpp>

// The axes that a reduction goes over.
//   sum(x);             // all
//   sum(x, 0);          // the first
//   sum(x, {-2, -1});   // the last two

namespace eigengrad::EIGENGRAD_ISA::ops {

/// A list of at most six axes; a negative one counts from the end. An empty list stands for all axes.
class Axes {
 public:
  Axes() = default;
  // NOLINTBEGIN(google-explicit-constructor): sum(x, 0) and sum(x, {0, 1}) are the purpose
  Axes(int axis) : axes_{axis}, count_(1) {}
  /// Errors   ShapeError for more axes than a tensor can have
  Axes(std::initializer_list<int> axes) : count_(axes.size()) {
    if (count_ > axes_.size()) {
      throw ShapeError(error_text("Axes: ", count_, " axes, expected at most ", Shape::kMaxRank));
    }
    std::copy(axes.begin(), axes.end(), axes_.begin());
  }
  // NOLINTEND(google-explicit-constructor)

  /// Those of a shape.
  /// Errors   ShapeError for an axis out of range or one that is given twice
  detail::AxisMask mask(const char* where, const Shape& shape) const {
    if (count_ == 0) return (detail::AxisMask{1} << shape.rank()) - 1;
    detail::AxisMask found = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const int axis = detail::checked_axis(where, axes_[i], shape);
      const detail::AxisMask bit = detail::AxisMask{1} << axis;
      if ((found & bit) != 0) throw ShapeError(error_text(where, ": axis ", axis, " of shape ", shape, " twice"));
      found |= bit;
    }
    return found;
  }

 private:
  std::array<int, Shape::kMaxRank> axes_{};
  std::size_t count_ = 0;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops
