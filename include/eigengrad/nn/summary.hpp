// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/nn/any_layer.hpp>

// The table of a network's layers: Sequential::summary.

namespace eigengrad::EIGENGRAD_ISA::nn::detail {

/// "9,231,114"
inline std::string with_separators(Index number) {
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

/// Rows of a name, a shape and two numbers, in straight columns. A name goes on below where the row would have more
/// than 80 characters.
class SummaryTable {
 public:
  SummaryTable() : rows_{{"layer", "output shape", "parameters", "multiply-adds"}} {}

  void add(std::string name, const Shape& shape, Index parameters, Index multiply_adds) {
    rows_.push_back({std::move(name), to_string(shape), with_separators(parameters), with_separators(multiply_adds)});
  }

  EIGENGRAD_COLD std::string text() const {
    std::array<std::size_t, 4> widths{};
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    const std::size_t others = widths[1] + widths[2] + widths[3] + 3 * kGap.size();
    widths[0] = std::min(widths[0], kLineWidth - std::min(others, kLineWidth - kLeastName));
    std::string result;
    for (const auto& [name, shape, parameters, multiply_adds] : rows_) {
      const std::size_t cut = end_of_line(name, widths[0]);
      result += joined(left_aligned(name.substr(0, cut), widths[0]), kGap, left_aligned(shape, widths[1]), kGap,
                       right_aligned(parameters, widths[2]), kGap, right_aligned(multiply_adds, widths[3]), "\n");
      if (cut < name.size())
        result += joined(std::string(name.find_first_not_of(' ') + 4, ' '), name.substr(cut + 1), "\n");
    }
    return result;
  }

 private:
  static constexpr std::string_view kGap = "  ";
  static constexpr std::size_t kLineWidth = 80;
  static constexpr std::size_t kLeastName = 20;

  /// Where a name is broken: at the last space within the width.
  static std::size_t end_of_line(const std::string& name, std::size_t width) {
    if (name.size() <= width) return name.size();
    const std::size_t last = name.rfind(' ', width);
    return last != std::string::npos && last > name.find_first_not_of(' ') ? last : name.size();
  }

  std::vector<std::array<std::string, 4>> rows_;
};

struct ParameterCount {
  Index all = 0;
  Index frozen = 0;
};
template <class L>
ParameterCount count_parameters(L& layer) {
  ParameterCount count;
  for_each_parameter(layer, [&](const Parameter<scalar_of<L>>& p) {
    count.all += p.value.numel();
    if (!p.requires_grad) count.frozen += p.value.numel();
  });
  return count;
}

/// Adds a row for each layer inside of another or of a network and, below it, those of the layers inside of that one.
template <class Outer>
EIGENGRAD_COLD void add_layers(SummaryTable& table, const std::string& prefix, const std::string& indent, Outer& outer,
                               const Shape& outer_x) {
  using T = scalar_of<Outer>;
  outer.visit_layers(outer_x, [&](std::string_view inner, AnyLayer<T>& layer, const std::optional<Shape>& input) {
    const Shape& x = input.value();
    const ParameterCount count = count_parameters(layer);
    std::string text = joined(indent, prefix, inner, " ", layer.description());
    if (count.frozen > 0) text += count.frozen == count.all ? " (frozen)" : " (partly frozen)";
    table.add(std::move(text), layer.output_shape(x), count.all, layer.multiply_adds(x));
    add_layers(table, joined(prefix, inner, "."), indent + "  ", layer, x);
  });
}

/// The table of a network for an input of a shape. The last rows are the sums.
template <class Net>
EIGENGRAD_COLD std::string summary(Net& net, const Shape& x) {
  SummaryTable table;
  add_layers(table, "", "", net, x);
  const ParameterCount count = count_parameters(net);
  const Shape y = net.output_shape(x);
  table.add("total", y, count.all, net.multiply_adds(x));
  if (count.frozen > 0) table.add("of these frozen", y, count.frozen, 0);
  return table.text();
}

}  // namespace eigengrad::EIGENGRAD_ISA::nn::detail
