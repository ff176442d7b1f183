# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
cmake_minimum_required(VERSION 3.21)

# cmake -P cmake/DownloadCifar10.cmake
# Downloads the binary version of CIFAR-10 (163 MB), checks it and unpacks it to data/cifar-10-batches-bin, where
# the examples look for it. With -D CIFAR10_PARENT=DIR before -P it goes to DIR/cifar-10-batches-bin.
# With -D CIFAR10_URL=... the archive comes from a mirror; its checksum stays the same.
set(url https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz)
if(DEFINED CIFAR10_URL)
  set(url ${CIFAR10_URL})
endif()
set(md5 c32a1d4ab5d03f1284b67883e8d87530)

if(NOT DEFINED CIFAR10_PARENT)
  get_filename_component(CIFAR10_PARENT "${CMAKE_CURRENT_LIST_DIR}/../data" ABSOLUTE)
endif()
get_filename_component(parent "${CIFAR10_PARENT}" ABSOLUTE)
set(batches ${parent}/cifar-10-batches-bin)
if(EXISTS ${batches}/test_batch.bin AND EXISTS ${batches}/data_batch_5.bin)
  message(STATUS "CIFAR-10 is there: ${batches}")
  return()
endif()

set(archive ${parent}/cifar-10-binary.tar.gz)
message(STATUS "Downloading ${url}")
file(DOWNLOAD ${url} ${archive} SHOW_PROGRESS STATUS status)
list(GET status 0 code)
list(GET status 1 problem)
if(NOT code EQUAL 0)
  file(REMOVE ${archive})
  message(FATAL_ERROR "${url} could not be downloaded: ${problem}")
endif()
file(MD5 ${archive} found)
if(NOT found STREQUAL md5)
  file(REMOVE ${archive})
  message(FATAL_ERROR "${url}: MD5 ${found}, expected ${md5}; nothing was unpacked")
endif()

# Unpacked beside its place and then moved there, so that an interrupted run leaves no half of a data set.
set(unpacked ${parent}/cifar-10-unpacking)
file(REMOVE_RECURSE ${unpacked})
file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${unpacked})
file(REMOVE_RECURSE ${batches})
file(RENAME ${unpacked}/cifar-10-batches-bin ${batches})
file(REMOVE_RECURSE ${unpacked})
file(REMOVE ${archive})
message(STATUS "CIFAR-10 is in ${batches}")
