// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string>

#include <eigengrad/core/text.hpp>

namespace eigengrad::EIGENGRAD_ISA {

/// The ways to compute a convolution. All agree up to rounding; tests and comparisons may name one. Each is a type in
/// kernels/conv_list.hpp.
enum class Conv2dAlgorithm {
  automatic,     ///< for each direction the fastest one
  depthwise,     ///< sums channel by channel: one input a group
  few_channels,  ///< as for the first layer: few numbers under a window; the input gradient is that of im2col
  pointwise,     ///< plain matrix products: windows of 1x1 with stride 1
  winograd_4x4,  ///< 3x3, stride 1, dilation 1, padding up to 2: 4 times fewer multiplications
  winograd_2x2,  ///< the same with 2.25 times fewer: faster on tiny images
  im2col,        ///< a matrix product over (r, s, c): any convolution
};

inline std::string to_string(Conv2dAlgorithm algorithm) {
  switch (algorithm) {  // without a default: the compiler warns of a name that is missing here
    case Conv2dAlgorithm::automatic:
      return "automatic";
    case Conv2dAlgorithm::depthwise:
      return "depthwise";
    case Conv2dAlgorithm::few_channels:
      return "few_channels";
    case Conv2dAlgorithm::pointwise:
      return "pointwise";
    case Conv2dAlgorithm::winograd_4x4:
      return "winograd_4x4";
    case Conv2dAlgorithm::winograd_2x2:
      return "winograd_2x2";
    case Conv2dAlgorithm::im2col:
      return "im2col";
  }
  return joined("Conv2dAlgorithm(", static_cast<int>(algorithm), ')');
}
inline std::ostream& operator<<(std::ostream& out, Conv2dAlgorithm algorithm) { return out << to_string(algorithm); }

}  // namespace eigengrad::EIGENGRAD_ISA
