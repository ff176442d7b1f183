// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>

#include <eigengrad/core/namespaces.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// Writes the six CIFAR-10 batches in full size, all zeros, which are valid records. They are holes: they take no
/// room on the disk.
inline void write_cifar10_files(const std::filesystem::path& directory) {
  constexpr std::uintmax_t kFileSize = 10000 * 3073;
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                           "data_batch_5.bin", "test_batch.bin"}) {
    std::ofstream(directory / name).close();
    std::filesystem::resize_file(directory / name, kFileSize);
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
