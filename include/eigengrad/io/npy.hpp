// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <eigengrad/core/file.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/io/element_type.hpp>
#include <eigengrad/io/read_elements.hpp>
#include <eigengrad/ops/permute.hpp>

// Arrays of NumPy in files.
//   auto x = io::load_npy<float>("x.npy");          // numpy.save("x.npy", x)
//   io::save_npy("y.npy", y);                       // numpy.load("y.npy")

namespace eigengrad::EIGENGRAD_ISA::io {

namespace detail {

/// What a file says of its array.
struct NpyHeader {
  ElementType type{};
  std::endian order = std::endian::little;
  bool fortran_order = false;
  Shape shape;
};

/// The literal of a Python dictionary in which NumPy describes an array, with the keys in any order.
class NpyHeaderReader {
 public:
  NpyHeaderReader(const std::filesystem::path& path, std::int64_t begin, std::string_view text)
      : path_(path), begin_(begin), text_(text) {}

  /// Errors   IoError naming the file and the byte
  NpyHeader read() {
    NpyHeader header;
    bool has_type = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      bool& has = key == "descr" ? has_type : key == "fortran_order" ? has_order : has_shape;
      if (has || (key != "descr" && key != "fortran_order" && key != "shape")) fail(joined("unexpected key ", key));
      has = true;
      if (key == "descr")
        read_type(header);
      else if (key == "fortran_order")
        header.fortran_order = word() == "True";
      else
        header.shape = shape();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (position_ != text_.size()) fail("text behind the description");
    if (!has_type || !has_order || !has_shape) fail("descr, fortran_order or shape is missing");
    return header;
  }

 private:
  [[noreturn]] void fail(std::string_view problem) const {
    throw IoError(path_.string(), begin_ + static_cast<std::int64_t>(position_), joined("npy header: ", problem));
  }
  void skip_spaces() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
  }
  bool accept(char c) {
    skip_spaces();
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(joined("expected ", std::string_view(&c, 1)));
  }
  std::string_view quoted() {
    skip_spaces();
    const char quote = position_ < text_.size() ? text_[position_] : '\0';
    if (quote != '\'' && quote != '"') fail("expected a text in quotes");
    const std::size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) fail("a text without its end");
    const std::string_view result = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return result;
  }
  std::string_view word() {
    skip_spaces();
    for (const std::string_view known : {"True", "False"}) {
      if (text_.substr(position_, known.size()) != known) continue;
      position_ += known.size();
      return known;
    }
    fail("expected True or False");
  }

  void read_type(NpyHeader& header) {
    skip_spaces();
    if (position_ < text_.size() && text_[position_] == '[') fail("an array of records, expected one of numbers");
    const std::string_view descr = quoted();
    const char order = descr.empty() ? '\0' : descr.front();
    if (order == '<' || order == '>' || order == '|' || order == '=') {
      for (const ElementTypeInfo& type : kElementTypes) {
        if (type.npy.empty() || type.npy != descr.substr(1) || (order == '|' && type.size > 1)) continue;
        header.type = type.type;
        header.order = order == '>' ? std::endian::big : std::endian::little;
        return;
      }
    }
    fail(joined("the number type ", descr, " is not known"));
  }

  Shape shape() {
    std::vector<Index> sizes;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      std::uint64_t size = 0;
      const char* const from = text_.data() + position_;
      const auto [end, problem] = std::from_chars(from, text_.data() + text_.size(), size);
      if (problem != std::errc() || size > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()))
        fail("expected a size");
      position_ += static_cast<std::size_t>(end - from);
      accept('L');  // as Python 2 wrote them
      sizes.push_back(static_cast<Index>(size));
      if (sizes.size() > Shape::kMaxRank) fail(joined("more than ", Shape::kMaxRank, " axes"));
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    try {
      return Shape(sizes);
    } catch (const ShapeError& error) {
      fail(error.what());
    }
  }

  const std::filesystem::path& path_;
  std::int64_t begin_;
  std::string_view text_;
  std::size_t position_ = 0;
};

inline constexpr std::array<char, 6> kNpyMagic = {'\x93', 'N', 'U', 'M', 'P', 'Y'};
inline constexpr std::uint64_t kLargestNpyHeader = 1 << 20;

