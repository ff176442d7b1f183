// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <zlib.h>

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/file.hpp>
#include <eigengrad/core/tensor.hpp>

// Arrays of bytes in idx files, the format of MNIST, as they are or compressed by gzip. It needs zlib: link
// eigengrad::mnist.
//   Tensor<std::uint8_t> images = data::read_idx("train-images-idx3-ubyte.gz");
// Source   LeCun, Cortes & Burges, The MNIST database, its last section

namespace eigengrad::EIGENGRAD_ISA::data {

namespace detail {

/// The bytes of a file or, if it is a gzip file, those that it was made from; each file has one such part and nothing
/// behind it. What it is shows in its first two bytes, whatever its name.
/// Errors   IoError naming the file and, in the middle of it, the byte; MemoryError if zlib has no memory
class UnzippedFile {
 public:
  explicit UnzippedFile(std::filesystem::path path)
      : path_(std::move(path)), file_(path_), unread_(file_.size()), buffer_(kBuffer) {
    refill();
    gzipped_ = held_.size() >= 2 && held_[0] == 0x1F && held_[1] == 0x8B;
    if (!gzipped_) return;
    constexpr int kGzipAlone = 16;
    if (::inflateInit2(&stream_, MAX_WBITS + kGzipAlone) != Z_OK) throw MemoryError("zlib: no memory to inflate with");
  }
  UnzippedFile(const UnzippedFile&) = delete;
  UnzippedFile& operator=(const UnzippedFile&) = delete;
  ~UnzippedFile() {
    if (gzipped_) ::inflateEnd(&stream_);
  }

  /// More bytes than this cannot be in it: deflate makes at most 1032 of one.
  std::uintmax_t most_bytes() const { return gzipped_ ? 1032 * file_.size() : file_.size(); }
  bool gzipped() const { return gzipped_; }

  /// The next bytes, at most that many; fewer only at the end.
  std::size_t read_some(std::span<std::uint8_t> to) {
    const std::size_t count = gzipped_ ? inflate(to) : copy(to);
    position_ += static_cast<std::int64_t>(count);
    return count;
  }

  void read(std::span<std::uint8_t> to) {
    if (read_some(to) != to.size()) fail(position_, "ends too early");
  }

  /// There is nothing more, which for a gzip file also means that its checksum is right.
  void expect_end() {
    std::array<std::uint8_t, 1> more{};
    if (read_some(more) != 0) fail(position_ - 1, "bytes follow, expected the end");
    if (gzipped_ && !held_.empty()) fail_here("bytes follow the gzip part, expected the end");
  }

