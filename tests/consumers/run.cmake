# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.21)

# cmake -D WAY=find_package|add_subdirectory -D SOURCE_DIR=... -D PROJECT_BINARY_DIR=... -D WORK_DIR=... -P run.cmake
# Builds and runs a user's project against the library, installed or as a sub-project.
file(REMOVE_RECURSE ${WORK_DIR})
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV}: status ${status}\n${output}")
  endif()
endfunction()

if(WAY STREQUAL "find_package")
  run(${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${WORK_DIR}/installed)
  set(how -D CMAKE_PREFIX_PATH=${WORK_DIR}/installed)
else()
  set(how -D EIGENGRAD_SOURCE_DIR=${SOURCE_DIR})
endif()
run(${CMAKE_COMMAND} -S ${SOURCE_DIR}/tests/consumers/program -B ${WORK_DIR}/build -G ${GENERATOR}
    -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_BUILD_TYPE=Release ${how})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
run(${WORK_DIR}/build/consumer)
