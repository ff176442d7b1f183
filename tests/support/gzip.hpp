// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>
#include <zlib.h>

#include <eigengrad/core/namespaces.hpp>

namespace eigengrad::EIGENGRAD_ISA::testing {

/// The bytes as gzip compresses them.
inline std::string gzip(const std::string& bytes) {
  ::z_stream stream{};
  constexpr int kGzipAlone = 16;
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzipAlone, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("gzip: no memory");
  std::string result(::deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int end = ::deflate(&stream, Z_FINISH);
  result.resize(result.size() - stream.avail_out);
  ::deflateEnd(&stream);
  if (end != Z_STREAM_END) throw std::runtime_error("gzip: did not reach the end");
  return result;
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
