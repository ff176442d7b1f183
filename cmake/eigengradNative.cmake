# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# eigengrad_native_flags(TARGET): the flags of eigengrad::native, which use all of the processor that compiles. Found
# out when the user's project is configured, never when the library is installed.
include(CheckCXXCompilerFlag)

function(eigengrad_native_flags target)
  set(flags "")
  set(CMAKE_REQUIRED_QUIET TRUE)
  check_cxx_compiler_flag(-march=native EIGENGRAD_HAS_MARCH_NATIVE)
  if(EIGENGRAD_HAS_MARCH_NATIVE)
    list(APPEND flags -march=native)
  else()
    check_cxx_compiler_flag(-mcpu=native EIGENGRAD_HAS_MCPU_NATIVE)  # clang for ARM before 16
    if(EIGENGRAD_HAS_MCPU_NATIVE)
      list(APPEND flags -mcpu=native)
    endif()
  endif()

  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
      # False alarms of g++ 12, mended in 13 (GCC bug 105593): its own AVX-512 header initialises a variable with
      # itself, and says so wherever it is inlined.
      list(APPEND flags -Wno-uninitialized -Wno-maybe-uninitialized)
    endif()
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
      # g++ before 14 does not know Zen 5 and, with -march=native, tunes it as Zen 3, a processor without AVX-512.
      # Eigen's own matrix product is a fifth slower for it; the kernels here lose up to 4 per cent. Tuned for Ice Lake
      # they do not.
      execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=native -Q --help=target
                      OUTPUT_VARIABLE processor ERROR_QUIET)
      if(processor MATCHES "-mavx512f[ \t]+\\[enabled\\]" AND processor MATCHES "-mtune=[ \t]+znver[0-3]")
        list(APPEND flags -mtune=icelake-server)
      endif()
    endif()
  endif()
  if(flags)
    set_property(TARGET ${target} APPEND PROPERTY INTERFACE_COMPILE_OPTIONS "$<$<COMPILE_LANGUAGE:CXX>:${flags}>")
  endif()
endfunction()
