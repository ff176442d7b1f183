// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
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

/// Rows of a name, a shape and two numbers, in straight columns. A name goes on below where the row would have more than
/// 80 characters.
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
      result += joined(left(name.substr(0, cut), widths[0]), kGap, left(shape, widths[1]), kGap,
                       right(parameters, widths[2]), kGap, right(multiply_adds, widths[3]), "\n");
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
  static std::string left(const std::string& text, std::size_t width) { return text + spaces(text, width); }
  static std::string right(const std::string& text, std::size_t width) { return spaces(text, width) + text; }
  static std::string spaces(const std::string& text, std::size_t width) {
    return std::string(width - std::min(width, text.size()), ' ');
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

/// Adds the row of a layer and, below it, those of the layers inside of it.
template <class T>
EIGENGRAD_COLD void add_to_summary(SummaryTable& table, const std::string& name, const std::string& indent,
                                   AnyLayer<T>& layer, const Shape& x) {
  const ParameterCount count = count_parameters(layer);
  std::string text = joined(indent, name, " ", layer.description());
  if (count.frozen > 0) text += count.frozen == count.all ? " (frozen)" : " (partly frozen)";
  table.add(std::move(text), layer.output_shape(x), count.all, layer.multiply_adds(x));
  layer.visit_layers(x, [&](std::string_view inner, AnyLayer<T>& inside, const std::optional<Shape>& input) {
    add_to_summary(table, joined(name, ".", inner), indent + "  ", inside, input.value());
  });
}

/// The table of a network for an input of a shape. The last rows are the sums.
template <class Net>
EIGENGRAD_COLD std::string summary(Net& net, const Shape& x) {
  using T = scalar_of<Net>;
  SummaryTable table;
  net.visit_layers(x, [&](std::string_view name, AnyLayer<T>& layer, const std::optional<Shape>& input) {
    add_to_summary(table, std::string(name), "", layer, input.value());
  });
  const ParameterCount count = count_parameters(net);
  const Shape y = net.output_shape(x);
  table.add("total", y, count.all, net.multiply_adds(x));
  if (count.frozen > 0) table.add("of these frozen", y, count.frozen, 0);
  return table.text();
}

}  // namespace eigengrad::EIGENGRAD_ISA::nn::detail
