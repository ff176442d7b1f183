// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include "common/run_file.hpp"
#include <nlohmann/json.hpp>

#include <eigengrad/core/file.hpp>
#include <eigengrad/version.hpp>

namespace trainer {

using nlohmann::ordered_json;

void save_run_file(const std::filesystem::path& path, const RunFile& run) {
  const auto& shape = run.image_shape;
  const ordered_json json{
      {"eigengrad",
       eigengrad::joined(EIGENGRAD_VERSION_MAJOR, ".", EIGENGRAD_VERSION_MINOR, ".", EIGENGRAD_VERSION_PATCH)},
      {"program", run.program},
      {"flags", run.flags},
      {"image_shape", {shape[0], shape[1], shape[2]}},
      {"class_names", run.class_names},
  };
  eigengrad::write_file(path, json.dump(2) + "\n");
}

RunFile load_run_file(const std::filesystem::path& path) {
  try {
    const auto json = ordered_json::parse(eigengrad::read_file(path));
    const auto sizes = json.at("image_shape").get<std::vector<eigengrad::Index>>();
    if (sizes.size() != 3) throw eigengrad::IoError(path.string(), "image_shape has not three numbers");
    return {json.at("program").get<std::string>(), json.at("flags").get<Flags>(),
            eigengrad::Shape{sizes[0], sizes[1], sizes[2]}, json.at("class_names").get<std::vector<std::string>>()};
  } catch (const ordered_json::exception& error) {
    throw eigengrad::IoError(path.string(), error.what());
  }
}

}  // namespace trainer
