// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <eigengrad/core/error.hpp>
#include <eigengrad/core/shape.hpp>
#include <eigengrad/core/text.hpp>
#include <eigengrad/io/element_type.hpp>

// The header of a safetensors file: which tensors there are, of which type and shape, and where they stand. Reading
// takes nothing for granted.
// Source   the format's description, version 1.0

namespace eigengrad::EIGENGRAD_ISA::io {

/// Texts by name, which a file carries beside its tensors.
using Metadata = std::map<std::string, std::string, std::less<>>;

namespace detail {

/// A tensor of a file: begin and end count from the first byte after the header.
struct FileTensor {
  std::string name;
  ElementType type;
  Shape shape;
  std::uint64_t begin;
  std::uint64_t end;
};

struct SafetensorsHeader {
  std::vector<FileTensor> tensors;  // in the order of their data
  Metadata metadata;
};

/// What is wrong with a header.
struct HeaderProblem {
  std::size_t position;  // in the header
  std::string text;
};

/// Takes the JSON of a header piece by piece, as nlohmann's sax_parse hands it over; so nothing is built that a hostile
/// file could make deep or large, and names that come twice are seen.
class HeaderReader {
 public:
  /// Errors   HeaderProblem
  SafetensorsHeader finish(std::uint64_t data_size) {
    if (!problem_.text.empty()) throw std::move(problem_);
    auto& tensors = header_.tensors;
    std::sort(tensors.begin(), tensors.end(), [](const FileTensor& a, const FileTensor& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t end = 0;
    for (const FileTensor& tensor : tensors) {
      if (tensor.begin != end) {
        throw HeaderProblem{0, joined("tensor ", tensor.name, " begins at ", tensor.begin, ", expected ", end,
                                      ": the tensors do not follow each other")};
      }
      end = tensor.end;
    }
    if (end != data_size) {
      throw HeaderProblem{0, joined("the tensors end at ", end, ", but there are ", data_size, " bytes of them")};
    }
    return std::move(header_);
  }

  // What nlohmann calls; false ends the parsing.
  bool start_object(std::size_t) {
    if (depth_ == 2) return refuse("an object", "here");
    if (depth_ == 1) begin_tensor();
    ++depth_;
    return true;
  }
  bool end_object() {
    --depth_;
    return depth_ != 1 || in_metadata_ || end_tensor();
  }
  bool key(std::string& name) {
    if (depth_ == 1) {
      if (!names_.insert(name).second) return fail(joined("the name ", name, " comes twice"));
      tensor_ = name;
      in_metadata_ = name == "__metadata__";
      return true;
    }
    if (in_metadata_) {
      if (header_.metadata.contains(name)) return fail(joined("the name ", name, " of the metadata comes twice"));
      field_ = name;
      return true;
    }
    if (name != "dtype" && name != "shape" && name != "data_offsets") return refuse(name, "in a tensor");
    if (!fields_.insert(name).second) return wrong(joined(name, " comes twice"));
    field_ = name;
    return true;
  }
  bool string(std::string& text) {
    if (depth_ != 2 || in_array_) return refuse("a text", "here");
    if (in_metadata_) {
      header_.metadata.emplace(field_, text);
      return true;
    }
    if (field_ != "dtype") return refuse("a text", joined("as ", field_));
    for (const ElementTypeInfo& type : kElementTypes) {
      if (type.safetensors == text) type_ = type.type;
    }
    return type_ ? true : wrong(joined("the number type ", text, " is not known"));
  }
  bool start_array(std::size_t) {
    if (depth_ != 2 || in_metadata_ || in_array_ || field_ == "dtype") return refuse("a list", "here");
    in_array_ = true;
    return true;
  }
  bool end_array() {
    in_array_ = false;
    return true;
  }
  bool number_unsigned(std::uint64_t value) {
    if (!in_array_) return refuse("a number", "here");
    std::vector<std::uint64_t>& list = field_ == "shape" ? sizes_ : offsets_;
    const std::size_t most = field_ == "shape" ? Shape::kMaxRank : 2;
    if (list.size() == most) return wrong(joined(field_, " has more than ", most, " numbers"));
    list.push_back(value);
    return true;
  }
  bool number_integer(std::int64_t) { return refuse("a number below 0", "here"); }
  bool number_float(double, const std::string&) { return refuse("a number that is not whole", "here"); }
  bool boolean(bool) { return refuse("true or false", "here"); }
  bool null() { return refuse("null", "here"); }
  bool binary(std::vector<std::uint8_t>&) { return refuse("binary data", "here"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
    problem_ = {position, "is not JSON"};
    return false;
  }

 private:
  bool fail(std::string text) {
    problem_ = {0, std::move(text)};
    return false;
  }
  bool wrong(std::string_view text) { return fail(joined("tensor ", tensor_, ": ", text)); }
  bool refuse(std::string_view what, std::string_view where) { return wrong(joined(what, " is not expected ", where)); }

  void begin_tensor() {
    fields_.clear();
    sizes_.clear();
    offsets_.clear();
    type_.reset();
  }
  bool end_tensor() {
    if (fields_.size() != 3) return wrong("dtype, shape or data_offsets is missing");
    if (offsets_.size() != 2 || offsets_[0] > offsets_[1]) return wrong("data_offsets are no begin and end");
    std::vector<Index> sizes;
    for (const std::uint64_t size : sizes_) {
      if (size > static_cast<std::uint64_t>(std::numeric_limits<Index>::max())) return wrong("a size is too large");
      sizes.push_back(static_cast<Index>(size));
    }
    try {
      const Shape shape(sizes);
      const std::uint64_t bytes = offsets_[1] - offsets_[0];
      const std::uint64_t size = info(*type_).size;
      if (bytes % size != 0 || bytes / size != static_cast<std::uint64_t>(shape.numel())) {
        return wrong(
            joined("shape ", to_string(shape), " of ", info(*type_).safetensors, " does not fill ", bytes, " bytes"));
      }
      header_.tensors.push_back({tensor_, *type_, shape, offsets_[0], offsets_[1]});
    } catch (const ShapeError& error) {
      return wrong(error.what());
    }
    return true;
  }

  SafetensorsHeader header_;
  HeaderProblem problem_{};
  int depth_ = 0;
  std::string tensor_;  // the last name in the outer object
  bool in_metadata_ = false;
  bool in_array_ = false;
  std::string field_;
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> fields_;
  std::vector<std::uint64_t> sizes_, offsets_;
  std::optional<ElementType> type_;
};

/// The header of that JSON, for a file with so many bytes behind it.
/// Errors   HeaderProblem
inline SafetensorsHeader parse_header(std::string_view json, std::uint64_t data_size) {
  if (json.empty() || json.front() != '{') throw HeaderProblem{0, "does not begin with {"};
  HeaderReader reader;
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  return reader.finish(data_size);
}

/// The JSON of a header, padded to a multiple of 8.
/// Errors   ValueError for a name or text that is not UTF-8
inline std::string print_header(const SafetensorsHeader& header) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) json["__metadata__"] = header.metadata;
  for (const FileTensor& tensor : header.tensors) {
    json[tensor.name] = {{"dtype", info(tensor.type).safetensors},
                         {"shape", std::vector<Index>(tensor.shape.begin(), tensor.shape.end())},
                         {"data_offsets", {tensor.begin, tensor.end}}};
  }
  try {
    std::string text = json.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const nlohmann::json::type_error& error) {
    throw ValueError(error_text("save: a name or text of the metadata is not UTF-8: ", error.what()));
  }
}

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA::io
