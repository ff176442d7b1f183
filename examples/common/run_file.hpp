// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <eigengrad/core/shape.hpp>

// What a run of a trainer is, so that another program can build its network again: run.json.

namespace trainer {

/// The flags of a command line by name, with their defaults: {"--width", "64"}.
using Flags = std::map<std::string, std::string>;

struct RunFile {
  std::string program;  ///< "cifar10_cnn"
  Flags flags;
  eigengrad::Shape image_shape;  ///< (H, W, C)
  std::vector<std::string> class_names;
};

/// Errors   eigengrad::IoError naming the file and the reason
void save_run_file(const std::filesystem::path& path, const RunFile& run);
/// Errors   eigengrad::IoError naming the file and what is wrong with it
RunFile load_run_file(const std::filesystem::path& path);

}  // namespace trainer
