// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>

#include <eigengrad/core/precision.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// While it lives, matrix products of float have this precision.
class MatmulPrecisionScope {
 public:
  explicit MatmulPrecisionScope(Float32MatmulPrecision precision) : outer_(float32_matmul_precision()) {
    set_float32_matmul_precision(precision);
  }
  MatmulPrecisionScope(const MatmulPrecisionScope&) = delete;
  MatmulPrecisionScope& operator=(const MatmulPrecisionScope&) = delete;
  ~MatmulPrecisionScope() { set_float32_matmul_precision(outer_); }

 private:
  Float32MatmulPrecision outer_;
};

/// The nearest number in bfloat16; of two that are equally near, the one with an even last bit.
inline float in_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U);
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
