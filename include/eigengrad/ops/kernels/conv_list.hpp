// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/core/conv2d_algorithm.hpp>
#include <eigengrad/ops/kernels/conv_depthwise.hpp>
#include <eigengrad/ops/kernels/conv_few_channels.hpp>
#include <eigengrad/ops/kernels/conv_im2col.hpp>
#include <eigengrad/ops/kernels/conv_pointwise.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/conv_winograd.hpp>

// The ways to convolve. Each is a type with static members, in a file of its own:
//   template <class T>
//   struct XConv {
//     static constexpr Conv2dAlgorithm kName = Conv2dAlgorithm::x;
//     static bool suits(const ConvProblem&);                      // whether it computes this problem
//     static double cycles(const ConvProblem&, ConvDirection);    // an estimate, see ConvSizes
//     static bool forward(problem, x, weight, f, y);              // y = f(x * W), the whole of the map f
//     static bool backward_input(problem, dy, weight, dx);        // may be missing
//     static bool backward_weight(problem, dy, x, dw);            // may be missing
//   };
// The three write every element of the result and return true; or false, if numbers rather than sizes make another way
// better, and nothing that they have written is used. A number that is not finite stays in the sums that it belongs to.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// One way to convolve, as data. A direction that it lacks is null.
template <class T>
struct ConvAlgorithm {
  Conv2dAlgorithm name;
  bool (*suits)(const ConvProblem&);
  double (*cycles)(const ConvProblem&, ConvDirection);
  bool (*forward)(const ConvProblem&, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                  Tensor<T>& y);
  bool (*backward_input)(const ConvProblem&, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) = nullptr;
  bool (*backward_weight)(const ConvProblem&, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) = nullptr;

  bool has(ConvDirection direction) const {
    if (direction == ConvDirection::backward_input) return backward_input != nullptr;
    if (direction == ConvDirection::backward_weight) return backward_weight != nullptr;
    return true;
  }
};

template <class T, class Conv>
constexpr ConvAlgorithm<T> conv_algorithm() {
  ConvAlgorithm<T> result{Conv::kName, Conv::suits, Conv::cycles, Conv::forward};
  if constexpr (requires { &Conv::backward_input; }) result.backward_input = Conv::backward_input;
  if constexpr (requires { &Conv::backward_weight; }) result.backward_weight = Conv::backward_weight;
  return result;
}

/// All of them. Of two that are equally fast the first is taken. The last computes everything, in all directions, and
/// is taken for what another one lacks or declines.
template <class T>
inline constexpr std::array kConvAlgorithms{
    conv_algorithm<T, DepthwiseConv<T>>(),   conv_algorithm<T, FewChannelsConv<T>>(),
    conv_algorithm<T, PointwiseConv<T>>(),   conv_algorithm<T, WinogradConv<4, T>>(),
    conv_algorithm<T, WinogradConv<2, T>>(), conv_algorithm<T, Im2colConv<T>>(),
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
