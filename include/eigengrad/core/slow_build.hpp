// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <eigengrad/core/namespaces.hpp>

// Is this program as fast as it could be? The compiler is the one that knows; nobody else would say so.

namespace eigengrad::EIGENGRAD_ISA {

/// Why this program is slower than the processor allows, and what to do; empty if it is not. It compares what the
/// compiler was allowed to use in the calling file with what the processor has.
inline std::string slow_build_note() {
  [[maybe_unused]] const auto note = [](const char* what, const char* cost) {
    return std::string("built without ") + what + "; with -O3 -march=native (in CMake: CMAKE_BUILD_TYPE Release and " +
           "the target eigengrad::native) it is " + cost + " faster";
  };
#if defined(__GNUC__) && !defined(__OPTIMIZE__)
  return note("optimisation", "about a hundred times");
#elif defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
  __builtin_cpu_init();
#if !defined(__AVX512F__)
  if (__builtin_cpu_supports("avx512f")) return note("AVX-512, which this processor has", "several times");
#endif
#if !defined(__AVX2__)
  if (__builtin_cpu_supports("avx2")) return note("AVX2, which this processor has", "several times");
#endif
  return "";
#else
  return "";
#endif
}

}  // namespace eigengrad::EIGENGRAD_ISA
