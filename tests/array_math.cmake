# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.21)

# cmake -D SOURCE_DIR=. -P tests/array_math.cmake
# Checks that functions of array expressions come from ops/kernels/array_math.hpp, and that every operation, layer, loss
# and optimiser has its line in a sweep over special values (tests/*/special_values_test.cpp) or moves elements only.
set(problems "")
set(include ${SOURCE_DIR}/include/eigengrad)
file(GLOB_RECURSE headers RELATIVE ${include} ${include}/*.hpp)
foreach(header IN LISTS headers)
  if(header STREQUAL "ops/kernels/array_math.hpp")
    continue()
  endif()
  file(STRINGS ${include}/${header} lines
       REGEX "[.](sqrt|rsqrt|exp|expm1|log|log1p|tanh|erf|inverse|pow|cwiseSqrt|cwiseInverse)[(][)]")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "order[.]inverse[(][)]")
      string(APPEND problems "\n  ${header} calls Eigen's function, not that of kernels/array_math.hpp: ${line}")
    endif()
  endforeach()
endforeach()

# What moves elements, and the frames that the swept ones stand in.
set(not_swept
    activation any_layer axes broadcast concat conv2d_plan cross_entropy
    gather init joint_loop map mse_loss multi_optimizer optimizer optimizer_state optimizer_wrapper pad
    parameter_groups permute pytorch_options reshape schedule second_weights sequential slice squarable state summary take)
set(sweeps "")
foreach(layer IN ITEMS ops nn optim)
  file(READ ${SOURCE_DIR}/tests/${layer}/special_values_test.cpp sweep)
  string(APPEND sweeps "${sweep}")
endforeach()
file(GLOB headers RELATIVE ${include} ${include}/ops/*.hpp ${include}/nn/*.hpp ${include}/optim/*.hpp)
foreach(header IN LISTS headers)
  get_filename_component(name ${header} NAME_WE)
  if(NOT name IN_LIST not_swept AND NOT sweeps MATCHES "/${name}[.]hpp>")
    string(APPEND problems "\n  ${header} has no line in tests/*/special_values_test.cpp")
  endif()
endforeach()

if(problems)
  message(FATAL_ERROR "Functions of elements:${problems}")
endif()
message(STATUS "all functions of elements are those of array_math.hpp, and are swept")
