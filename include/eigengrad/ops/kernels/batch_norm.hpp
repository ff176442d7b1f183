// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/kernels/packet.hpp>

// The inner loops of batch normalisation. Each goes down a few packets of channels of a run of rows, with their sums or
// their factors in registers.
//   for_each_packet_group<T, kChannelGroup>(channels, [&](auto lanes, auto packets, Index c) {
//     column_moments<T, lanes, packets>(x + c, rows, channels, parts + c);
//   });

namespace eigengrad::ops::kernels::batch_norm {

/// Packets of channels at once. The backward pass needs four factors for each.
inline constexpr int kChannelGroup = kRegisters >= 32 ? 4 : 2;

/// Of x (rows, N Packets), rows `step` elements apart: the mean, then the sum of what is missing from it, 0 but for the
/// rounding of the first sum, and of the squares about it. They are written `step` elements apart.
template <class T, int N, int Packets>
void column_moments(const T* x, Index rows, Index step, T* parts) {
  using P = PacketOf<T, N>;
  P mean[array_size(Packets)], rest[array_size(Packets)], squares[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA { mean[k] = rest[k] = squares[k] = packet::pset1<P>(T(0)); });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      mean[k] = packet::padd(mean[k], packet::ploadu<P>(x + i * step + k * N));
    });
  }
  const P count = packet::pset1<P>(static_cast<T>(rows));
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA { mean[k] = packet::pdiv(mean[k], count); });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P distance = packet::psub(packet::ploadu<P>(x + i * step + k * N), mean[k]);
      rest[k] = packet::padd(rest[k], distance);
      squares[k] = multiply_add(distance, distance, squares[k]);
    });
  }
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    packet::pstoreu(parts + k * N, mean[k]);
    packet::pstoreu(parts + step + k * N, rest[k]);
    packet::pstoreu(parts + 2 * step + k * N, squares[k]);
  });
}

/// y = (x - mean) scale + shift
template <class T, int N, int Packets>
void normalize_rows(const T* x, Index rows, Index step, const T* means, const T* scales, const T* shifts, T* y) {
  using P = PacketOf<T, N>;
  P mean[array_size(Packets)], scale[array_size(Packets)], shift[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    mean[k] = packet::ploadu<P>(means + k * N);
    scale[k] = packet::ploadu<P>(scales + k * N);
    shift[k] = packet::ploadu<P>(shifts + k * N);
  });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P distance = packet::psub(packet::ploadu<P>(x + i * step + k * N), mean[k]);
      packet::pstoreu(y + i * step + k * N, multiply_add(distance, scale[k], shift[k]));
    });
  }
}

/// The sums of dy and of dy (x - mean), which are written `step` elements apart.
template <class T, int N, int Packets>
void gradient_sums(const T* dy, const T* x, Index rows, Index step, const T* means, T* sums) {
  using P = PacketOf<T, N>;
  P mean[array_size(Packets)], sum[array_size(Packets)], product[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    mean[k] = packet::ploadu<P>(means + k * N);
    sum[k] = product[k] = packet::pset1<P>(T(0));
  });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P d = packet::ploadu<P>(dy + i * step + k * N);
      sum[k] = packet::padd(sum[k], d);
      product[k] = multiply_add(d, packet::psub(packet::ploadu<P>(x + i * step + k * N), mean[k]), product[k]);
    });
  }
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    packet::pstoreu(sums + k * N, sum[k]);
    packet::pstoreu(sums + step + k * N, product[k]);
  });
}

/// Numbers for each channel, from which a run of dx follows.
template <class T>
struct GradientFactors {
  const T *mean, *scale, *slope, *offset;
};

/// dx = scale dy + slope (x - mean) + offset
template <class T, int N, int Packets>
void input_gradient_rows(const T* dy, const T* x, Index rows, Index step, const GradientFactors<T>& factors, Index c,
                         T* dx) {
  using P = PacketOf<T, N>;
  P mean[array_size(Packets)], scale[array_size(Packets)], slope[array_size(Packets)], offset[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    mean[k] = packet::ploadu<P>(factors.mean + c + k * N);
    scale[k] = packet::ploadu<P>(factors.scale + c + k * N);
    slope[k] = packet::ploadu<P>(factors.slope + c + k * N);
    offset[k] = packet::ploadu<P>(factors.offset + c + k * N);
  });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const Index at = i * step + c + k * N;
      const P own = multiply_add(packet::ploadu<P>(dy + at), scale[k], offset[k]);
      packet::pstoreu(dx + at, multiply_add(packet::psub(packet::ploadu<P>(x + at), mean[k]), slope[k], own));
    });
  }
}

}  // namespace eigengrad::ops::kernels::batch_norm
