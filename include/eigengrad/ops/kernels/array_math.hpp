// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include <eigengrad/ops/kernels/packet.hpp>

// Roots, exponentials and logarithms of array expressions, right for every number: zeros, subnormal numbers, the
// infinities and NaN included. Eigen's own vectorised ones are not: sqrt of infinity is NaN, log of what is subnormal
// that of the smallest normal number, exp never 0.
//   map(x, [](const auto& v) { return detail::log(v + T(1)); });
// tests/array_math.cmake checks that no other header calls Eigen's.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

namespace array_math {

/// The processor's root, rounded as IEEE 754 has it; Eigen 3.4 approximates.
template <class P>
EIGEN_ALWAYS_INLINE P exact_sqrt(const P& x) {
  return packet::psqrt(x);
}
#ifdef EIGEN_VECTORIZE_SSE
EIGEN_ALWAYS_INLINE packet::Packet4f exact_sqrt(const packet::Packet4f& x) { return _mm_sqrt_ps(x); }
EIGEN_ALWAYS_INLINE packet::Packet2d exact_sqrt(const packet::Packet2d& x) { return _mm_sqrt_pd(x); }
#endif
#ifdef EIGEN_VECTORIZE_AVX
EIGEN_ALWAYS_INLINE packet::Packet8f exact_sqrt(const packet::Packet8f& x) { return _mm256_sqrt_ps(x); }
EIGEN_ALWAYS_INLINE packet::Packet4d exact_sqrt(const packet::Packet4d& x) { return _mm256_sqrt_pd(x); }
#endif
#ifdef EIGEN_VECTORIZE_AVX512
EIGEN_ALWAYS_INLINE packet::Packet16f exact_sqrt(const packet::Packet16f& x) { return _mm512_sqrt_ps(x); }
EIGEN_ALWAYS_INLINE packet::Packet8d exact_sqrt(const packet::Packet8d& x) { return _mm512_sqrt_pd(x); }
#endif

template <class T>
struct Sqrt {
  static constexpr bool kPackets = packet::packet_traits<T>::HasSqrt;
  T operator()(T x) const { return std::sqrt(x); }
  template <class P>
  EIGEN_ALWAYS_INLINE P packetOp(const P& x) const {
    return exact_sqrt(x);
  }
};

template <class T>
struct Exp {
  static constexpr bool kPackets = packet::packet_traits<T>::HasExp;
  T operator()(T x) const { return std::exp(x); }
  /// Eigen's ends at the smallest normal number. Squared, that of x/2 goes on to 0.
  template <class P>
  EIGEN_ALWAYS_INLINE P packetOp(const P& x) const {
    const P root = packet::pexp(packet::pmul(x, packet::pset1<P>(T(0.5))));
    return packet::pmul(root, root);
  }
};

template <class T>
struct Log {
  static constexpr bool kPackets = packet::packet_traits<T>::HasLog;
  T operator()(T x) const { return std::log(x); }
  /// What is subnormal is made normal first: log x = log(2^64 x) - 64 log 2.
  template <class P>
  EIGEN_ALWAYS_INLINE P packetOp(const P& x) const {
    const P subnormal = packet::pcmp_lt(x, packet::pset1<P>(std::numeric_limits<T>::min()));
    const P normal = packet::pselect(subnormal, packet::pmul(x, packet::pset1<P>(T(0x1p64))), x);
    const P y = packet::plog(normal);
    return packet::pselect(subnormal, packet::psub(y, packet::pset1<P>(T(64.0 * std::numbers::ln2))), y);
  }
};

template <class T>
struct Tanh {
  static constexpr bool kPackets = packet::packet_traits<T>::HasTanh;
  T operator()(T x) const { return std::tanh(x); }
  template <class P>
  EIGEN_ALWAYS_INLINE P packetOp(const P& x) const {
    return packet::pselect(packet::pcmp_eq(x, x), packet::ptanh(x), x);  // NaN stays
  }
};

/// 1 / (1 + exp(-x)).
template <class T>
struct Logistic {
  static constexpr bool kPackets = Exp<T>::kPackets;
  T operator()(T x) const {
    const T below_one = std::exp(-std::abs(x));
    return (x < T(0) ? below_one : T(1)) / (T(1) + below_one);
  }
  /// s / (s + s r^2) with r = exp(-x / 2), as in Exp. The scale s keeps s r^2 finite if the result is not yet 0.
  template <class P>
  EIGEN_ALWAYS_INLINE P packetOp(const P& x) const {
    const P scale = packet::pset1<P>(T(0x1p-64));
    const P root = packet::pexp(packet::pmul(x, packet::pset1<P>(T(-0.5))));
    return packet::pdiv(scale, packet::pmadd(packet::pmul(scale, root), root, scale));
  }
};

}  // namespace array_math

/// Of an array expression, element by element.
template <class V>
auto sqrt(const V& v) {
  return v.unaryExpr(array_math::Sqrt<typename V::Scalar>());
}
template <class V>
auto exp(const V& v) {
  return v.unaryExpr(array_math::Exp<typename V::Scalar>());
}
template <class V>
auto log(const V& v) {
  return v.unaryExpr(array_math::Log<typename V::Scalar>());
}
template <class V>
auto tanh(const V& v) {
  return v.unaryExpr(array_math::Tanh<typename V::Scalar>());
}

template <class V>
auto logistic(const V& v) {
  return v.unaryExpr(array_math::Logistic<typename V::Scalar>());
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail

namespace Eigen::internal {

/// Tells Eigen that a function of ours takes packets, and that it costs more than an addition.
template <class F>
struct EigengradFunction {
  enum { Cost = 30, PacketAccess = F::kPackets };
};
template <class T>
struct functor_traits<eigengrad::ops::detail::array_math::Sqrt<T>>
    : EigengradFunction<eigengrad::ops::detail::array_math::Sqrt<T>> {};
template <class T>
struct functor_traits<eigengrad::ops::detail::array_math::Exp<T>>
    : EigengradFunction<eigengrad::ops::detail::array_math::Exp<T>> {};
template <class T>
struct functor_traits<eigengrad::ops::detail::array_math::Log<T>>
    : EigengradFunction<eigengrad::ops::detail::array_math::Log<T>> {};
template <class T>
struct functor_traits<eigengrad::ops::detail::array_math::Tanh<T>>
    : EigengradFunction<eigengrad::ops::detail::array_math::Tanh<T>> {};
template <class T>
struct functor_traits<eigengrad::ops::detail::array_math::Logistic<T>>
    : EigengradFunction<eigengrad::ops::detail::array_math::Logistic<T>> {};

}  // namespace Eigen::internal
