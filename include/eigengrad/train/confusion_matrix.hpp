// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <eigengrad/train/curves.hpp>
#include <eigengrad/train/metrics.hpp>

// What is taken for what.
//   train::ConfusionMatrix confusion{data::cifar10_class_names()};
//   train::measure(net, test, confusion);
//   std::cout << confusion.to_string();
//   write_file("confusion.svg", confusion.to_svg());

namespace eigengrad::EIGENGRAD_ISA::train {

/// Counts how often samples of each class are taken for each class: a metric, whose value is the accuracy.
/// Shapes   as Accuracy
/// Errors   ValueError for no classes, and for a label that is none of them; ShapeError for outputs of another number
///          of classes
class ConfusionMatrix {
 public:
  EIGENGRAD_COLD explicit ConfusionMatrix(std::vector<std::string> class_names, const LabelMetricOptions& options = {})
      : names_(std::move(class_names)), options_(options) {
    detail::check::above_zero("ConfusionMatrix", "number of classes", classes());
    counts_ = Tensor<Index>::zeros({classes(), classes()});
  }
  /// Classes without a name of their own: "0", "1", ...
  explicit ConfusionMatrix(Index classes, const LabelMetricOptions& options = {})
      : ConfusionMatrix(numbers(classes), options) {}

  template <class T>
  void update(const Tensor<T>& outputs, const Tensor<Index>& labels) {
    Index* counts = counts_.mutable_data();
    const auto add = [&](const T* scores, Index columns, Index label) {
      if (columns != classes())
        throw ShapeError(error_text("ConfusionMatrix: outputs of ", columns, " classes, expected ", classes(),
                                    "; output shape ", outputs.shape()));
      if (label < 0 || label >= columns)
        throw ValueError(error_text("ConfusionMatrix: label ", label, ", expected 0 to ", columns - 1));
      ++counts[label * columns + (std::max_element(scores, scores + columns) - scores)];
    };
    detail::for_each_label("ConfusionMatrix", outputs, labels, options_.ignore_index, add);
  }

  double value() const { return accuracy(); }
  std::string name() const { return "accuracy"; }

  /// (C, C): a row for each class, a column for what the network says.
  const Tensor<Index>& counts() const { return counts_; }
  Index classes() const { return static_cast<Index>(names_.size()); }

  /// The share of all that are taken for what they are; NaN of nothing, so below.
  double accuracy() const { return share(correct(), counts_.array().sum()); }
  /// The share of those taken for class c that are of it.
  double precision(Index c) const { return share(counts_(c, c), column_sum(c)); }
  /// The share of class c that is taken for it.
  double recall(Index c) const { return share(counts_(c, c), row_sum(c)); }
  /// The harmonic mean of precision and recall.
  double f1(Index c) const { return share(2 * counts_(c, c), column_sum(c) + row_sum(c)); }
  /// The mean of f1 over the classes, those without a sample and without a guess left out.
  double macro_f1() const {
    double sum = 0.0;
    Index count = 0;
    for (Index c = 0; c < classes(); ++c) {
      if (std::isnan(f1(c))) continue;
      sum += f1(c);
      ++count;
    }
    return detail::mean_of(sum, count);
  }

  /// The accuracy, the counts, and precision, recall and F1 of each class, as tables.
  EIGENGRAD_COLD std::string to_string() const {
    std::size_t width = 0, cell = 0;
    for (const std::string& name : names_) width = std::max(width, name.size());
    for (const Index count : counts_.span()) cell = std::max(cell, joined(count).size());
    cell = std::max(cell, joined(classes() - 1).size()) + 2;
    std::string text =
        joined("accuracy ", of_one(accuracy()), " (", correct(), " of ", counts_.array().sum(), ")\n\n",
               "confusion matrix: a row for each class, a column for what the network says\n", std::string(width, ' '));
    for (Index c = 0; c < classes(); ++c) text += right_aligned(joined(c), cell);
    text += '\n';
    for (Index row = 0; row < classes(); ++row) {
      text += left_aligned(name_of(row), width);
      for (Index c = 0; c < classes(); ++c) text += right_aligned(joined(counts_(row, c)), cell);
      text += '\n';
    }
    text += joined('\n', std::string(width, ' '), "  precision  recall      F1\n");
    for (Index c = 0; c < classes(); ++c) {
      text += joined(left_aligned(name_of(c), width), right_aligned(of_one(precision(c)), 11),
                     right_aligned(of_one(recall(c)), 8), right_aligned(of_one(f1(c)), 8), '\n');
    }
    return text;
  }

