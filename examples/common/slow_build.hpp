// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace examples {

/// Why this program is slower than the processor allows, and what to do; empty where it is not. It compares what the
/// compiler was allowed to use with what the processor has.
inline std::string slow_build_note() {
#if !defined(__OPTIMIZE__) && defined(__GNUC__)
  return "built without optimisation; compile with -O3 -march=native, as the presets release and train do";
#elif defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
  __builtin_cpu_init();
  [[maybe_unused]] const auto slow = [](const char* has) {
    return std::string("built without ") + has +
           ", which this processor has; compiled with -O3 -march=native, as the presets release and train do, it is "
           "several times faster";
  };
#if !defined(__AVX512F__)
  if (__builtin_cpu_supports("avx512f")) return slow("AVX-512");
#endif
#if !defined(__AVX2__)
  if (__builtin_cpu_supports("avx2")) return slow("AVX2");
#endif
  return "";
#else
  return "";
#endif
}

}  // namespace examples
