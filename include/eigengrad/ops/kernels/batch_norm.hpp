// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/kernels/block.hpp>

// The inner loops of batch normalisation. Each goes down a few packets of channels of a run of rows, with their sums or
// their factors in registers.
//   for_each_vector_group<T, kChannelGroup>(channels, [&](const auto& access, auto packets, Index c) {
//     column_moments<packets>(access, x + c, rows, channels, parts + c);
//   });

namespace eigengrad::EIGENGRAD_ISA::ops::detail::batch_norm {

/// Packets of channels at once. The backward pass needs four factors for each.
inline constexpr int kChannelGroup = kRegisters >= 32 ? 4 : 2;

/// Of x (rows, `Packets` vectors), rows `step` elements apart: the mean, then the sum of what is missing from it, 0 but
/// for the rounding of the first sum, and of the squares about it. They are written `step` elements apart.
template <int Packets, class Access, class T>
void column_moments(const Access& access, const T* x, Index rows, Index step, T* parts) {
  using P = typename Access::P;
  constexpr Index kLength = Access::kLength;
  P mean[array_size(Packets)], rest[array_size(Packets)], squares[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA { mean[k] = rest[k] = squares[k] = packet::pset1<P>(T(0)); });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      mean[k] = packet::padd(mean[k], access.load(x + i * step + k * kLength));
    });
  }
  const P count = packet::pset1<P>(static_cast<T>(rows));
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA { mean[k] = packet::pdiv(mean[k], count); });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P distance = packet::psub(access.load(x + i * step + k * kLength), mean[k]);
      rest[k] = packet::padd(rest[k], distance);
      squares[k] = multiply_add(distance, distance, squares[k]);
    });
  }
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    access.store(parts + k * kLength, mean[k]);
    access.store(parts + step + k * kLength, rest[k]);
    access.store(parts + 2 * step + k * kLength, squares[k]);
  });
}

/// y = (x - mean) scale + shift
template <int Packets, class Access, class T>
void normalize_rows(const Access& access, const T* x, Index rows, Index step, const T* means, const T* scales,
                    const T* shifts, T* y) {
  using P = typename Access::P;
  constexpr Index kLength = Access::kLength;
  P mean[array_size(Packets)], scale[array_size(Packets)], shift[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    mean[k] = access.load(means + k * kLength);
    scale[k] = access.load(scales + k * kLength);
    shift[k] = access.load(shifts + k * kLength);
  });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P distance = packet::psub(access.load(x + i * step + k * kLength), mean[k]);
      access.store(y + i * step + k * kLength, multiply_add(distance, scale[k], shift[k]));
    });
  }
}

/// The sums of dy and of dy (x - mean), which are written `step` elements apart.
template <int Packets, class Access, class T>
void gradient_sums(const Access& access, const T* dy, const T* x, Index rows, Index step, const T* means, T* sums) {
  using P = typename Access::P;
  constexpr Index kLength = Access::kLength;
  P mean[array_size(Packets)], sum[array_size(Packets)], product[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    mean[k] = access.load(means + k * kLength);
    sum[k] = product[k] = packet::pset1<P>(T(0));
  });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const P d = access.load(dy + i * step + k * kLength);
      sum[k] = packet::padd(sum[k], d);
      product[k] = multiply_add(d, packet::psub(access.load(x + i * step + k * kLength), mean[k]), product[k]);
    });
  }
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    access.store(sums + k * kLength, sum[k]);
    access.store(sums + step + k * kLength, product[k]);
  });
}

/// Numbers for each channel, from which a run of dx follows.
template <class T>
struct GradientFactors {
  const T *mean, *scale, *slope, *offset;
};

/// dx = scale dy + slope (x - mean) + offset
template <int Packets, class Access, class T>
void input_gradient_rows(const Access& access, const T* dy, const T* x, Index rows, Index step,
                         const GradientFactors<T>& factors, Index c, T* dx) {
  using P = typename Access::P;
  constexpr Index kLength = Access::kLength;
  P mean[array_size(Packets)], scale[array_size(Packets)], slope[array_size(Packets)], offset[array_size(Packets)];
  unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
    mean[k] = access.load(factors.mean + c + k * kLength);
    scale[k] = access.load(factors.scale + c + k * kLength);
    slope[k] = access.load(factors.slope + c + k * kLength);
    offset[k] = access.load(factors.offset + c + k * kLength);
  });
  for (Index i = 0; i < rows; ++i) {
    unroll<Packets>([&](auto k) EIGENGRAD_INLINE_LAMBDA {
      const Index at = i * step + c + k * kLength;
      const P own = multiply_add(access.load(dy + at), scale[k], offset[k]);
      access.store(dx + at, multiply_add(packet::psub(access.load(x + at), mean[k]), slope[k], own));
    });
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::batch_norm
