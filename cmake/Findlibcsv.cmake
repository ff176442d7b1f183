# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# find_package(libcsv): libcsv_FOUND, libcsv_INCLUDE_DIR and libcsv_LIBRARY. libcsv itself brings nothing for CMake or
# pkg-config, and other parsers have a csv.h as well.
find_path(libcsv_INCLUDE_DIR csv.h)
find_library(libcsv_LIBRARY csv)
if(libcsv_INCLUDE_DIR)
  file(STRINGS ${libcsv_INCLUDE_DIR}/csv.h libcsv_strict REGEX "#define CSV_STRICT_FINI")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libcsv REQUIRED_VARS libcsv_LIBRARY libcsv_INCLUDE_DIR libcsv_strict)
mark_as_advanced(libcsv_INCLUDE_DIR libcsv_LIBRARY)
