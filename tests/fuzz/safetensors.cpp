// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of safetensors files on any bytes: tensors that are written and read again as they are, or an IoError that
// names the file. The first byte chooses whether the others are a header alone, to which the length is added, so that
// not all that is tried dies at the length.

#include <vector>

#include <eigengrad/io/safetensors.hpp>

#include "scratch_file.hpp"

namespace {

using namespace eigengrad;

template <class T>
void read(const std::filesystem::path& path) {
  nn::State<T> state;
  io::Metadata metadata;
  try {
    state = io::load_state<T>(path, {.convert = true});
    metadata = io::load_metadata(path);
  } catch (const IoError& error) {
    fuzz::require(fuzz::names_the_file(error));
    return;
  }
  io::save_state(path, state, metadata);
  const nn::State<T> again = io::load_state<T>(path);
  fuzz::require(again.size() == state.size() && io::load_metadata(path) == metadata);
  for (const auto& [name, tensor] : state) fuzz::require(again.at(name).shape() == tensor.shape());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<std::uint8_t> bytes(data + 1, data + size);
  if (data[0] % 2 == 0) {
    const std::size_t numbers = std::min<std::size_t>(data[0] / 2, bytes.size());
    const std::size_t header = bytes.size() - numbers;
    std::vector<std::uint8_t> length(8);
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::uint8_t>(header >> (8 * i));
    bytes.insert(bytes.begin(), length.begin(), length.end());
  }
  read<float>(fuzz::file_of(bytes.data(), bytes.size()));
  read<bool>(fuzz::file_of(bytes.data(), bytes.size()));
  return 0;
}
