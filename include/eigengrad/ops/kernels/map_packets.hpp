// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/packet.hpp>

// Element by element, for functions that choose. Eigen 3.4 evaluates `select` one element at a time, which compilers
// make vectors of at -O3 alone.
//   Tensor<T> y = map_packets(x, [](auto v) { return v < decltype(v){} ? decltype(v){} : v; });

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// to[i] = f(from[i], ...) for the elements [0, count), a packet of each at a time.
template <class T, class F, class... From>
void map_packets(Index count, T* to, const F& f, const From*... from) {
  parallel_for(count, kElementGrain, [&](Index begin, Index end) {
    detail::for_each_packet_group<T, 4, detail::kChoiceLanes<T>>(
        end - begin, [&](auto lanes, auto packets, Index i) EIGENGRAD_INLINE_LAMBDA {
          using P = detail::PacketOf<T, lanes>;
          detail::unroll<packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
            const Index at = begin + i + k * lanes;
            detail::packet::pstoreu(to + at, f(detail::packet::ploadu<P>(from + at)...));
          });
        });
  });
}

/// y = f(x) element by element; f takes and returns packets, or numbers, and may compare them.
/// Memory   none if x is the only holder of its elements, else one tensor
template <class T, class F>
Tensor<T> map_packets(Tensor<T> x, const F& f) {
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  detail::map_packets(y.numel(), y.mutable_data(), f, from);
  return y;
}

/// z = f(x, y) element by element, for x and y of the same shape.
/// Memory   as for one argument; x is the one that may be written over
template <class T, class F>
Tensor<T> map_packets(Tensor<T> x, const Tensor<T>& y, const F& f) {
  detail::check::same_shape("map_packets", "second argument", y.shape(), x.shape());
  const T* from = x.data();
  Tensor<T> z = detail::reuse(x);
  detail::map_packets(z.numel(), z.mutable_data(), f, from, y.data());
  return z;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
