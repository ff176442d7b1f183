// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/ops/elementwise.hpp>

namespace eigengrad::ops {

/// y = the map of x, in one pass.
/// Shapes   x, y (..., C)
/// Errors   ShapeError where the map has another C
/// Memory   none if x is the only holder of its elements, else one tensor
template <class T>
Tensor<T> channel_map(Tensor<T> x, const ChannelMap<T>& f) {
  const Index channels = x.shape().cols();
  if (!f.scale.empty()) check::same_shape("channel_map", "scale", f.scale.shape(), {channels});
  if (!f.shift.empty()) check::same_shape("channel_map", "shift", f.shift.shape(), {channels});
  if (f.changes_nothing()) return x;
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  parallel_rows(y.shape(), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const ConstRowMap<T> in(from + i * channels, channels);
      RowMap<T> out(to + i * channels, channels);
      if (!f.scale.empty() && !f.shift.empty())
        out = in * f.scale.array() + f.shift.array();
      else if (!f.shift.empty())
        out = in + f.shift.array();
      else if (!f.scale.empty())
        out = in * f.scale.array();
      else
        out = in;
      if (f.relu) out = (out < T(0)).select(T(0), out);  // NaN passes through
    }
  });
  return y;
}

}  // namespace eigengrad::ops
