// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/compiler.hpp>

// The namespaces of the library, and the one of the instruction set that all of them lie in.
//
// A program may have files that are compiled for different processors: one with -march=native, the rest for any. If
// their functions had the same names, the linker would keep one of each, and which one would depend on the order of the
// files. So the names contain what the code was compiled for. The namespace is inline: nobody has to write it.
//
// Errors alone stand outside, in error.hpp, so that they can be caught anywhere.

#if defined(__AVX512F__) && defined(__AVX512BF16__)
#define EIGENGRAD_ISA_NAME avx512_bf16
#elif defined(__AVX512F__)
#define EIGENGRAD_ISA_NAME avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define EIGENGRAD_ISA_NAME avx2_fma
#elif defined(__AVX2__)
#define EIGENGRAD_ISA_NAME avx2
#elif defined(__AVX__)
#define EIGENGRAD_ISA_NAME avx
#elif defined(__SSE4_2__)
#define EIGENGRAD_ISA_NAME sse4
#elif defined(__SSE2__) || defined(_M_X64)
#define EIGENGRAD_ISA_NAME sse2
#elif defined(__ARM_FEATURE_SVE)
#define EIGENGRAD_ISA_NAME sve
#elif defined(__ARM_NEON)
#define EIGENGRAD_ISA_NAME neon
#else
#define EIGENGRAD_ISA_NAME any
#endif

// Eigen's setting changes what its vectors are, and with them the code here.
#if defined(EIGEN_DONT_VECTORIZE)
#define EIGENGRAD_ISA_JOIN(name) name##_scalar
#define EIGENGRAD_ISA_EXPAND(name) EIGENGRAD_ISA_JOIN(name)
#define EIGENGRAD_ISA inline EIGENGRAD_ISA_EXPAND(EIGENGRAD_ISA_NAME)
#else
#define EIGENGRAD_ISA inline EIGENGRAD_ISA_NAME
#endif

// What is not for users is in a namespace detail; those of the folders see the one of core/.
namespace eigengrad::EIGENGRAD_ISA {
namespace detail {}
// NOLINTBEGIN(google-build-using-namespace)
namespace ops::detail {
using namespace eigengrad::detail;
}
namespace nn::detail {
using namespace eigengrad::detail;
}
namespace autodiff::detail {
using namespace eigengrad::detail;
}
namespace optim::detail {
using namespace eigengrad::detail;
}
namespace data::detail {
using namespace eigengrad::detail;
}
namespace train::detail {
using namespace eigengrad::detail;
}
namespace io::detail {
using namespace eigengrad::detail;
}
// NOLINTEND(google-build-using-namespace)
}  // namespace eigengrad::EIGENGRAD_ISA
