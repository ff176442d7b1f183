// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <ostream>
#include <string>

#include <eigengrad/core/error.hpp>

// How exactly matrix products of float numbers are computed: one switch for the whole process.
//   set_float32_matmul_precision(Float32MatmulPrecision::medium);

namespace eigengrad::EIGENGRAD_ISA {

enum class Float32MatmulPrecision {
  highest,  ///< in float32
  medium,   ///< of numbers rounded to bfloat16 (8 bits of precision instead of 24), added in float32
};

inline std::string to_string(Float32MatmulPrecision precision) {
  switch (precision) {
    case Float32MatmulPrecision::highest:
      return "highest";
    case Float32MatmulPrecision::medium:
      return "medium";
  }
  return joined("Float32MatmulPrecision(", static_cast<int>(precision), ')');
}
inline std::ostream& operator<<(std::ostream& out, Float32MatmulPrecision precision) {
  return out << to_string(precision);
}

namespace detail {

inline std::atomic<Float32MatmulPrecision> matmul_precision{Float32MatmulPrecision::highest};

}  // namespace detail

/// How matrix products of float numbers are computed; `highest` before the first call of the function below.
inline Float32MatmulPrecision float32_matmul_precision() {
  return detail::matmul_precision.load(std::memory_order_relaxed);
}

/// Sets it for the products that begin after the call. Everything in memory stays float32: weights, gradients, what an
/// optimiser keeps. With `medium` the large products round what they multiply to bfloat16, those of linear layers,
/// ops::matmul, and convolutions by im2col and pointwise. As in float32 remain, because there it is faster or as fast:
/// products with few rows or of a vector, batches of small matrices, depthwise convolutions, those of few channels, and
/// Winograd's, whose transforms would also amplify the rounding.
/// A product still has the same bits for any number of threads. Denormal numbers count as 0, and a number above
/// 3.39e38, which is rounded to more than bfloat16 can hold, is infinite. double is never affected.
/// A program that is compiled for a processor without AVX512_BF16 computes in float32 with either setting.
/// Errors   ValueError for another value
/// Source   torch.set_float32_matmul_precision, whose `high` is not offered
inline void set_float32_matmul_precision(Float32MatmulPrecision precision) {
  if (precision != Float32MatmulPrecision::highest && precision != Float32MatmulPrecision::medium) {
    throw ValueError(
        error_text("set_float32_matmul_precision: precision is ", precision, ", expected highest or medium"));
  }
  detail::matmul_precision.store(precision, std::memory_order_relaxed);
}

}  // namespace eigengrad::EIGENGRAD_ISA
