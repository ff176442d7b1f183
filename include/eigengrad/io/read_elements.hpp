// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <optional>

#include <eigengrad/core/file.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/io/element_type.hpp>

// How the numbers of a file become those of a tensor: the one loop of all readers.

namespace eigengrad::EIGENGRAD_ISA::io::detail {

/// Reads as many numbers of that type as the tensor has elements. Returns the position of the first that T cannot hold,
/// or nothing.
/// Errors   IoError as InputFile::read
template <Element T>
std::optional<Index> read_elements(InputFile& file, ElementType from, std::endian order, Tensor<T>& to) {
  const std::size_t size = info(from).size;
  T* out = to.mutable_data();
  // A bool that is neither 0 nor 1 must not become one.
  if (from == element_type_of<T>() && from != ElementType::boolean && order == std::endian::native) {
    file.read(reinterpret_cast<char*>(out), static_cast<std::size_t>(to.numel()) * size);
    return std::nullopt;
  }
  std::array<char, 1 << 16> buffer;
  for (Index done = 0; done < to.numel();) {
    const Index count = std::min(to.numel() - done, static_cast<Index>(buffer.size() / size));
    const std::size_t bytes = static_cast<std::size_t>(count) * size;
    file.read(buffer.data(), bytes);
    if (order != std::endian::native) {
      for (std::size_t i = 0; i < bytes; i += size) std::reverse(buffer.data() + i, buffer.data() + i + size);
    }
    if (const auto at = convert(from, buffer.data(), count, out + done)) return done + *at;
    done += count;
  }
  return std::nullopt;
}

}  // namespace eigengrad::EIGENGRAD_ISA::io::detail