/// Reads the header; then the file stands at the first number.
/// Errors   IoError naming the file and the byte
inline NpyHeader read_npy_header(const std::filesystem::path& path, InputFile& file) {
  std::array<char, 12> start{};
  const std::uint64_t size = file.size();
  if (size < 10) throw IoError(path.string(), 0, joined("is no npy file: has ", size, " bytes"));
  file.read(start.data(), 8);
  if (!std::equal(kNpyMagic.begin(), kNpyMagic.end(), start.begin())) throw IoError(path.string(), 0, "is no npy file");
  const int version = start[6];
  if (version < 1 || version > 3 || start[7] != 0) {
    throw IoError(path.string(), 6,
                  joined("npy version ", version, ".", static_cast<int>(start[7]), ", expected 1.0, 2.0 or 3.0"));
  }
  const std::size_t width = version == 1 ? 2 : 4;
  if (size < 8 + width) throw IoError(path.string(), 8, "ends in the header's length");
  file.read(start.data() + 8, width);
  const std::uint64_t length =
      version == 1 ? load_as<std::uint16_t>(start.data() + 8) : load_as<std::uint32_t>(start.data() + 8);
  const std::uint64_t begin = 8 + width;
  if (length > size - begin || length > kLargestNpyHeader) {
    throw IoError(
        path.string(), 8,
        joined("a header of ", length, " bytes, expected at most ", std::min(size - begin, kLargestNpyHeader)));
  }
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read(text.data(), text.size());
  const NpyHeader header = NpyHeaderReader(path, static_cast<std::int64_t>(begin), text).read();
  const std::uint64_t data = size - begin - length;
  const std::uint64_t element = info(header.type).size;
  if (data % element != 0 || data / element != static_cast<std::uint64_t>(header.shape.numel())) {
    throw IoError(path.string(), static_cast<std::int64_t>(begin + length),
                  joined(data, " bytes of numbers, which shape ", to_string(header.shape), " of ",
                         info(header.type).npy, " does not have"));
  }
  return header;
}

/// Elements in Fortran's order, the first axis fastest, as those of a tensor: they are its transpose in C's.
template <class T>
Tensor<T> from_fortran_order(const Tensor<T>& x) {
  std::vector<Index> sizes(x.shape().begin(), x.shape().end());
  std::reverse(sizes.begin(), sizes.end());
  std::vector<int> axes(sizes.size());
  std::iota(axes.rbegin(), axes.rend(), 0);
  return ops::permute(x.reshape(Shape(sizes)), ops::AxisOrder(std::span<const int>(axes)));
}

}  // namespace detail

/// An array that numpy.save has written: numbers of any size and byte order, in C's or Fortran's order, rank 0 to 6.
/// Errors   IoError naming the file, and the byte and what is wrong; for numbers that are not of type T, unless
///          {.convert = true}, and then for one that does not fit into T
template <Element T>
Tensor<T> load_npy(const std::filesystem::path& path, const ConvertOptions& options = {}) {
  detail::InputFile file(path);
  const detail::NpyHeader header = detail::read_npy_header(path, file);
  const ElementType expected = detail::element_type_of<T>();
  if (header.type != expected && !(options.convert && detail::converts<T>(header.type))) {
    throw IoError(path.string(), joined("holds numbers of type ", detail::info(header.type).npy, ", expected ",
                                        detail::info(expected).npy,
                                        detail::converts<T>(header.type) ? "; {.convert = true} converts them" : ""));
  }
  Tensor<T> result(header.shape);
  if (const auto at = detail::read_elements(file, header.type, header.order, result)) {
    throw IoError(path.string(),
                  joined("element ", *at, " in the file's order does not fit into ", detail::info(expected).npy));
  }
  return header.fortran_order ? detail::from_fortran_order(result) : result;
}

/// Writes a tensor as numpy.save does: version 1.0, little-endian, C's order. The file is whole or not there.
/// Errors   IoError naming the file and the reason, and one of that name is then as it was
template <Element T>
void save_npy(const std::filesystem::path& path, const Tensor<T>& x) {
  const detail::ElementTypeInfo& type = detail::info(detail::element_type_of<T>());
  std::string text =
      joined("{'descr': '", type.size == 1 ? "|" : "<", type.npy, "', 'fortran_order': False, 'shape': (");
  for (const Index size : x.shape()) text += joined(size, ", ");
  if (x.rank() > 1) text.resize(text.size() - 2);
  if (x.rank() == 1) text.resize(text.size() - 1);
  text += "), }";
  constexpr std::size_t kStart = 10;
  constexpr std::size_t kAlignment = 64;
  text.resize((kStart + text.size() + kAlignment) / kAlignment * kAlignment - kStart, ' ');
  text.back() = '\n';
  detail::replace_file(path, [&](auto& file) {
    file.append({detail::kNpyMagic.data(), detail::kNpyMagic.size()});
    const std::array<char, 4> rest = {1, 0, static_cast<char>(text.size() & 255), static_cast<char>(text.size() >> 8)};
    file.append({rest.data(), rest.size()});
    file.append(text);
    file.append({reinterpret_cast<const char*>(x.data()), static_cast<std::size_t>(x.numel()) * sizeof(T)});
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::io
