// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

// What the fuzz targets of readers share.

namespace fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// A file of this process alone, removed at its end.
inline const std::filesystem::path& scratch_file() {
  static const struct File {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("eigengrad_fuzz_" + std::to_string(::getpid()));
    ~File() {
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
    }
  } file;
  return file.path;
}

/// The scratch file, with these bytes in it.
inline const std::filesystem::path& file_of(const std::uint8_t* data, std::size_t size) {
  std::ofstream(scratch_file(), std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  return scratch_file();
}

/// True if an error names the scratch file.
inline bool names_the_file(const std::exception& error) {
  return std::string(error.what()).find(scratch_file().filename().string()) != std::string::npos;
}

}  // namespace fuzz
