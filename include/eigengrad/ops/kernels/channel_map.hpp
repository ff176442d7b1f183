// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/packet.hpp>

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// y = the map of x, in one pass.
/// Shapes   x, y (..., C)
/// Errors   ShapeError if the map has another C
/// Memory   none if x is the only holder of its elements, else one tensor
template <class T>
Tensor<T> channel_map(Tensor<T> x, const ChannelMap<T>& f) {
  const Index channels = x.shape().cols();
  if (!f.scale.empty()) detail::check::same_shape("channel_map", "scale", f.scale.shape(), {channels});
  if (!f.shift.empty()) detail::check::same_shape("channel_map", "shift", f.shift.shape(), {channels});
  if (f.changes_nothing()) return x;
  const bool scales = !f.scale.empty();
  const Tensor<T> shift = f.shift.empty() ? Tensor<T>::zeros({channels}) : f.shift;
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  parallel_rows(y.shape(), [&](Index begin, Index end) {
    for (Index at = begin * channels; at < end * channels; at += channels) {
      detail::for_each_packet<T, detail::kChoiceLanes<T>>(channels, [&](auto lanes, Index c) {
        using P = detail::PacketOf<T, lanes>;
        const auto load = [c](const T* row) { return detail::packet::ploadu<P>(row + c); };
        P v = load(from + at);
        v = scales ? detail::multiply_add(v, load(f.scale.data()), load(shift.data()))
                   : detail::packet::padd(v, load(shift.data()));
        if (f.relu) v = v < P{} ? P{} : v;  // NaN passes through
        detail::packet::pstoreu(to + at + c, v);
      });
    }
  });
  return y;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
