# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# eigengrad_part(FOLDER PACKAGE...): adds a folder of this project, unless EIGENGRAD_BUILD_FOLDER is OFF. AUTO leaves it
# out if one of the packages is missing, and says so; with ON that is an error.
function(eigengrad_part folder)
  string(TOUPPER EIGENGRAD_BUILD_${folder} option)
  set(${option} AUTO CACHE STRING "Build the ${folder}: ON, OFF, or AUTO, which is ON if all that they need is there")
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
  if(NOT ${option})
    return()
  endif()
  set(missing "")
  foreach(package IN LISTS ARGN)
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
      list(APPEND missing ${package})
    endif()
  endforeach()
  list(JOIN missing ", " missing)
  if(NOT missing)
    add_subdirectory(${folder})
  elseif(${option} STREQUAL "AUTO")
    message(NOTICE "-- The ${folder} are not built: not found: ${missing}")
  else()
    message(FATAL_ERROR "${option} is ${${option}}, but the ${folder} need ${missing}, which was not found")
  endif()
endfunction()
