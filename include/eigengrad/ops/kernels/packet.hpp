// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <Eigen/Core>

#include <eigengrad/core/shape.hpp>

// The processor's vectors through Eigen's packets: SSE, AVX, AVX-512, NEON, or one number if Eigen has
// none. The only file that names Eigen's internal packet functions.

// After the parameters of a lambda: it must disappear into its caller, or the arrays it indexes live in
// memory.
#if defined(__GNUC__)
#define EIGENGRAD_INLINE_LAMBDA __attribute__((always_inline))
#else
#define EIGENGRAD_INLINE_LAMBDA
#endif

// Before a loop of a constant number of rounds: it disappears, and arrays it indexes stay in registers. A loop is less
// for the compiler to work on than as many copies of its body.
#if defined(__clang__)
#define EIGENGRAD_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define EIGENGRAD_UNROLL _Pragma("GCC unroll 64")
#else
#define EIGENGRAD_UNROLL
#endif

// Before a function: all that it calls disappears into it, Eigen's larger packet functions included.
#if defined(__GNUC__)
#define EIGENGRAD_FLATTEN __attribute__((flatten))
#else
#define EIGENGRAD_FLATTEN
#endif

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

namespace packet = Eigen::internal;

template <class T>
using Packet = typename packet::packet_traits<T>::type;

/// Numbers in a packet.
template <class T>
inline constexpr int kLanes = packet::unpacket_traits<Packet<T>>::size;

/// Vector registers of the processor the program is compiled for.
inline constexpr int kRegisters = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS;

/// The length of an array by a number that is signed, as all sizes here are: T a[array_size(N)].
consteval std::size_t array_size(Index n) { return static_cast<std::size_t>(n); }

/// Calls f(0), ..., f(N - 1) without a loop: arrays indexed by the argument stay in registers.
template <int N, class F>
EIGEN_ALWAYS_INLINE void unroll(F&& f) {
  EIGENGRAD_UNROLL
  for (int i = 0; i < N; ++i) f(i);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet drops its alignment as a template argument
#endif

/// Packets of N numbers, a power of two up to kLanes; one number is a packet of itself.
template <class T, int N>
using PacketOf = std::conditional_t<N == 1, T, typename packet::find_best_packet<T, N>::type>;
template <class T, int N>
inline constexpr bool kHasPacketOf = packet::unpacket_traits<PacketOf<T, N>>::size == N;

/// Calls f(lanes, i) for packets that cover [0, count) from first to last: whole ones, then halves, quarters and so on
/// down to single numbers; `lanes` is a compile-time constant.
template <class T, int N = kLanes<T>, class F>
EIGEN_ALWAYS_INLINE void for_each_packet(Index count, const F& f, Index i = 0) {
  if constexpr (kHasPacketOf<T, N>) {
    for (; i + N <= count; i += N) f(std::integral_constant<int, N>{}, i);
  }
  if constexpr (N > 1) for_each_packet<T, N / 2>(count, f, i);
}

/// Calls f(lanes, packets, i) for groups of `Packets` whole packets, then as for_each_packet for single ones; both are
/// compile-time constants. A group keeps that many sums or factors in registers.
template <class T, int Packets, int N = kLanes<T>, class F>
EIGEN_ALWAYS_INLINE void for_each_packet_group(Index count, const F& f) {
  Index i = 0;
  for (; i + Packets * N <= count; i += Packets * N)
    f(std::integral_constant<int, N>{}, std::integral_constant<int, Packets>{}, i);
  for_each_packet<T, N>(
      count, [&](auto lanes, Index at) { f(lanes, std::integral_constant<int, 1>{}, at); }, i);
}

/// a b + c, rounded once if the processor can, for single numbers as for packets of them.
template <class P>
EIGEN_ALWAYS_INLINE P multiply_add(const P& a, const P& b, const P& c) {
#ifdef EIGEN_VECTORIZE_FMA
  if constexpr (std::is_floating_point_v<P>) return std::fma(a, b, c);
#endif
  return packet::pmadd(a, b, c);
}

/// True if the compiler takes `a > b ? a : b` for packets as for numbers, as GCC and clang do.
template <class T>
concept ComparesPackets = std::is_floating_point_v<T> && requires(Packet<T> a) {
  a > a ? a : a;
};

/// Numbers in the packets of loops that choose in this way. It is half as many instructions as Eigen 3.4 takes with
/// AVX-512.
template <class T>
inline constexpr int kChoiceLanes = ComparesPackets<T> ? kLanes<T> : 1;

/// A packet that adds and multiplies as a number does.
template <class T>
struct Vector {
  Packet<T> packet;

  EIGEN_ALWAYS_INLINE Vector() = default;
  // A template, because if nothing is vectorised the packet of the other constructor is a number too.
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  EIGEN_ALWAYS_INLINE explicit Vector(Number value) : packet(packet::pset1<Packet<T>>(static_cast<T>(value))) {}
  EIGEN_ALWAYS_INLINE explicit Vector(const Packet<T>& p) : packet(p) {}

  /// From memory; of the last packet of a row only the elements [0, count) exist, the others are 0.
  EIGEN_ALWAYS_INLINE static Vector load(const T* from) { return Vector(packet::ploadu<Packet<T>>(from)); }
  static Vector load(const T* from, Index count) {
#ifdef EIGEN_VECTORIZE_AVX512
    const unsigned mask = (1U << count) - 1U;
    if constexpr (std::is_same_v<T, float>) return Vector(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from));
    if constexpr (std::is_same_v<T, double>) return Vector(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), from));
