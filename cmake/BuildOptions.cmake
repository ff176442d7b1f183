# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# How this project builds its own tests, examples and benchmarks. Nothing here reaches the exported targets.

option(EIGENGRAD_WARNINGS_AS_ERRORS "Treat warnings as errors" OFF)
option(EIGENGRAD_NATIVE "Use all instructions of this machine's processor" OFF)
set(EIGENGRAD_SANITIZE "" CACHE STRING "Sanitizers, as address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

add_library(eigengrad_build_options INTERFACE)
if(EIGENGRAD_NATIVE)
  target_link_libraries(eigengrad_build_options INTERFACE eigengrad::native)
else()
  target_link_libraries(eigengrad_build_options INTERFACE eigengrad::eigengrad)
endif()
target_compile_options(eigengrad_build_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                                                          -Wsign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # A false alarm of g++ 12, mended in 13 (GCC bug 105651): + on std::string is taken for an overlapping copy.
  target_compile_options(eigengrad_build_options INTERFACE -Wno-restrict)
endif()
if(EIGENGRAD_WARNINGS_AS_ERRORS)
  target_compile_options(eigengrad_build_options INTERFACE -Werror)
endif()

if(EIGENGRAD_SANITIZE)
  set(sanitize -fsanitize=${EIGENGRAD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_compile_options(eigengrad_build_options INTERFACE ${sanitize})
  if(EIGENGRAD_SANITIZE MATCHES "address")
    # The kernels are lambdas within lambdas, all inline: to watch the scope of each of their variables makes the code
    # four times as long and takes three times as long to compile.
    target_compile_options(eigengrad_build_options INTERFACE -fno-sanitize-address-use-after-scope)
  endif()
  target_link_options(eigengrad_build_options INTERFACE ${sanitize})
endif()
