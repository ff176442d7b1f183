# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.21)

# cmake -D NM=nm -D FIRST=a.o -D SECOND=b.o -P tests/instruction_sets/names.cmake
# Of two objects that are compiled for different processors the linker keeps one of each function that both have. None
# of the library's may be among them but the constructors and destructors of its errors.
foreach(object IN ITEMS FIRST SECOND)
  execute_process(COMMAND ${NM} -C --defined-only ${${object}} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE ";" "," symbols "${symbols}")
  string(REPLACE "[" "(" symbols "${symbols}")
  string(REPLACE "]" ")" symbols "${symbols}")
  string(REPLACE "\n" ";" symbols "${symbols}")
  set(${object}_names "")
  foreach(symbol IN LISTS symbols)
    if(symbol MATCHES "^[0-9a-f]+ [WVu] (.*)$")
      list(APPEND ${object}_names "${CMAKE_MATCH_1}")
    endif()
  endforeach()
endforeach()

set(shared "")
foreach(name IN LISTS FIRST_names)
  if(name MATCHES "eigengrad::|Eigen::"
     AND NOT name MATCHES "^((typeinfo|typeinfo name|vtable) for )?eigengrad::[A-Za-z]*Error")
    list(FIND SECOND_names "${name}" at)
    if(NOT at EQUAL -1)
      list(APPEND shared "${name}")
    endif()
  endif()
endforeach()
list(LENGTH FIRST_names count)
if(count LESS 100)
  message(FATAL_ERROR "only ${count} names found in ${FIRST}")
endif()
if(shared)
  list(LENGTH shared number)
  list(JOIN shared "\n  " text)
  message(FATAL_ERROR "${number} functions are shared:\n  ${text}")
endif()
