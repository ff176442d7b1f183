// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>

// nn::Flatten flatten;

namespace eigengrad::EIGENGRAD_ISA::nn {

/// All axes but the first become one: (N, H, W, C) becomes (N, H W C). Costs nothing.
/// Errors   ShapeError for a scalar
template <class T = float>
class Flatten {
 public:
  EIGENGRAD_CALLED Shape output_shape(const Shape& x) const {
    detail::check::rank_at_least(*this, x, 1);
    Index features = 1;
    for (int axis = 1; axis < x.rank(); ++axis) features *= x[axis];
    return {x[0], features};
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    const Shape flat = output_shape(x.shape());
    if (remembers(mode))
      kept_ = x.shape();
    else
      kept_.reset();
    return std::move(x).reshape(flat);
  }

  Tensor<T> backward(Tensor<T> dy) {
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), output_shape(*kept_));
    return std::move(dy).reshape(*kept_);
  }

  std::string description() const { return "Flatten"; }

 private:
  Kept<Shape> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
