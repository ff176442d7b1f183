# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
include_guard(GLOBAL)

# The networks that examples and benchmarks share.
add_library(networks STATIC ${CMAKE_CURRENT_LIST_DIR}/networks.cpp)
target_include_directories(networks PUBLIC ${CMAKE_CURRENT_LIST_DIR}/..)
target_link_libraries(networks PUBLIC eigengrad_build_options)
