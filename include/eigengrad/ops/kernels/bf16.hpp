// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/kernels/operand.hpp>

#if defined(__AVX512BF16__) && defined(EIGEN_VECTORIZE_AVX512)
#include <immintrin.h>
#endif

// Products in bfloat16 with sums in float32, by the instructions of AVX512_BF16. They multiply pairs: two steps of the
// summed axis, rounded to bfloat16, share the 32 bits of one float, and in every lane both products are added to the
// sum. So a product is that of two operands of pairs with half as many steps, blocked and packed as any other, and only
// what a step adds is another instruction. It takes denormal numbers, and gives denormal sums, as 0.
// The only file that names these instructions.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// An operand of pairs, of T = float; a last step without a second one is paired with zeros.
template <class T>
class Bf16Pairs;
/// What a step of pairs adds to a sum, in place of OneStep.
struct Bf16PairStep;

#if !defined(__AVX512BF16__) || !defined(EIGEN_VECTORIZE_AVX512)

/// True if the processor that the program is compiled for has these instructions.
inline constexpr bool kHasBf16 = false;

#else

inline constexpr bool kHasBf16 = true;

struct Bf16PairStep {
  EIGEN_ALWAYS_INLINE static __m512 multiply_add(__m512 element, __m512 line, __m512 sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(element), reinterpret_cast<__m512bh>(line));
  }
};

template <>
class Bf16Pairs<float> {
 public:
  Bf16Pairs(const OperandRef<float>& operand, Index steps) : operand_(operand), steps_(steps) {}

  Index pairs() const { return (steps_ + 1) / 2; }

  void pack(Index first_line, Index valid, Index width, Index first_pair, Index depth, float* target) const {
    alignas(64) float steps[array_size(kStepsAtOnce * kTileCols<float>)];
    for_each_run(first_pair, depth, [&](Index first, Index count) {
      operand_.pack(first_line, valid, width, first, count, steps);
      if (count % 2 != 0) std::fill_n(steps + count * width, width, 0.0F);
      for (const float* step = steps; step < steps + count * width; step += 2 * width, target += width)
        pair_steps(width, step, target);
    });
  }

  bool lines_are_contiguous() const { return operand_.copies_lines(); }

  /// A line in memory is one of pairs as soon as it is rounded.
  void copy_lines(Index first_line, Index lines, Index first_pair, Index depth, float* target) const {
    alignas(64) float steps[kStepsAtOnce * kTileRows];
    for_each_run(first_pair, depth, [&](Index first, Index count) {
      operand_.copy_lines(first_line, lines, first, count, steps);
      if (count % 2 != 0) {
        for (Index i = 0; i < lines; ++i) steps[(count / kChunk * lines + i) * kChunk + count % kChunk] = 0.0F;
      }
      // Two chunks of steps become one of pairs.
      for (Index chunk = 0; chunk * kChunk < count; ++chunk) {
        const float* from = steps + chunk * lines * kChunk;
        float* to = target + chunk / 2 * lines * kChunk + chunk % 2 * kLanes<float>;
        for (Index i = 0; i < lines; ++i, from += kChunk, to += kChunk)
          store(round(_mm512_load_ps(from), _mm512_load_ps(from + kLanes<float>)), to);
      }
      target += lines * kStepsAtOnce / 2;
    });
  }

 private:
  static constexpr Index kChunk = kTileCols<float>;
  /// So many steps are packed as float and then rounded: they stay in the first-level cache.
  static constexpr Index kStepsAtOnce = 4 * kChunk;

  /// Calls f(first step, number of steps) for the parts of the pairs [first_pair, first_pair + depth).
  template <class F>
  void for_each_run(Index first_pair, Index depth, const F& f) const {
    const Index end = std::min(2 * (first_pair + depth), steps_);
    for (Index first = 2 * first_pair; first < end; first += kStepsAtOnce)
      f(first, std::min(kStepsAtOnce, end - first));
  }

  /// 32 numbers in bfloat16, rounded to nearest even.
  static __m512i round(__m512 first, __m512 second) {
    return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
  }
  static void store(__m512i pairs, float* to) { _mm512_storeu_si512(to, pairs); }

  /// One step of pairs from two steps that stand one after the other.
  static void pair_steps(Index width, const float* steps, float* target) {
    constexpr Index Lanes = kLanes<float>;
    const __m512i alternate = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,  //
                                               23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (Index first = 0; first < width; first += Lanes) {
      const auto mask = static_cast<__mmask16>((1U << std::min(Lanes, width - first)) - 1U);
      const __m512 one = _mm512_maskz_loadu_ps(mask, steps + first);
      const __m512 two = _mm512_maskz_loadu_ps(mask, steps + width + first);
      _mm512_mask_storeu_epi32(target + first, mask, _mm512_permutexvar_epi16(alternate, round(one, two)));
    }
  }

  OperandRef<float> operand_;
  Index steps_;
};

#endif

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
