// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// The reader of idx files on any bytes, as they are and as gzip would compress them: the array that the bytes stand
// for, the same both times, or an IoError that names the file.

#include <optional>
#include <string>

#include <eigengrad/data/idx.hpp>

#include "scratch_file.hpp"
#include "support/gzip.hpp"

namespace {

using namespace eigengrad;
using fuzz::require;

std::optional<Tensor<std::uint8_t>> read(const std::filesystem::path& path) {
  try {
    return data::read_idx(path);
  } catch (const IoError& error) {
    require(fuzz::names_the_file(error));
    return std::nullopt;
  }
}

/// Where the elements begin if the bytes are an idx file, else 0.
std::size_t elements_begin(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || data[0] != 0 || data[1] != 0 || data[2] != 8 || data[3] < 1 || data[3] > 6) return 0;
  const std::size_t begin = 4 + 4 * std::size_t{data[3]};
  if (size < begin) return 0;
  // The inputs are small: a product that is not, of sizes other than 0, is that of no file.
  std::uint64_t nonzero = 1;
  bool empty = false;
  for (std::size_t at = 4; at < begin; at += 4) {
    const std::uint64_t length = std::uint64_t{data[at]} << 24 | std::uint64_t{data[at + 1]} << 16 |
                                 std::uint64_t{data[at + 2]} << 8 | data[at + 3];
    empty = empty || length == 0;
    if (length == 0) continue;
    if (nonzero > std::uint64_t{detail::kLargestIndex} / length) return 0;
    nonzero *= length;
  }
  return (empty ? 0 : nonzero) == size - begin ? begin : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto plain = read(fuzz::file_of(data, size));
  if (size >= 2 && data[0] == 0x1F && data[1] == 0x8B) return 0;  // the fuzzer's own gzip file
  const std::size_t begin = elements_begin(data, size);
  require(plain.has_value() == (begin != 0));
  const std::string zipped = testing::gzip(std::string(data, data + size));
  const auto unzipped = read(fuzz::file_of(reinterpret_cast<const std::uint8_t*>(zipped.data()), zipped.size()));
  require(unzipped.has_value() == plain.has_value());
  if (!plain) return 0;
  require(plain->shape() == unzipped->shape());
  for (Index i = 0; i < plain->numel(); ++i) {
    require(plain->data()[i] == data[begin + static_cast<std::size_t>(i)]);
    require(plain->data()[i] == unzipped->data()[i]);
  }
  return 0;
}
