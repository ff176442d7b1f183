// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of checkpoints on any bytes: a checkpoint that is written and read again as it is, or an IoError that
// names the file. The first byte chooses whether the others are a file, or the JSON in the metadata of one.

#include <eigengrad/io/checkpoint.hpp>

#include "scratch_file.hpp"

namespace {

using namespace eigengrad;

/// False for a text that is not UTF-8.
bool write_metadata(const std::string& json) {
  try {
    io::save_state<float>(fuzz::scratch_file(), {}, {{"checkpoint", json}});
    return true;
  } catch (const ValueError&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool is_file = data[0] % 2 == 1;
  if (is_file)
    fuzz::file_of(data + 1, size - 1);
  else if (!write_metadata({reinterpret_cast<const char*>(data + 1), size - 1}))
    return 0;
  train::Checkpoint<float> checkpoint;
  try {
    checkpoint = io::load_checkpoint(fuzz::scratch_file());
  } catch (const IoError& error) {
    fuzz::require(fuzz::names_the_file(error));
    return 0;
  }
  io::save_checkpoint(fuzz::scratch_file(), checkpoint);
  const train::Checkpoint<float> again = io::load_checkpoint(fuzz::scratch_file());
  fuzz::require(again.loader == checkpoint.loader && again.random_streams == checkpoint.random_streams);
  fuzz::require(again.optimizer.steps == checkpoint.optimizer.steps);
  fuzz::require(again.optimizer.tensors.size() == checkpoint.optimizer.tensors.size());
  fuzz::require(again.network.size() == checkpoint.network.size());
  fuzz::require(again.course.step == checkpoint.course.step);
  fuzz::require(again.course.history.size() == checkpoint.course.history.size());
  return 0;
}
