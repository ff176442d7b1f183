# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# eigengrad_find_images(RESULT): finds stb_image and stb_image_resize and, if they are there, makes the target
# eigengrad_stb of them, which is compiled in the project that uses it. RESULT is whether they are there.
function(eigengrad_find_images result)
  find_path(EIGENGRAD_STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb DOC "Where stb_image.h and stb_image_resize.h are")
  mark_as_advanced(EIGENGRAD_STB_INCLUDE_DIR)
  set(${result} FALSE PARENT_SCOPE)
  if(NOT EXISTS "${EIGENGRAD_STB_INCLUDE_DIR}/stb_image_resize.h" AND
     NOT EXISTS "${EIGENGRAD_STB_INCLUDE_DIR}/stb_image_resize2.h")
    return()
  endif()
  set(${result} TRUE PARENT_SCOPE)
  if(NOT TARGET eigengrad_stb)
    add_library(eigengrad_stb STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/eigengradImages.cpp)
    target_include_directories(eigengrad_stb SYSTEM PRIVATE ${EIGENGRAD_STB_INCLUDE_DIR})
    target_link_libraries(eigengrad_stb PRIVATE eigengrad::eigengrad)
    # It may become part of a library, which keeps it to itself.
    set_target_properties(eigengrad_stb PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                                                   UNITY_BUILD OFF)
  endif()
endfunction()
