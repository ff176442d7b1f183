# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# eigengrad_add_io(): the target eigengrad::io, for eigengrad/io.hpp, if nlohmann-json is there. It is made
# anew in the project of whoever finds the package.
macro(eigengrad_add_io)
  find_package(nlohmann_json QUIET)
  if(nlohmann_json_FOUND AND NOT TARGET eigengrad::io)
    add_library(eigengrad_io INTERFACE)
    add_library(eigengrad::io ALIAS eigengrad_io)
    target_link_libraries(eigengrad_io INTERFACE eigengrad::eigengrad nlohmann_json::nlohmann_json)
  endif()
endmacro()
