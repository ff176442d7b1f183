# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# Commands in CMake's scripts that are tests.

# run(COMMAND...): must succeed; what it wrote is in `output` afterwards.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV}: status ${status}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# run_refused(REGEX COMMAND...): must fail and write what matches; line breaks count as spaces.
function(run_refused regex)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " line "${output}")
  if(status EQUAL 0 OR NOT line MATCHES "${regex}")
    message(FATAL_ERROR "${ARGN}: status ${status}, expected an error with \"${regex}\"\n${output}")
  endif()
endfunction()

# expect_output(REGEX) after a run: what it wrote matches, if TIMES is given so many times; line breaks count as spaces.
function(expect_output regex)
  string(REGEX REPLACE "[ \n]+" " " line "${output}")
  string(REGEX MATCHALL "${regex}" found "${line}")
  list(LENGTH found times)
  if(ARGC EQUAL 1 AND times EQUAL 0 OR ARGC EQUAL 2 AND NOT times EQUAL ARGV1)
    message(FATAL_ERROR "\"${regex}\" ${times} times in, expected ${ARGV1}:\n${output}")
  endif()
endfunction()
