# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.21)

# cmake -D SOURCE_DIR=... -D WORK_DIR=... -D COMPILER=... -D GENERATOR=... -P eigen_versions.cmake
# Eigen from 3.4.0 to 5.x is accepted and nothing else, by the search itself, by the project that is configured and by
# the package that it installs. The Eigens are made up: a package that says its version.
include(${CMAKE_CURRENT_LIST_DIR}/../support/run.cmake)
file(REMOVE_RECURSE ${WORK_DIR})

# As Eigen's own version file, this one refuses whoever asks for another major version.
function(make_eigen version)
  string(REGEX MATCH "^[0-9]+" major ${version})
  file(WRITE ${WORK_DIR}/eigen-${version}/Eigen3Config.cmake
       "if(NOT CMAKE_SCRIPT_MODE_FILE)\n  add_library(Eigen3::Eigen INTERFACE IMPORTED)\nendif()\n")
  file(WRITE ${WORK_DIR}/eigen-${version}/Eigen3ConfigVersion.cmake
       "set(PACKAGE_VERSION ${version})\n"
       "if(NOT PACKAGE_FIND_VERSION OR PACKAGE_FIND_VERSION_MAJOR EQUAL ${major})\n"
       "  set(PACKAGE_VERSION_COMPATIBLE TRUE)\nendif()\n")
endfunction()
set(accepted 3.4.0 3.4.1 5.0.0 5.0.1 5.9.0)
set(refused 3.3.0 3.3.9 6.0.0)
file(WRITE ${WORK_DIR}/search.cmake "cmake_minimum_required(VERSION 3.21)\n"
     "include(${SOURCE_DIR}/cmake/eigengradEigen.cmake)\neigengrad_find_eigen(problem)\n"
     "if(problem)\n  message(FATAL_ERROR \"\${problem}\")\nendif()\n")
foreach(version IN LISTS accepted refused)
  make_eigen(${version})
  set(search ${CMAKE_COMMAND} -D Eigen3_DIR=${WORK_DIR}/eigen-${version} -P ${WORK_DIR}/search.cmake)
  if(version IN_LIST accepted)
    run(${search})
  else()
    run_refused("Eigen ${version} was found in .*expected 3.4.0 to 5.x" ${search})
  endif()
endforeach()
run_refused("Eigen 3.4.0 to 5.x was not found" ${CMAKE_COMMAND} -D CMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON
            -P ${WORK_DIR}/search.cmake)

# The project, and the package that it installs.
set(how -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_BUILD_TYPE=Release -D EIGENGRAD_BUILD_TESTS=OFF
        -D EIGENGRAD_BUILD_EXAMPLES=OFF -D EIGENGRAD_BUILD_BENCHMARKS=OFF)
set(configure ${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/project ${how})
run_refused("Eigen 6.0.0 was found in" ${configure} -D Eigen3_DIR=${WORK_DIR}/eigen-6.0.0)
run(${configure} -D Eigen3_DIR=${WORK_DIR}/eigen-5.0.1)
run(${CMAKE_COMMAND} --install ${WORK_DIR}/project --prefix ${WORK_DIR}/installed)

file(WRITE ${WORK_DIR}/user/CMakeLists.txt "cmake_minimum_required(VERSION 3.21)\nproject(user LANGUAGES CXX)\n"
     "find_package(eigengrad REQUIRED)\n")
set(configure ${CMAKE_COMMAND} -S ${WORK_DIR}/user -B ${WORK_DIR}/user-build ${how}
              -D CMAKE_PREFIX_PATH=${WORK_DIR}/installed)
run_refused("Eigen 6.0.0 was found in" ${configure} -D Eigen3_DIR=${WORK_DIR}/eigen-6.0.0)
run(${configure} -D Eigen3_DIR=${WORK_DIR}/eigen-5.0.1)
