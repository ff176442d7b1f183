// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/core/file.hpp>
#include <eigengrad/io/read_elements.hpp>
#include <eigengrad/io/safetensors_header.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/nn/state.hpp>
#include <eigengrad/version.hpp>

// Networks and tensors in files of the safetensors format, which Python reads too.
//   io::save("model.safetensors", net);
//   io::load("model.safetensors", net);             // into a network that is built the same way
// In Python: safetensors.numpy.load_file("model.safetensors").

namespace eigengrad::EIGENGRAD_ISA::io {

struct LoadOptions {
  bool strict = true;    ///< a name missing, left over or of another shape is an error; else what fits is loaded
  bool convert = false;  ///< numbers of other types are converted; else they are an error
};

namespace detail {

inline constexpr std::uint64_t kLargestHeader = 100'000'000;  // as the format's own library has it

/// A safetensors file that is read from its first tensor to its last.
class SafetensorsReader {
 public:
  /// Errors   IoError naming the file, and the byte and what is wrong there
  explicit SafetensorsReader(const std::filesystem::path& path) : path_(path), file_(path) {
    std::array<char, 8> prefix{};
    const auto size = static_cast<std::uint64_t>(file_.size());
    if (size < prefix.size()) throw IoError(path_.string(), 0, joined("is no safetensors file: has ", size, " bytes"));
    file_.read(prefix.data(), prefix.size());
    const auto length = load_as<std::uint64_t>(prefix.data());
    const std::uint64_t rest = size - prefix.size();
    if (length > rest || length > kLargestHeader) {
      throw IoError(path_.string(), 0,
                    joined("is no safetensors file: a header of ", length, " bytes, expected at most ",
                           std::min(rest, kLargestHeader)));
    }
    std::string json(static_cast<std::size_t>(length), '\0');
    file_.read(json.data(), json.size());
    try {
      header_ = parse_header(json, rest - length);
    } catch (const HeaderProblem& problem) {
      throw IoError(path_.string(), static_cast<std::int64_t>(prefix.size() + problem.position),
                    joined("header: ", problem.text));
    }
  }

  const SafetensorsHeader& header() const { return header_; }

  /// Errors   IoError naming the tensor if its numbers are not of type T and, unless `conversion`, could not become T
  template <Element T>
  void check_type(const FileTensor& tensor, bool conversion) const {
    if (tensor.type == element_type_of<T>() || (conversion && converts<T>(tensor.type))) return;
    throw IoError(path_.string(), joined("tensor ", tensor.name, " is of type ", info(tensor.type).safetensors,
                                         ", expected ", info(element_type_of<T>()).safetensors,
                                         converts<T>(tensor.type) ? "; {.convert = true} converts it" : ""));
  }

  /// The next tensor, which is the one after that of the last call, into the memory of `to` if nobody shares it.
  template <Element T>
  void read(const FileTensor& tensor, Tensor<T>& to) {
    if (to.shape() != tensor.shape || !to.unique()) {
      to = Tensor<T>();  // first, so that never both are there
      to = Tensor<T>(tensor.shape);
    }
    if (const auto at = read_elements(file_, tensor.type, std::endian::little, to)) {
      throw IoError(path_.string(), joined("tensor ", tensor.name, ": element ", *at, " does not fit into ",
                                           info(element_type_of<T>()).safetensors));
    }
  }
  void skip(const FileTensor& tensor) {
    std::array<char, 1 << 16> buffer;
    for (std::uint64_t left = tensor.end - tensor.begin; left > 0;) {
      const std::uint64_t count = std::min<std::uint64_t>(left, buffer.size());
      file_.read(buffer.data(), static_cast<std::size_t>(count));
      left -= count;
    }
  }

 private:
  std::filesystem::path path_;
  InputFile file_;
  SafetensorsHeader header_;
};

template <class T>
struct NamedTensor {
  std::string_view name;
  const Tensor<T>* tensor;
};

template <Element T>
void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor<T>>& tensors,
                       const Metadata& metadata) {
  SafetensorsHeader header{.tensors = {}, .metadata = metadata};
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t begin = std::exchange(end, end + static_cast<std::uint64_t>(tensor->numel()) * sizeof(T));
    header.tensors.push_back({std::string(name), element_type_of<T>(), tensor->shape(), begin, end});
  }
  const std::string json = print_header(header);
  const auto length = std::bit_cast<std::array<char, 8>>(static_cast<std::uint64_t>(json.size()));
  replace_file(path, [&](auto& file) {
    file.append({length.data(), length.size()});
    file.append(json);
    for (const auto& [name, tensor] : tensors) {
      file.append(
          {reinterpret_cast<const char*>(tensor->data()), static_cast<std::size_t>(tensor->numel()) * sizeof(T)});
    }
  });
}