#endif
    alignas(64) T elements[kLanes<T>] = {};
    std::copy_n(from, count, elements);
    return load(elements);
  }
  EIGEN_ALWAYS_INLINE void store(T* to) const { packet::pstoreu(to, packet); }
  void store(T* to, Index count) const {
#ifdef EIGEN_VECTORIZE_AVX512
    const unsigned mask = (1U << count) - 1U;
    if constexpr (std::is_same_v<T, float>) return _mm512_mask_storeu_ps(to, static_cast<__mmask16>(mask), packet);
    if constexpr (std::is_same_v<T, double>) return _mm512_mask_storeu_pd(to, static_cast<__mmask8>(mask), packet);
#endif
    alignas(64) T elements[kLanes<T>];
    store(elements);
    std::copy_n(elements, count, to);
  }

  /// a b + c, rounded once if the processor can.
  EIGEN_ALWAYS_INLINE static Vector multiply_add(Vector a, Vector b, Vector c) {
    return Vector(packet::pmadd(a.packet, b.packet, c.packet));
  }
  /// 0 in place of what is negative; NaN stays.
  EIGEN_ALWAYS_INLINE Vector not_below_zero() const {
    return Vector(packet::pmax<Eigen::PropagateNaN>(packet, packet::pset1<Packet<T>>(T(0))));
  }
  EIGEN_ALWAYS_INLINE T sum() const { return packet::predux(packet); }

  EIGEN_ALWAYS_INLINE friend Vector operator+(Vector a, Vector b) { return Vector(packet::padd(a.packet, b.packet)); }
  EIGEN_ALWAYS_INLINE friend Vector operator-(Vector a, Vector b) { return Vector(packet::psub(a.packet, b.packet)); }
  EIGEN_ALWAYS_INLINE friend Vector operator*(Vector a, Vector b) { return Vector(packet::pmul(a.packet, b.packet)); }
};

/// Loads and stores packets of channels of which the last has as many as are left. It asks each time whether the packet
/// is whole: two copies of a long loop would double what the compiler has to do.
template <class T>
class ChannelPacket {
 public:
  EIGEN_ALWAYS_INLINE explicit ChannelPacket(Index left) : left_(left), whole_(left >= kLanes<T>) {}
  EIGEN_ALWAYS_INLINE Vector<T> load(const T* from) const {
    return whole_ ? Vector<T>::load(from) : Vector<T>::load(from, left_);
  }
  EIGEN_ALWAYS_INLINE void store(T* to, Vector<T> value) const { whole_ ? value.store(to) : value.store(to, left_); }

 private:
  Index left_;
  bool whole_;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
