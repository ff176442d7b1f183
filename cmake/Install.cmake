# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT

# `cmake --install` and what find_package(eigengrad) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS eigengrad EXPORT eigengradTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/eigengrad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT eigengradTargets NAMESPACE eigengrad:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/eigengrad)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/eigengradConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/eigengradConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/eigengrad)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/eigengradConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/eigengradConfig.cmake ${PROJECT_BINARY_DIR}/eigengradConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/eigengradBuildType.cmake ${CMAKE_CURRENT_LIST_DIR}/eigengradEigen.cmake
              ${CMAKE_CURRENT_LIST_DIR}/eigengradImages.cmake ${CMAKE_CURRENT_LIST_DIR}/eigengradImages.cpp
              ${CMAKE_CURRENT_LIST_DIR}/eigengradNative.cmake ${CMAKE_CURRENT_LIST_DIR}/Findlibcsv.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/eigengrad)
