// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of NumPy's arrays on any bytes: an array that is written and read again as it is, or an IoError that names
// the file.

#include <eigengrad/io/npy.hpp>

#include "scratch_file.hpp"

namespace {

using namespace eigengrad;

template <class T>
void read(const std::filesystem::path& path) {
  Tensor<T> x;
  try {
    x = io::load_npy<T>(path, {.convert = true});
  } catch (const IoError& error) {
    fuzz::require(fuzz::names_the_file(error));
    return;
  }
  io::save_npy(path, x);
  const Tensor<T> again = io::load_npy<T>(path);
  fuzz::require(again.shape() == x.shape());
  for (Index i = 0; i < x.numel(); ++i) fuzz::require(again.data()[i] == x.data()[i] || x.data()[i] != x.data()[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read<float>(fuzz::file_of(data, size));
  read<Index>(fuzz::file_of(data, size));
  read<bool>(fuzz::file_of(data, size));
  return 0;
}
