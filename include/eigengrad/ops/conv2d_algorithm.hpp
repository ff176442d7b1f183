// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>

#include <eigengrad/ops/kernels/conv_depthwise.hpp>
#include <eigengrad/ops/kernels/conv_few_channels.hpp>
#include <eigengrad/ops/kernels/conv_groups.hpp>
#include <eigengrad/ops/kernels/conv_im2col.hpp>
#include <eigengrad/ops/kernels/conv_pointwise.hpp>
#include <eigengrad/ops/kernels/conv_winograd.hpp>

// The ways to compute a convolution, and which one is the fastest for given sizes.

namespace eigengrad::ops {

/// All agree up to rounding; tests and comparisons may name one.
enum class Conv2dAlgorithm {
  automatic,     ///< the fastest one
  im2col,        ///< a matrix product over (r, s, c): any convolution
  depthwise,     ///< sums channel by channel: one input a group
  few_channels,  ///< as for the first layer: few numbers under a window; the input gradient is that of im2col
  pointwise,     ///< plain matrix products: windows of 1x1 with stride 1
  winograd_2x2,  ///< 3x3, stride 1, dilation 1, padding up to 2: 2.25 times fewer multiplications
  winograd_4x4,  ///< as winograd_2x2, 4 times fewer: the fastest on all but tiny images
};

inline std::string to_string(Conv2dAlgorithm algorithm) {
  switch (algorithm) {
    case Conv2dAlgorithm::automatic:
      return "automatic";
    case Conv2dAlgorithm::im2col:
      return "im2col";
    case Conv2dAlgorithm::depthwise:
      return "depthwise";
    case Conv2dAlgorithm::few_channels:
      return "few_channels";
    case Conv2dAlgorithm::pointwise:
      return "pointwise";
    case Conv2dAlgorithm::winograd_2x2:
      return "winograd_2x2";
    case Conv2dAlgorithm::winograd_4x4:
      return "winograd_4x4";
  }
  return joined("Conv2dAlgorithm(", static_cast<int>(algorithm), ')');
}
inline std::ostream& operator<<(std::ostream& out, Conv2dAlgorithm algorithm) { return out << to_string(algorithm); }

namespace detail {

/// Whether an algorithm computes this problem.
inline bool suits(Conv2dAlgorithm algorithm, const kernels::ConvProblem& problem) {
  switch (algorithm) {
    case Conv2dAlgorithm::automatic:
    case Conv2dAlgorithm::im2col:
      return true;
    case Conv2dAlgorithm::depthwise:
      return kernels::depthwise::suits(problem);
    case Conv2dAlgorithm::few_channels:
      return kernels::few_channels::suits(problem);
    case Conv2dAlgorithm::pointwise:
      return kernels::pointwise::suits(problem);
    case Conv2dAlgorithm::winograd_2x2:
    case Conv2dAlgorithm::winograd_4x4:
      return kernels::winograd::suits(problem);
  }
  return false;
}

/// Estimates of the time, in cycles of a thread that multiplies and adds two packets in each. The constants of what is
/// not a product were measured on Zen 5 with AVX-512; where they matter little, an error of a half changes no choice.
template <class T>
class Conv2dCycles {
 public:
  explicit Conv2dCycles(const kernels::ConvProblem& problem)
      : groups_(static_cast<double>(problem.groups)),
        y_(problem.y),
        taps_(static_cast<double>(problem.taps())),
        channels_(static_cast<double>(problem.group_inputs())),
        inputs_(packets(problem.group_inputs())),
        outputs_(packets(problem.group_outputs())) {}

  /// Products, packing of the patches, reading and packing of the weights, which where positions are few are only read.
  double im2col() const {
    const auto positions = static_cast<double>(y_.rows());
    const double weights = y_.rows() <= kernels::kFewRows ? 9.0 : 11.0;
    return groups_ * taps_ *
           (positions * (0.5 * outputs_ * channels_ + 2.0 * inputs_) + weights * outputs_ * channels_);
  }

  /// For each point the products and the transforms of the tiles; reading and transforming the weights.
  template <int M>
  double winograd() const {
    constexpr double kPoints = kernels::winograd::points(M);
    const auto tiles = static_cast<double>(kernels::winograd::TileGrid::of(M, y_[0], y_[1], y_[2]).count());
    return groups_ * (kPoints * tiles * (0.5 * outputs_ * channels_ + 2.3 * inputs_ + 1.8 * outputs_) +
                      (128.0 + 4.0 * kPoints) * outputs_ * channels_);
  }

 private:
  static double packets(Index channels) {
    return std::ceil(static_cast<double>(channels) / static_cast<double>(kernels::kLanes<T>));
  }

  double groups_;
  Shape y_;
  double taps_;
  double channels_;  // of the input, those of one group
  double inputs_;    // the same in packets
  double outputs_;
};

/// The algorithm that computes this problem with numbers of type T in the shortest time.
template <class T>
Conv2dAlgorithm fastest(const kernels::ConvProblem& problem) {
  using enum Conv2dAlgorithm;
  if (suits(depthwise, problem)) return depthwise;
  if (suits(few_channels, problem)) return few_channels;
  if (suits(pointwise, problem)) return pointwise;
  if (!suits(winograd_4x4, problem)) return im2col;
  const Conv2dCycles<T> cycles(problem);
  const double tiles_of_2 = cycles.template winograd<2>();
  const double tiles_of_4 = cycles.template winograd<4>();
  if (cycles.im2col() < std::min(tiles_of_2, tiles_of_4)) return im2col;
  return tiles_of_2 < tiles_of_4 ? winograd_2x2 : winograd_4x4;
}

}  // namespace detail
}  // namespace eigengrad::ops