  /// At a byte of what the file holds or was made from.
  [[noreturn]] void fail(std::int64_t at, std::string_view problem) const {
    if (!gzipped_) throw IoError(path_.string(), at, problem);
    throw IoError(path_.string(), joined("at byte ", at, " of what it inflates to: ", problem));
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 16;

  /// At the byte of the file that comes next.
  [[noreturn]] void fail_here(std::string_view problem) const {
    throw IoError(path_.string(), static_cast<std::int64_t>(file_.size() - unread_ - held_.size()), problem);
  }

  /// Holds bytes again, unless the file has ended.
  void refill() {
    if (!held_.empty() || unread_ == 0) return;
    const auto count = static_cast<std::size_t>(std::min<std::uintmax_t>(unread_, buffer_.size()));
    file_.read(reinterpret_cast<char*>(buffer_.data()), count);
    unread_ -= count;
    held_ = std::span(buffer_).first(count);
  }

  std::size_t copy(std::span<std::uint8_t> to) {
    std::size_t done = 0;
    while (done < to.size()) {
      refill();
      if (held_.empty()) break;
      const std::size_t count = std::min(held_.size(), to.size() - done);
      std::copy_n(held_.begin(), count, to.begin() + static_cast<std::ptrdiff_t>(done));
      held_ = held_.subspan(count);
      done += count;
    }
    return done;
  }

  std::size_t inflate(std::span<std::uint8_t> to) {
    std::size_t done = 0;
    while (done < to.size() && !ended_) {
      refill();
      constexpr std::size_t kAtOnce = std::size_t{1} << 30;  // zlib counts in unsigned int
      const std::size_t room = std::min(to.size() - done, kAtOnce);
      stream_.next_in = held_.data();
      stream_.avail_in = static_cast<uInt>(held_.size());
      stream_.next_out = to.data() + done;
      stream_.avail_out = static_cast<uInt>(room);
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      held_ = held_.last(stream_.avail_in);
      done += room - stream_.avail_out;
      if (result == Z_MEM_ERROR) throw MemoryError("zlib: no memory to inflate with");
      if (result == Z_BUF_ERROR && held_.empty() && unread_ == 0) fail_here("ends within its gzip part");
      if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
        fail_here(joined("damaged gzip part: ", stream_.msg == nullptr ? "no reason known" : stream_.msg));
      ended_ = result == Z_STREAM_END;
    }
    return done;
  }

  std::filesystem::path path_;
  InputFile file_;
  std::uintmax_t unread_;
  std::vector<std::uint8_t> buffer_;
  std::span<std::uint8_t> held_;  // of buffer_, what nobody has taken yet
  bool gzipped_ = false;
  bool ended_ = false;  // the gzip part
  ::z_stream stream_{};
  std::int64_t position_ = 0;  // of the bytes that were read
};

/// Reads the header of an idx file of bytes; the next byte is the first element.
inline Shape read_idx_header(UnzippedFile& file) {
  std::array<std::uint8_t, 4> magic{};
  if (file.read_some(magic) != magic.size() || magic[0] != 0 || magic[1] != 0) file.fail(0, "is no idx file");
  constexpr int kBytes = 8;
  if (magic[2] != kBytes)
    file.fail(2, joined("numbers of type ", int{magic[2]}, ", expected ", kBytes, ": bytes without a sign"));
  const int rank = magic[3];
  if (rank < 1 || rank > Shape::kMaxRank) file.fail(3, joined(rank, " axes, expected 1 to ", Shape::kMaxRank));
  std::vector<Index> sizes;
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, 4> size{};
    file.read(size);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : size) value = value << 8 | byte;
    if (value > static_cast<std::uint64_t>(kLargestIndex)) file.fail(4 * (axis + 1), "a size that no Index holds");
    sizes.push_back(static_cast<Index>(value));
  }
  try {
    return Shape(sizes);
  } catch (const ShapeError& error) {
    file.fail(4, error.what());
  }
}

/// The elements that follow a header, and nothing behind them. Memory is taken, and inflated to, only for as many as
/// the header says and the file can hold.
inline Tensor<std::uint8_t> read_idx_elements(UnzippedFile& file, const Shape& shape) {
  const std::int64_t begin = 4 * (std::int64_t{1} + shape.rank());
  const auto needed = static_cast<std::uintmax_t>(begin) + static_cast<std::uintmax_t>(shape.numel());
  if (needed > file.most_bytes() || (!file.gzipped() && needed != file.most_bytes())) {
    file.fail(4, joined("shape ", shape, " needs ", needed, " bytes, and there are ", file.gzipped() ? "at most " : "",
                        file.most_bytes()));
  }
  Tensor<std::uint8_t> elements(shape);
  file.read(elements.mutable_span());
  file.expect_end();
  return elements;
}

}  // namespace detail

/// The array of an idx file of unsigned bytes, of rank 1 to 6, plain or gzipped, whichever it is by its first bytes.
/// Errors   IoError naming the file, and the byte and what is wrong: no idx file, numbers of another type, a file that
///          is longer or shorter than its header says, damaged compression
inline Tensor<std::uint8_t> read_idx(const std::filesystem::path& path) {
  detail::UnzippedFile file(path);
  const Shape shape = detail::read_idx_header(file);
  return detail::read_idx_elements(file, shape);
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
