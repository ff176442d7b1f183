// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <eigengrad/core/shape.hpp>

// The processor's vectors through Eigen's packets: SSE, AVX, AVX-512, NEON, or one number where Eigen has
// none. The only file that names Eigen's internal packet functions.

// After the parameters of a lambda: it must disappear into its caller, or the arrays it indexes live in
// memory.
#if defined(__GNUC__)
#define EIGENGRAD_INLINE_LAMBDA __attribute__((always_inline))
#else
#define EIGENGRAD_INLINE_LAMBDA
#endif

// Before a function: all that it calls disappears into it, Eigen's larger packet functions included.
#if defined(__GNUC__)
#define EIGENGRAD_FLATTEN __attribute__((flatten))
#else
#define EIGENGRAD_FLATTEN
#endif

namespace eigengrad::ops::kernels {

namespace packet = Eigen::internal;

template <class T>
using Packet = typename packet::packet_traits<T>::type;

/// Numbers in a packet.
template <class T>
inline constexpr int kLanes = packet::unpacket_traits<Packet<T>>::size;

/// Vector registers of the processor the program is compiled for.
inline constexpr int kRegisters = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;

/// Calls f(0), ..., f(N - 1), each with a compile-time constant: arrays indexed by it stay in registers.
template <int N, class F>
EIGEN_ALWAYS_INLINE void unroll(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) EIGENGRAD_INLINE_LAMBDA {
    (f(std::integral_constant<int, static_cast<int>(I)>{}), ...);
  }
  (std::make_index_sequence<N>{});
}

}  // namespace eigengrad::ops::kernels
