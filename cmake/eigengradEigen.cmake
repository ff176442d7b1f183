# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# eigengrad_find_eigen(PROBLEM): Eigen3::Eigen, of a version from 3.4.0 to 5.x; PROBLEM says why it is not there, or
# nothing. No version is asked of find_package, because Eigen 5 does not answer to 3.4 and knows no ranges.
macro(eigengrad_find_eigen problem)
  set(${problem} "")
  if(NOT TARGET Eigen3::Eigen)
    find_package(Eigen3 QUIET NO_MODULE)
    if(NOT Eigen3_FOUND)
      set(${problem} "Eigen 3.4.0 to 5.x was not found; CMAKE_PREFIX_PATH or Eigen3_DIR says where it is")
    elseif(Eigen3_VERSION AND (Eigen3_VERSION VERSION_LESS 3.4 OR Eigen3_VERSION VERSION_GREATER_EQUAL 6))
      set(${problem} "Eigen ${Eigen3_VERSION} was found in ${Eigen3_DIR}, expected 3.4.0 to 5.x; CMAKE_PREFIX_PATH or \
Eigen3_DIR says where another one is")
    endif()
  endif()
endmacro()
