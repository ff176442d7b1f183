// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/packet.hpp>

// Groups of few channels leave most of a packet idle and have many small products. Several of them together are one
// group whose weights from one of them to another are zero: the packets are full, and the zeros cost nothing that was
// not idle before.
//   const Index merged = groups::mergeable<T>(problem);
//   conv2d(x, groups::merge(weight, groups, merged), ..., {.groups = groups / merged})

namespace eigengrad::EIGENGRAD_ISA::ops::detail::groups {

/// How many groups are best taken as one: as many as a packet has room for, of those numbers that divide them. Groups
/// of one input have an algorithm of their own.
template <class T>
Index mergeable(const ConvProblem& problem) {
  if (problem.group_inputs() == 1) return 1;
  const Index channels = std::max({problem.group_inputs(), problem.group_outputs(), Index{1}});
  Index merged = std::clamp<Index>(kLanes<T> / channels, 1, problem.groups);
  while (problem.groups % merged != 0) --merged;
  return merged;
}

/// Calls f(from, to) for each output and tap: where its weights, (K, R, S, C), begin among those of its own group and
/// among those of `merged` groups, (K, R, S, merged C).
template <class F>
void for_each_tap(const Shape& weight, Index groups, Index merged, const F& f) {
  const Index group_outputs = weight[0] / groups;
  const Index taps = weight[1] * weight[2];
  const Index inputs = weight[3];
  for (Index k = 0; k < weight[0]; ++k) {
    const Index before = k / group_outputs % merged * inputs;
    for (Index tap = k * taps; tap < (k + 1) * taps; ++tap) f(tap * inputs, tap * merged * inputs + before);
  }
}

/// The weights of `groups` groups as those of groups / merged.
/// Shapes   weight (K, R, S, C), result (K, R, S, merged C)
template <class T>
Tensor<T> merge(const Tensor<T>& weight, Index groups, Index merged) {
  const Index inputs = weight.size(3);
  Tensor<T> result = Tensor<T>::zeros(weight.shape().with(3, merged * inputs));
  T* to = result.mutable_data();
  for_each_tap(weight.shape(), groups, merged,
               [&](Index at, Index at_merged) { std::copy_n(weight.data() + at, inputs, to + at_merged); });
  return result;
}

/// The other way round, for a gradient: what belongs to the weights that are there.
template <class T>
Tensor<T> split(const Tensor<T>& weight, Index groups, Index merged) {
  const Index inputs = weight.size(3) / merged;
  Tensor<T> result(weight.shape().with(3, inputs));
  T* to = result.mutable_data();
  for_each_tap(result.shape(), groups, merged,
               [&](Index at, Index at_merged) { std::copy_n(weight.data() + at_merged, inputs, to + at); });
  return result;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::groups
