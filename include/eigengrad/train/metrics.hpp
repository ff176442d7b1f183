// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/data/loader.hpp>

// How good is a network? Metrics see the batches of a data set one by one, each batch once, and add up in double.
//   train::Accuracy accuracy;
//   train::TopKAccuracy top5{5};
//   train::measure(net, test, accuracy, top5);                // one pass for all of them
//   std::cout << train::to_table(accuracy, top5);
//
// One of one's own is a value with three functions:
//   struct MaxError {
//     double most = 0.0;
//     void update(const Tensor<float>& outputs, const Tensor<float>& targets) { ... }
//     double value() const { return most; }
//     std::string name() const { return "maximum error"; }
//   };

namespace eigengrad::EIGENGRAD_ISA::train {

/// The contract of a metric. update takes the network's outputs for a batch and the targets; value is that of all
/// batches so far, NaN before the first. A copy goes on by itself.
template <class M, class Outputs, class Targets>
concept Metric = std::copyable<M> &&
    requires(M metric, const M& fixed, const Outputs& outputs, const Targets& targets) {
  metric.update(outputs, targets);
  { fixed.value() } -> std::same_as<double>;
  { fixed.name() } -> std::same_as<std::string>;
};

/// Samples in one batch of an evaluation.
inline constexpr Index kEvaluationBatch = 500;

namespace detail {

/// sum / count, NaN without any.
inline double mean_of(double sum, double count) {
  return count > 0.0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}
inline double mean_of(double sum, Index count) { return mean_of(sum, static_cast<double>(count)); }

/// A mean that grows, of numbers that count so much together and have that sum.
class Mean {
 public:
  void add(double sum, double count) {
    sum_ += sum;
    count_ += count;
  }
  double value() const { return mean_of(sum_, count_); }

 private:
  double sum_ = 0.0;
  double count_ = 0.0;
};

/// Scores of classes, row by row, and the label of each row, unless it is the one that is ignored.
/// Errors   ShapeError if labels have another shape or there is no class
template <class T, class F>
void for_each_label(const char* name, const Tensor<T>& outputs, const Tensor<Index>& labels,
                    std::optional<Index> ignored, const F& f) {
  check::labels(name, labels.shape(), outputs.shape());
  const Index classes = outputs.shape().cols();
  if (classes == 0 && labels.numel() > 0)
    throw ShapeError(error_text(name, ": outputs of no classes; output shape ", outputs.shape()));
  for (Index row = 0; row < labels.numel(); ++row) {
    if (const Index label = labels.data()[row]; label != ignored) f(outputs.data() + row * classes, classes, label);
  }
}

/// Calls f with each output and its target.
/// Errors   ShapeError if the shapes differ
template <class T, class F>
void for_each_number(const char* name, const Tensor<T>& outputs, const Tensor<T>& targets, const F& f) {
  check::same_shape(name, "targets", targets.shape(), outputs.shape());
  for (Index i = 0; i < outputs.numel(); ++i)
    f(i, static_cast<double>(outputs.data()[i]), static_cast<double>(targets.data()[i]));
}

template <class Net, data::Dataset D, class... Metrics>
void measure(const char* caller, Net& net, const D& dataset, Index batch_size, Metrics&... metrics) {
  if (dataset.size() <= 0) throw ValueError(error_text(caller, ": the data set has no samples"));
  for (const auto& [inputs, targets] : data::Loader{dataset, {.batch_size = batch_size, .shuffle = false}}) {
    const auto outputs = net.forward(inputs, Mode::inference);
    (metrics.update(outputs, targets), ...);
  }
}

}  // namespace detail

/// Shows the metrics all samples of a data set, in one pass of the network in Mode::inference. They go on from what
/// they have seen before.
/// Errors   ValueError for a data set without samples; those of the metrics for targets that they do not take
template <class Net, data::Dataset D, class... Metrics>
void measure(Net& net, const D& dataset, Metrics&... metrics) {
  detail::measure("measure", net, dataset, kEvaluationBatch, metrics...);
}

/// A line for each metric: its name and its value.
template <class... Metrics>
EIGENGRAD_COLD std::string to_table(const Metrics&... metrics) {
  const std::size_t width = std::max({metrics.name().size()...});
  std::string text;
  ((text += joined(left_aligned(metrics.name(), width), "  ", to_significant(metrics.value()), "\n")), ...);
  return text;
}

/// The mean of a loss over the samples, also if the last batch is smaller.
template <class L>
class MeanLoss {
 public:
  explicit MeanLoss(L loss) : loss_(std::move(loss)) {}
  template <class Outputs, class Targets>
  void update(const Outputs& outputs, const Targets& targets) {
    double weight = outputs.rank() > 0 ? static_cast<double>(outputs.size(0)) : 1.0;
    if constexpr (requires { loss_.weight_of(outputs.shape(), targets); })
      weight = loss_.weight_of(outputs.shape(), targets);
    if (weight > 0.0) mean_.add(static_cast<double>(loss_.forward(outputs, targets)) * weight, weight);
  }
  double value() const { return mean_.value(); }
  std::string name() const { return "loss"; }

