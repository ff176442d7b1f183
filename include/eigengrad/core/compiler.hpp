// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

// What the library cannot work with is refused here, before any other header of it is read. An #error alone would drown
// in those that follow it; a header that does not exist ends the compilation.

#if !defined(__cpp_exceptions) && !defined(__EXCEPTIONS) && !defined(_CPPUNWIND)
#error "eigengrad reports every error by an exception and needs them: compile without -fno-exceptions."
#include <eigengrad/core/refused_for_the_reason_above>
#endif

#if defined(__FAST_MATH__) || defined(_M_FP_FAST) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "eigengrad needs NaN and infinity, and checks for them vanish: compile without -ffast-math, -ffinite-math-only."
#include <eigengrad/core/refused_for_the_reason_above>
#endif
