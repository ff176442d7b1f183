# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# eigengrad_check_build_type(): says once that a project without a build type is compiled without optimisation, which
# makes networks a hundred times slower. Flags of the user's that optimise are seen.
function(eigengrad_check_build_type)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  get_property(said GLOBAL PROPERTY EIGENGRAD_BUILD_TYPE_SAID)
  if(CMAKE_BUILD_TYPE OR multi_config OR said OR CMAKE_CXX_FLAGS MATCHES "(^| )-O([1-9sfgz]|$| )")
    return()
  endif()
  set_property(GLOBAL PROPERTY EIGENGRAD_BUILD_TYPE_SAID TRUE)
  message(WARNING "eigengrad: CMAKE_BUILD_TYPE is not set, so the compiler does not optimise, and networks train a "
                  "hundred times slower. Configure with -D CMAKE_BUILD_TYPE=Release, or set it in CMakeLists.txt.")
endfunction()