 private:
  L loss_;
  detail::Mean mean_;
};

struct LabelMetricOptions {
  std::optional<Index> ignore_index = {};  ///< a label whose rows do not count, as of SoftmaxCrossEntropyOptions
};

/// The share of the labels that are the column of their row's largest output, the first of equals.
/// Shapes   outputs (..., C), N rows; labels (N) or (...)
/// Errors   ShapeError if labels have another shape or there is no class
class Accuracy {
 public:
  Accuracy() = default;
  explicit Accuracy(const LabelMetricOptions& options) : options_(options) {}
  template <class T>
  EIGENGRAD_CALLED void update(const Tensor<T>& outputs, const Tensor<Index>& labels) {
    const auto add = [&](const T* scores, Index classes, Index label) {
      hits_.add(std::max_element(scores, scores + classes) - scores == label ? 1.0 : 0.0, 1.0);
    };
    detail::for_each_label("accuracy", outputs, labels, options_.ignore_index, add);
  }
  double value() const { return hits_.value(); }
  std::string name() const { return "accuracy"; }

 private:
  LabelMetricOptions options_;
  detail::Mean hits_;
};

/// The share of the labels that are among the columns of the k largest outputs of their row; of equals the first count.
/// Shapes   as Accuracy
/// Errors   ValueError for k below 1; ShapeError as Accuracy
class TopKAccuracy {
 public:
  explicit TopKAccuracy(Index k, const LabelMetricOptions& options = {}) : k_(k), options_(options) {
    detail::check::above_zero("TopKAccuracy", "k", k);
  }
  template <class T>
  void update(const Tensor<T>& outputs, const Tensor<Index>& labels) {
    const auto add = [&](const T* scores, Index classes, Index label) {
      hits_.add(is_among_best(scores, classes, label) ? 1.0 : 0.0, 1.0);
    };
    detail::for_each_label("top-k accuracy", outputs, labels, options_.ignore_index, add);
  }
  double value() const { return hits_.value(); }
  std::string name() const { return joined("top-", k_, " accuracy"); }

 private:
  template <class T>
  bool is_among_best(const T* scores, Index classes, Index label) const {
    if (label < 0 || label >= classes || std::isnan(scores[label])) return false;
    Index better = 0;
    for (Index c = 0; c < classes; ++c)
      better += scores[c] > scores[label] || (scores[c] == scores[label] && c < label) || std::isnan(scores[c]);
    return better < k_;
  }

  Index k_;
  LabelMetricOptions options_;
  detail::Mean hits_;
};

/// The mean of |output - target|.
/// Shapes   outputs and targets any, the same; so below
class MAE {
 public:
  template <class T>
  void update(const Tensor<T>& outputs, const Tensor<T>& targets) {
    detail::for_each_number("MAE", outputs, targets, [&](Index, double y, double t) { mean_.add(std::abs(y - t), 1); });
  }
  double value() const { return mean_.value(); }
  std::string name() const { return "MAE"; }

 private:
  detail::Mean mean_;
};

/// The root of the mean of (output - target)^2.
class RMSE {
 public:
  template <class T>
  void update(const Tensor<T>& outputs, const Tensor<T>& targets) {
    detail::for_each_number("RMSE", outputs, targets,
                            [&](Index, double y, double t) { mean_.add((y - t) * (y - t), 1); });
  }
  double value() const { return std::sqrt(mean_.value()); }
  std::string name() const { return "RMSE"; }

 private:
  detail::Mean mean_;
};

/// The coefficient of determination: 1 - sum (y - t)^2 / sum (t - mean t)^2 for each column of (N, ...), and the mean
/// over the columns. A column whose targets are all equal counts 1 if it is met exactly, else 0, as scikit-learn has
/// it.
class R2 {
 public:
  template <class T>
  void update(const Tensor<T>& outputs, const Tensor<T>& targets) {
    const Index rows = outputs.rank() > 0 ? outputs.size(0) : 1;
    const Index width = rows > 0 ? outputs.numel() / rows : 0;
    if (rows_ == 0) columns_.assign(static_cast<std::size_t>(width), {});
    if (static_cast<Index>(columns_.size()) != width)
      throw ShapeError(error_text("R2: rows of ", width, " numbers, expected ", columns_.size(), " as before"));
    detail::for_each_number("R2", outputs, targets, [&](Index i, double y, double t) {
      Column& column = columns_[static_cast<std::size_t>(i % width)];
      const double from_mean = t - column.mean;  // Welford's recurrence
      column.mean += from_mean / static_cast<double>(rows_ + i / width + 1);
      column.total += from_mean * (t - column.mean);
      column.residual += (y - t) * (y - t);
    });
    rows_ += rows;
  }
  double value() const {
    double sum = 0.0;
    for (const Column& column : columns_) {
      if (column.total > 0.0)
        sum += 1.0 - column.residual / column.total;
      else
        sum += column.residual == 0.0 ? 1.0 : 0.0;
    }
    return detail::mean_of(sum, rows_ > 0 ? static_cast<Index>(columns_.size()) : 0);
  }
  std::string name() const { return "R2"; }

 private:
  struct Column {
    double mean = 0.0;      // of the targets
    double total = 0.0;     // sum of their squared distances from it
    double residual = 0.0;  // sum of the squared errors
  };
  std::vector<Column> columns_;
  Index rows_ = 0;
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
