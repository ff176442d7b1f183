// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <eigengrad/core/window.hpp>
#include <eigengrad/ops/kernels/packet.hpp>

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

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

/// What is computed: y, dx or dW.
enum class ConvDirection : std::uint8_t { forward, backward_input, backward_weight };

/// The sizes of a problem as estimates of its time need them. An estimate is in cycles of a thread that multiplies and
/// adds two packets in each. The constants of what is not a product were measured on Zen 5 with AVX-512; if they matter
/// little, an error of a half changes no choice.
template <class T>
struct ConvSizes {
  double groups, taps, positions;
  double channels;         // of the input, those of one group
  double inputs, outputs;  // of one group, in packets

  explicit ConvSizes(const ConvProblem& problem)
      : groups(static_cast<double>(problem.groups)),
        taps(static_cast<double>(problem.taps())),
        positions(static_cast<double>(problem.y.rows())),
        channels(static_cast<double>(problem.group_inputs())),
        inputs(packets(problem.group_inputs())),
        outputs(packets(problem.group_outputs())) {}

 private:
  static double packets(Index channels) {
    return std::ceil(static_cast<double>(channels) / static_cast<double>(kLanes<T>));
  }
};

/// Estimates of an algorithm that nothing beats wherever it suits, and of one that is not to be chosen.
inline constexpr double kAlwaysFastest = 0.0;
inline constexpr double kNeverFastest = std::numeric_limits<double>::infinity();

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
