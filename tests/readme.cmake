# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# Writes the C++ programs of the README, in their order, to readme_1.cpp, readme_2.cpp, ... for tests to compile.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
file(READ ${PROJECT_SOURCE_DIR}/README.md rest)
set(number 0)
while(TRUE)
  string(FIND "${rest}" "```cpp\n" begin)
  if(begin EQUAL -1)
    break()
  endif()
  math(EXPR begin "${begin} + 7")
  string(SUBSTRING "${rest}" ${begin} -1 rest)
  string(FIND "${rest}" "```" end)
  string(SUBSTRING "${rest}" 0 ${end} program)
  math(EXPR number "${number} + 1")
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/readme_${number}.cpp CONTENT "${program}" @ONLY)
endwhile()
if(NOT number EQUAL 5)
  message(FATAL_ERROR "README.md has ${number} C++ programs, expected 5")
endif()
