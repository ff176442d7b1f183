// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/window.hpp>

namespace eigengrad::ops::kernels {

/// A convolution's sizes, checked. N images, H W C of the input, P Q K of the output, G groups, R x S taps.
struct ConvProblem {
  Shape x;  ///< (N, H, W, C)
  Shape y;  ///< (N, P, Q, K)
  Window window;
  Index groups;

  Index group_inputs() const { return x[3] / groups; }
  Index group_outputs() const { return y[3] / groups; }
  /// True if no product is summed: every result is 0. No algorithm has to expect it.
  bool is_nothing() const { return x.numel() == 0 || y.numel() == 0; }
  Index taps() const { return window.kernel.area(); }
  Index group_weights() const { return group_outputs() * taps() * group_inputs(); }
};

}  // namespace eigengrad::ops::kernels
