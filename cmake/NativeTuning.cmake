# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# g++ before 14 does not know Zen 5 and, with -march=native, tunes it as Zen 3, a processor without AVX-512. Eigen's own
# matrix product is a fifth slower for it; the kernels here lose up to 4 per cent. Tuned for Ice Lake they do not.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=native -Q --help=target
                  OUTPUT_VARIABLE native_target ERROR_QUIET)
  if(native_target MATCHES "-mavx512f[ \t]+\\[enabled\\]" AND native_target MATCHES "-mtune=[ \t]+znver[0-3]")
    message(STATUS "Tuning for Ice Lake: this g++ has no tuning for this processor's 512-bit vectors")
    target_compile_options(eigengrad_build_options INTERFACE -mtune=icelake-server)
  endif()
endif()
