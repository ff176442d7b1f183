// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <type_traits>

#include <eigengrad/ops/kernels/packet.hpp>

// Blocks of 64 bytes, which are computed in whole vectors, and the last block of a row, which is there in part. It is
// read and cleared by masks if there are any: a vector that is loaded from what smaller stores have just written
// waits for all of them, longer than a short row takes.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Elements of a block.
template <class T>
inline constexpr Index kBlock = 64 / static_cast<Index>(sizeof(T));

#if defined(EIGEN_VECTORIZE_AVX512)
/// Bits of a vector, and those of its first `count` elements of 4 or 8 bytes, the others being 0.
using Bits = __m512i;
template <class T>
EIGEN_ALWAYS_INLINE Bits load_first(Index count, const T* from) {
  const unsigned mask = (1U << count) - 1U;
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_loadu_epi32(static_cast<__mmask16>(mask), from);
  else
    return _mm512_maskz_loadu_epi64(static_cast<__mmask8>(mask), from);
}
template <class T>
EIGEN_ALWAYS_INLINE Bits keep_first(Index count, const T* from) {
  const unsigned mask = (1U << count) - 1U;
  const Bits all = _mm512_loadu_si512(from);  // the compiler may have it in a register still, not so with a mask
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_mov_epi32(static_cast<__mmask16>(mask), all);
  else
    return _mm512_maskz_mov_epi64(static_cast<__mmask8>(mask), all);
}
EIGEN_ALWAYS_INLINE void store_bits(void* to, Bits bits) { _mm512_storeu_si512(to, bits); }
/// Stores the first `count` elements, which must be fewer than a vector has.
template <class T>
EIGEN_ALWAYS_INLINE void store_first(Index count, Bits bits, T* to) {
  const unsigned mask = (1U << count) - 1U;
  if constexpr (sizeof(T) == 4)
    _mm512_mask_storeu_epi32(to, static_cast<__mmask16>(mask), bits);
  else
    _mm512_mask_storeu_epi64(to, static_cast<__mmask8>(mask), bits);
}
#elif defined(EIGEN_VECTORIZE_AVX2)
/// Bits of a vector, and those of its first `count` elements of 4 or 8 bytes, the others being 0; all of them and none
/// if `count` is beyond the vector.
using Bits = __m256i;
template <class T>
EIGEN_ALWAYS_INLINE Bits first_lanes(Index count) {
  if constexpr (sizeof(T) == 4)
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  else
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
template <class T>
EIGEN_ALWAYS_INLINE Bits load_first(Index count, const T* from) {
  if constexpr (sizeof(T) == 4)
    return _mm256_maskload_epi32(reinterpret_cast<const int*>(from), first_lanes<T>(count));
  else
    return _mm256_maskload_epi64(reinterpret_cast<const long long*>(from), first_lanes<T>(count));
}
template <class T>
EIGEN_ALWAYS_INLINE Bits keep_first(Index count, const T* from) {
  return _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const Bits*>(from)), first_lanes<T>(count));
}
EIGEN_ALWAYS_INLINE void store_bits(void* to, Bits bits) { _mm256_storeu_si256(static_cast<Bits*>(to), bits); }
template <class T>
EIGEN_ALWAYS_INLINE void store_first(Index count, Bits bits, T* to) {
  if constexpr (sizeof(T) == 4)
    _mm256_maskstore_epi32(reinterpret_cast<int*>(to), first_lanes<T>(count), bits);
  else
    _mm256_maskstore_epi64(reinterpret_cast<long long*>(to), first_lanes<T>(count), bits);
}
#else
using Bits = char;
#endif

template <class T>
inline constexpr bool kMasks = sizeof(Bits) > 1 && (sizeof(T) == 4 || sizeof(T) == 8);
/// Elements in a vector of bits.
template <class T>
inline constexpr int kBitsLength = static_cast<int>(sizeof(Bits) / sizeof(T));

/// Copies the first `count` elements of a block; what follows stays as it is.
template <class T>
EIGEN_ALWAYS_INLINE void copy_part(Index count, const T* from, T* to) {
  for_each_packet<T>(count, [&](auto lanes, Index i) EIGENGRAD_INLINE_LAMBDA {
    packet::pstoreu(to + i, packet::ploadu<PacketOf<T, lanes>>(from + i));
  });
}

/// Copies the first `count` elements of a block and puts zeros in place of the others.
template <class T>
EIGEN_ALWAYS_INLINE void load_part(Index count, const T* from, T* block) {
  if constexpr (kMasks<T>) {
    for (Index k = 0; k < kBlock<T>; k += kBitsLength<T>) store_bits(block + k, load_first(count - k, from + k));
  } else {
    std::fill_n(block, kBlock<T>, T());
    copy_part(count, from, block);
  }
}

/// Puts zeros in place of all but the first `count` elements of a block.
template <class T>
EIGEN_ALWAYS_INLINE void clear_rest(Index count, T* block) {
  if constexpr (kMasks<T>) {
    for (Index k = 0; k < kBlock<T>; k += kBitsLength<T>) store_bits(block + k, keep_first(count - k, block + k));
  } else {
    std::fill(block + count, block + kBlock<T>, T());
  }
}

/// How a kernel reads and writes one vector of a row: a whole one, the first elements of one, or a single number.
template <class T>
struct WholeVector {
  using Scalar = T;
  using P = Packet<T>;
  static constexpr Index kLength = kLanes<T>;
  EIGEN_ALWAYS_INLINE P load(const T* from) const { return packet::ploadu<P>(from); }
  EIGEN_ALWAYS_INLINE void store(T* to, const P& values) const { packet::pstoreu(to, values); }
};
template <class T>
struct PartOfVector {
  using Scalar = T;
  using P = Packet<T>;
  static constexpr Index kLength = kLanes<T>;
  Index count;
  EIGEN_ALWAYS_INLINE P load(const T* from) const { return std::bit_cast<P>(load_first(count, from)); }
  EIGEN_ALWAYS_INLINE void store(T* to, const P& values) const { store_first(count, std::bit_cast<Bits>(values), to); }
};
template <class T>
struct SingleNumber {
  using Scalar = T;
  using P = T;
  static constexpr Index kLength = 1;
  EIGEN_ALWAYS_INLINE P load(const T* from) const { return *from; }
  EIGEN_ALWAYS_INLINE void store(T* to, P value) const { *to = value; }
};

/// Calls f(access, vectors, i) for groups of `Vectors` whole vectors, then single ones, then for what is left, by a
/// mask if there are any. `vectors` is a compile-time constant: a group keeps that many sums or factors in
/// registers. With a Length of 1 they are single numbers, Vectors of them and then one.
template <class T, int Vectors, int Length = kLanes<T>, class F>
EIGEN_ALWAYS_INLINE void for_each_vector_group(Index count, const F& f) {
  using Whole = std::conditional_t<Length == 1, SingleNumber<T>, WholeVector<T>>;
  constexpr std::integral_constant<int, 1> kOne;
  Index i = 0;
  for (; i + Vectors * Length <= count; i += Vectors * Length) f(Whole(), std::integral_constant<int, Vectors>(), i);
  for (; i + Length <= count; i += Length) f(Whole(), kOne, i);
  if constexpr (kMasks<T> && Length == kBitsLength<T>) {
    if (i < count) f(PartOfVector<T>{count - i}, kOne, i);
  } else if constexpr (Length > 1) {
    for (; i < count; ++i) f(SingleNumber<T>(), kOne, i);
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
