# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.21)

# cmake -D WAY=find_package|add_subdirectory -D SOURCE_DIR=... -D PROJECT_BINARY_DIR=... -D WORK_DIR=... -D COMPILER=...
#       -D GENERATOR=... -P run.cmake
# Builds and runs a user's project against the library, installed or as a sub-project.
include(${CMAKE_CURRENT_LIST_DIR}/../support/run.cmake)
file(REMOVE_RECURSE ${WORK_DIR})
if(WAY STREQUAL "find_package")
  run(${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${WORK_DIR}/installed)
  set(how -D CMAKE_PREFIX_PATH=${WORK_DIR}/installed)
else()
  set(how -D EIGENGRAD_SOURCE_DIR=${SOURCE_DIR})
endif()
set(configure ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/program -B ${WORK_DIR}/build -G ${GENERATOR}
              -D CMAKE_CXX_COMPILER=${COMPILER} ${how})

# Without a build type the library says, once, what that costs; a user who optimises in another way hears nothing.
set(said "CMAKE_BUILD_TYPE is not set")
if(NOT GENERATOR MATCHES "Multi-Config|Visual Studio|Xcode")
  run(${CMAKE_COMMAND} -E env --unset=CXXFLAGS --unset=CMAKE_BUILD_TYPE ${configure})
  expect_output(${said} 1)
  run(${configure} -D CMAKE_CXX_FLAGS=-O2)
  expect_output(${said} 0)
endif()
run(${configure} -D CMAKE_CXX_FLAGS= -D CMAKE_BUILD_TYPE=Release)
expect_output(${said} 0)

run(${CMAKE_COMMAND} --build ${WORK_DIR}/build --parallel 1)
expect_output("warning:" 0)
run(${WORK_DIR}/build/consumer)
run(${WORK_DIR}/build/native_consumer)
foreach(program IN ITEMS io_consumer csv_consumer mnist_consumer images_consumer)
  if(EXISTS ${WORK_DIR}/build/${program})
    run(${CMAKE_COMMAND} -E chdir ${WORK_DIR} ${WORK_DIR}/build/${program})
  endif()
endforeach()