  /// The counts as a picture: each cell is as dark as its share of its row is large.
  EIGENGRAD_COLD std::string to_svg() const {
    constexpr double kCell = 44, kLetter = 7;
    std::size_t longest = 0;
    for (const std::string& name : names_) longest = std::max(longest, name.size());
    const double margin = 40 + kLetter * static_cast<double>(longest);
    const double side = kCell * static_cast<double>(classes());
    const double size = margin + side + 20;
    std::string svg = joined("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", size, "\" height=\"", size,
                             "\" viewBox=\"0 0 ", size, " ", size, "\" font-family=\"sans-serif\" font-size=\"12\">\n",
                             "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
    const auto text = [&](double x, double y, const char* anchor, const std::string& words, const char* more) {
      svg += joined("<text x=\"", x, "\" y=\"", y, "\" text-anchor=\"", anchor, "\" ", more, ">",
                    detail::escaped(words), "</text>\n");
    };
    text(margin + side / 2, 16, "middle", "what the network says", "fill=\"#333\"");
    text(16, margin + side / 2, "middle", "class",
         joined("fill=\"#333\" transform=\"rotate(-90 16 ", margin + side / 2, ")\"").c_str());
    for (Index row = 0; row < classes(); ++row) {
      const double at = margin + kCell * (static_cast<double>(row) + 0.5);
      text(margin - 6, at + 4, "end", name_of(row), "fill=\"#333\"");
      text(at + 4, margin - 6, "start", name_of(row),
           joined("fill=\"#333\" transform=\"rotate(-90 ", at + 4, " ", margin - 6, ")\"").c_str());
      for (Index c = 0; c < classes(); ++c) {
        const double left = margin + kCell * static_cast<double>(c);
        const double top = at - kCell / 2;
        const double part = row_sum(row) > 0 ? share(counts_(row, c), row_sum(row)) : 0.0;
        svg += joined("<rect x=\"", left, "\" y=\"", top, "\" width=\"", kCell, "\" height=\"", kCell,
                      "\" fill=\"#1f5fa8\" fill-opacity=\"", to_fixed(part, 3), "\" stroke=\"#ddd\"/>\n");
        text(left + kCell / 2, at + 4, "middle", joined(counts_(row, c)),
             part > 0.5 ? "fill=\"white\"" : "fill=\"#333\"");
      }
    }
    return svg += "</svg>\n";
  }

 private:
  static std::vector<std::string> numbers(Index count) {
    std::vector<std::string> names;
    for (Index c = 0; c < count; ++c) names.push_back(joined(c));
    return names;
  }
  static double share(Index part, Index whole) { return detail::mean_of(static_cast<double>(part), whole); }
  static std::string of_one(double value) { return std::isnan(value) ? "-" : to_fixed(value, 4); }

  const std::string& name_of(Index c) const { return names_[static_cast<std::size_t>(c)]; }
  Index correct() const { return counts_.matrix().diagonal().sum(); }
  Index row_sum(Index c) const { return counts_.matrix().row(c).sum(); }
  Index column_sum(Index c) const { return counts_.matrix().col(c).sum(); }

  std::vector<std::string> names_;
  LabelMetricOptions options_;
  Tensor<Index> counts_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