/// "0 Flatten", "1 Linear 3072->100": a line for each layer, those of a network within a network behind its own.
template <class L>
void list_layers(L& layer, const std::string& prefix, std::string& text) {
  layer.visit_layers(std::nullopt, [&](std::string_view name, auto& inside, const auto&) {
    text += joined(text.empty() ? "" : "\n", prefix, name, " ", inside.description());
    list_layers(inside, joined(prefix, name, "."), text);
  });
}

}  // namespace detail

/// Writes tensors by name. The file is whole or not there: the text goes to a neighbour, is flushed to the disk, and
/// takes the name.
/// Errors   IoError naming the file and the reason, and one of that name is then as it was; ValueError for names or
///          metadata that are not UTF-8
template <Element T>
void save_state(const std::filesystem::path& path, const nn::State<T>& state, const Metadata& metadata = {}) {
  std::vector<detail::NamedTensor<T>> tensors;
  for (const auto& [name, tensor] : state) tensors.push_back({name, &tensor});
  detail::write_safetensors(path, tensors, metadata);
}

/// Writes all parameters and buffers of a layer or network by name. The metadata are those given and the library's: its
/// version ("eigengrad") and the description of every layer ("layers").
/// Errors   as save_state
template <Layer L>
void save(const std::filesystem::path& path, L& net, Metadata metadata = {}) {
  metadata.insert_or_assign(
      "eigengrad", joined(EIGENGRAD_VERSION_MAJOR, ".", EIGENGRAD_VERSION_MINOR, ".", EIGENGRAD_VERSION_PATCH));
  std::string layers;
  if constexpr (requires { net.visit_layers(std::nullopt, nn::LayerVisitor<scalar_of<L>>()); })
    detail::list_layers(net, "", layers);
  else
    layers = describe(net);
  metadata.insert_or_assign("layers", layers);
  const auto in_net = nn::detail::places(net);
  std::vector<detail::NamedTensor<scalar_of<L>>> tensors;
  for (const auto& slot : in_net) tensors.push_back({slot.name, slot.tensor});
  detail::write_safetensors(path, tensors, metadata);
}

/// All tensors of a file by name.
/// Errors   IoError naming the file, and the byte or the tensor and what is wrong; for numbers that are not of type T,
///          unless {.convert = true}
template <Element T>
nn::State<T> load_state(const std::filesystem::path& path, const ConvertOptions& options = {}) {
  detail::SafetensorsReader reader(path);
  for (const auto& tensor : reader.header().tensors) reader.template check_type<T>(tensor, options.convert);
  nn::State<T> state;
  for (const auto& tensor : reader.header().tensors) reader.read(tensor, state[tensor.name]);
  return state;
}

/// The metadata of a file.
/// Errors   IoError as load
inline Metadata load_metadata(const std::filesystem::path& path) {
  return detail::SafetensorsReader(path).header().metadata;
}

/// Reads the parameters and buffers of a layer or network, which is built the same way as the one that was saved. They
/// stay where they are, with their optimiser. With strict = false what fits is loaded, and the differences are
/// returned. The numbers are read into the network's own memory, so that a large one is never there twice.
/// Errors   IoError naming the file, and the byte or the tensors and what is wrong: all names that are missing,
///          unexpected or of another shape, numbers of another type unless {.convert = true}. Nothing has then changed,
///          unless the disk fails while the numbers themselves are read.
template <Layer L>
StateDifferences load(const std::filesystem::path& path, L& net, const LoadOptions& options = {}) {
  using T = scalar_of<L>;
  detail::SafetensorsReader reader(path);
  const auto in_net = nn::detail::places(net);
  std::map<std::string, Shape, std::less<>> shapes;
  for (const auto& tensor : reader.header().tensors) shapes.emplace(tensor.name, tensor.shape);
  StateDifferences differences = nn::detail::differences(in_net, shapes);
  if (options.strict && !differences.empty())
    throw IoError(path.string(), joined("does not fit ", describe(net), ": ", to_string(differences)));
  std::map<std::string_view, Tensor<T>*> places;
  for (const auto& slot : in_net) places.emplace(slot.name, slot.tensor);
  const auto place_of = [&](const detail::FileTensor& tensor) -> Tensor<T>* {
    const auto found = places.find(tensor.name);
    return found != places.end() && found->second->shape() == tensor.shape ? found->second : nullptr;
  };
  for (const auto& tensor : reader.header().tensors) {
    if (place_of(tensor) != nullptr) reader.template check_type<T>(tensor, options.convert);
  }
  for (const auto& tensor : reader.header().tensors) {
    if (Tensor<T>* place = place_of(tensor))
      reader.read(tensor, *place);
    else
      reader.skip(tensor);
  }
  return differences;
}

}  // namespace eigengrad::EIGENGRAD_ISA::io
