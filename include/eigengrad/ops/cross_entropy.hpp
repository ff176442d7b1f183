// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/ops/softmax.hpp>

// Cross-entropy of class probabilities and of logits, each with labels, and of logits with targets that are class
// probabilities: the loss is the mean over the batch, so its gradients are means too.

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// At least one row, one label for each, each label the number of a column or the one that is ignored.
EIGENGRAD_CALLED inline void check_labels(std::string_view where, const Shape& x, const Tensor<Index>& labels,
                                          std::optional<Index> ignored = {}) {
  detail::check::labels(where, labels.shape(), x);
  if (labels.empty()) throw ShapeError(std::string(where) + ": no rows, and the mean of none is not defined");
  for (Index row = 0; row < labels.numel(); ++row) {
    const Index label = labels.data()[row];
    if ((label < 0 || label >= x.cols()) && label != ignored) {
      throw ValueError(error_text(where, ": label ", label, " of row ", row, ", expected 0 to ", x.cols() - 1));
    }
  }
}

template <class T>
void check_labels(std::string_view where, const Tensor<T>& x, const Tensor<Index>& labels) {
  check_labels(where, x.shape(), labels);
}

/// At least one row, and for each element the share of its class in the target, from 0 to 1.
template <class T>
EIGENGRAD_CALLED void check_class_probabilities(std::string_view where, const Shape& x, const Tensor<T>& targets) {
  detail::check::rank_at_least(where, x, 1);
  detail::check::same_shape(where, "target of class probabilities", targets.shape(), x);
  if (x.rows() == 0 || x.cols() == 0)
    throw ShapeError(std::string(where) + ": no rows, and the mean of none is not defined");
  for (Index i = 0; i < targets.numel(); ++i) {
    const T share = targets.data()[i];
    if (share >= T(0) && share <= T(1)) continue;  // false for NaN
    throw ValueError(error_text(where, ": target ", share, " of class ", i % x.cols(), " in row ", i / x.cols(),
                                ", expected 0 to 1"));
  }
}

}  // namespace detail

/// Cross-entropy of probabilities: L = -1/N sum_n log x[n, t_n], infinite if a true class has probability 0
/// Shapes   probabilities x (..., C), N rows; labels t (N) or (...)
/// Units    L in nats
/// Errors   ShapeError if the numbers of rows and labels differ or there is none, ValueError for a label outside
///          0 ... C-1
template <class T>
T cross_entropy(const Tensor<T>& probabilities, const Tensor<Index>& labels) {
  detail::check_labels("cross_entropy", probabilities, labels);
  const auto x = probabilities.matrix();
  double sum = 0.0;
  for (Index row = 0; row < x.rows(); ++row) sum -= std::log(static_cast<double>(x(row, labels.data()[row])));
  return static_cast<T>(sum / static_cast<double>(x.rows()));
}

/// dx = -t / (N x), t being 1 at the true class and 0 elsewhere
/// Shapes   probabilities x, dx (..., C), N rows; labels (N) or (...)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> cross_entropy_backward(const Tensor<T>& probabilities, const Tensor<Index>& labels) {
  detail::check_labels("cross_entropy_backward", probabilities, labels);
  Tensor<T> dx = Tensor<T>::zeros(probabilities.shape());
  const auto x = probabilities.matrix();
  auto out = dx.mutable_matrix();
  for (Index row = 0; row < x.rows(); ++row) {
    const Index label = labels.data()[row];
    out(row, label) = T(-1) / (x(row, label) * static_cast<T>(x.rows()));
  }
  return dx;
}

/// A loss and the probabilities its backward starts from.
template <class T>
struct SoftmaxCrossEntropyResult {
  T loss;
  Tensor<T> probabilities;  ///< softmax of the logits
};

struct SoftmaxCrossEntropyOptions {
  double label_smoothing = 0.0;            ///< the share of the target that all classes get in equal parts
  std::vector<double> weight = {};         ///< what each class counts, C numbers; empty for 1
  std::optional<Index> ignore_index = {};  ///< a label, one of the classes or not, whose rows count nothing
};

namespace detail {

/// Errors   ValueError for an option out of range
EIGENGRAD_COLD inline void check_options(std::string_view where, const SoftmaxCrossEntropyOptions& options) {
  detail::check::between(where, "label_smoothing", options.label_smoothing, 0.0, 1.0);
  for (std::size_t c = 0; c < options.weight.size(); ++c)
    detail::check::at_least(where, error_text("weight of class ", c), options.weight[c], 0.0);
}
/// Errors   also for other than C weights
EIGENGRAD_CALLED inline void check_options(std::string_view where, const SoftmaxCrossEntropyOptions& options,
                                           const Shape& x) {
  check_options(where, options);
  if (options.weight.empty() || static_cast<Index>(options.weight.size()) == x.cols()) return;
  throw ValueError(error_text(where, ": weight has ", options.weight.size(), " numbers, expected ", x.cols(),
                              ": one for each class; input shape ", x));
}
/// What a class counts.
inline double class_weight(const SoftmaxCrossEntropyOptions& options, Index c) {
  return options.weight.empty() ? 1.0 : options.weight[static_cast<std::size_t>(c)];
}

/// What the rows and classes of a batch count.
class ClassWeights {
 public:
  EIGENGRAD_CALLED ClassWeights(std::string_view where, const Shape& x, const Tensor<Index>& labels,
                                const SoftmaxCrossEntropyOptions& options)
      : options_(options), sum_(static_cast<double>(x.cols())) {
    check_labels(where, x, labels, options.ignore_index);
    check_options(where, options, x);
    if (weighted()) {
      sum_ = 0.0;
      for (const double w : options.weight) sum_ += w;
    }
    for (const Index label : labels.span()) total_ += ignores(label) ? 0.0 : of(label);
  }
  /// Errors   ValueError if no row counts: the mean of none is not defined
  void require_any(std::string_view where) const {
    if (total_ > 0.0) return;
    throw ValueError(error_text(where, ": no row counts: all labels are ignore_index or of weight 0"));
  }

  bool weighted() const { return !options_.weight.empty(); }
  bool ignores(Index label) const { return options_.ignore_index == label; }
  double of(Index label) const { return class_weight(options_, label); }
  /// Of all classes.
  double sum() const { return sum_; }
  /// Of all rows: what the mean is divided by.
  double total() const { return total_; }

 private:
  const SoftmaxCrossEntropyOptions& options_;
  double sum_;
  double total_ = 0.0;
};

}  // namespace detail

/// Cross-entropy of softmax(x), computed from the logits: L = sum_n w[t_n] (log sum_c exp x[n, c] - x[n, t_n]) / W
/// with W = sum_n w[t_n] over the rows that are not ignored; without weights the mean over the rows.
/// With label_smoothing e the target is 1 - e + e/C at the true class and e/C elsewhere: a row's term becomes
/// (1 - e) w[t_n] l[n, t_n] + e/C sum_c w[c] l[n, c] with l[n, c] = -log softmax(x)[n, c].
/// Stable: the largest logit of a row is subtracted before any exponential, so the loss is finite as long as the
/// differences of logits are.
/// Shapes   logits x (..., C), N rows; labels t (N) or (...)
/// Units    L in nats
/// Errors   ShapeError if the numbers of rows and labels differ or there is none; ValueError for a label outside
///          0 ... C-1 that is not ignore_index, an option out of range, other than C weights, or if no row counts
/// Source   label smoothing: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015; both as torch.nn.functional.cross_entropy
template <class T>
SoftmaxCrossEntropyResult<T> softmax_cross_entropy(Tensor<T> logits, const Tensor<Index>& labels,
                                                   const SoftmaxCrossEntropyOptions& options = {}) {
  const detail::ClassWeights weights("softmax_cross_entropy", logits.shape(), labels, options);
  weights.require_any("softmax_cross_entropy");
  const Index rows = logits.shape().rows(), cols = logits.shape().cols();
  // A row's l_c is log sum_k exp(x_k - m) - (x_c - m) with m the row's maximum. Softmax gives
  // exp(x_m - m) / sum = 1 / sum at the maximum, so the logarithm needs no second sum of exponentials.
  Tensor<T> below_maximum = Tensor<T>::zeros({rows});  // the sum of x_c - m, each times what it counts
  const T smoothing = static_cast<T>(options.label_smoothing);
  for (Index row = 0; row < rows; ++row) {
    const Index label = labels.data()[row];
    if (weights.ignores(label)) continue;
    const T* x = logits.data() + row * cols;
    const T maximum = detail::ConstRowMap<T>(x, cols).maxCoeff();
    const T weight = static_cast<T>(weights.of(label));
    T below = weight > T(0) ? weight * (x[label] - maximum) : T(0);
    if (smoothing > T(0)) {
      double sum = 0.0;
      if (weights.weighted()) {
        for (Index c = 0; c < cols; ++c)
          sum += weights.of(c) > 0.0 ? weights.of(c) * static_cast<double>(x[c] - maximum) : 0.0;
      } else {
        sum = detail::row_sum<T>(
            cols, [maximum](const auto& v) { return v - maximum; }, x);
      }
      below = (T(1) - smoothing) * below + smoothing * static_cast<T>(sum / static_cast<double>(cols));
    }
    below_maximum.mutable_data()[row] = below;
  }

  Tensor<T> probabilities = softmax(std::move(logits));
  const double shared = options.label_smoothing / static_cast<double>(cols) * weights.sum();
  double sum = 0.0;
  for (Index row = 0; row < rows; ++row) {
    const Index label = labels.data()[row];
    if (weights.ignores(label)) continue;
    const detail::ConstRowMap<T> p(probabilities.data() + row * cols, cols);
    const double counts = (1.0 - options.label_smoothing) * weights.of(label) + shared;
    sum -= counts * std::log(static_cast<double>(p.maxCoeff())) + static_cast<double>(below_maximum.data()[row]);
  }
  return {static_cast<T>(sum / weights.total()), std::move(probabilities)};
}

/// dx = (k softmax(x) - t) / W with t = (1 - e) w[t_n] + e/C w[c] at the true class c = t_n and e/C w[c] elsewhere, k
/// the sum of t over the classes, W the sum of w[t_n] over the rows; 0 in a row that is ignored. Without weights k = 1
/// and W = N.
/// Shapes   probabilities, the softmax of x, and dx (..., C), N rows; labels (N) or (...)
/// Errors   as softmax_cross_entropy
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> softmax_cross_entropy_backward(Tensor<T> probabilities, const Tensor<Index>& labels,
                                         const SoftmaxCrossEntropyOptions& options = {}) {
  const detail::ClassWeights weights("softmax_cross_entropy_backward", probabilities.shape(), labels, options);
  weights.require_any("softmax_cross_entropy_backward");
  const Index rows = probabilities.shape().rows(), cols = probabilities.shape().cols();
  const double to_all = options.label_smoothing / static_cast<double>(cols);
  const double to_true = 1.0 - options.label_smoothing;
  T* dx = probabilities.mutable_data();
  for (Index row = 0; row < rows; ++row, dx += cols) {
    const Index label = labels.data()[row];
    detail::RowMap<T> d(dx, cols);
    if (weights.ignores(label)) {
      d.setZero();
      continue;
    }
    if (weights.weighted()) {
      d *= static_cast<T>(to_true * weights.of(label) + to_all * weights.sum());
      for (Index c = 0; c < cols; ++c) d[c] -= static_cast<T>(to_all * weights.of(c));
    } else if (to_all > 0.0) {
      d -= static_cast<T>(to_all);
    }
    d[label] -= static_cast<T>(to_true * weights.of(label));
  }
  probabilities.mutable_array() *= static_cast<T>(1.0 / weights.total());
  return probabilities;
}

namespace detail {

/// Options that go with class probabilities, which no label stands for.
template <class T>
void check_soft_target(std::string_view where, const Shape& x, const Tensor<T>& targets,
                       const SoftmaxCrossEntropyOptions& options) {
  check_class_probabilities(where, x, targets);
  check_options(where, options, x);
  if (options.ignore_index)
    throw ValueError(error_text(where, ": ignore_index is of labels, and the target has class probabilities"));
}

/// Calls f(class, u) for the classes of a row that have a share of the target: u = w ((1 - e) t + e/C).
template <class T, class F>
void for_each_share(const T* targets, Index classes, const SoftmaxCrossEntropyOptions& options, const F& f) {
  const double kept = 1.0 - options.label_smoothing;
  const double given = options.label_smoothing / static_cast<double>(classes);
  for (Index c = 0; c < classes; ++c) {
    const double share = class_weight(options, c) * (kept * static_cast<double>(targets[c]) + given);
    if (share > 0.0) f(c, share);
  }
}

}  // namespace detail

/// Cross-entropy of softmax(x) with class probabilities t in the place of labels:
/// L = -1/N sum_n sum_c w[c] t[n, c] log softmax(x)[n, c], a class without a share adding nothing
/// With label_smoothing e, (1 - e) t + e/C stands for t. The shares of a row need not add up to 1. The mean is over the
/// rows, also with weights, as in PyTorch.
/// Stable as with labels.
/// Shapes   logits x, targets t (..., C), N rows
/// Units    L in nats
/// Errors   ShapeError if the shapes differ or there is no row, ValueError for a share outside 0 ... 1, an option out
///          of range, other than C weights, or an ignore_index
template <class T>
SoftmaxCrossEntropyResult<T> softmax_cross_entropy(Tensor<T> logits, const Tensor<T>& targets,
                                                   const SoftmaxCrossEntropyOptions& options = {}) {
  detail::check_soft_target("softmax_cross_entropy", logits.shape(), targets, options);
  const Index rows = logits.shape().rows(), cols = logits.shape().cols();
  // A row's loss is S log sum_c exp(x_c - m) + sum_c u_c (m - x_c) with m the row's maximum and S the sum of its u.
  double loss = 0.0;
  Tensor<double> sums = Tensor<double>::zeros({rows});
  for (Index row = 0; row < rows; ++row) {
    const T* x = logits.data() + row * cols;
    const T maximum = detail::ConstRowMap<T>(x, cols).maxCoeff();
    double& sum = sums.mutable_data()[row];
    detail::for_each_share(targets.data() + row * cols, cols, options, [&](Index c, double share) {
      sum += share;
      loss += share * static_cast<double>(maximum - x[c]);
    });
  }
  Tensor<T> probabilities = softmax(std::move(logits));
  for (Index row = 0; row < rows; ++row) {
    const detail::ConstRowMap<T> p(probabilities.data() + row * cols, cols);
    loss -= sums.data()[row] * std::log(static_cast<double>(p.maxCoeff()));
  }
  return {static_cast<T>(loss / static_cast<double>(rows)), std::move(probabilities)};
}

/// dx = (S softmax(x) - u) / N with u[n, c] = w[c] t[n, c] and S the sum of the row's u, which is 1 for probabilities
/// without weights
/// Shapes   probabilities, the softmax of x, targets t and dx (..., C), N rows
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> softmax_cross_entropy_backward(Tensor<T> probabilities, const Tensor<T>& targets,
                                         const SoftmaxCrossEntropyOptions& options = {}) {
  detail::check_soft_target("softmax_cross_entropy_backward", probabilities.shape(), targets, options);
  const Index rows = probabilities.shape().rows(), cols = probabilities.shape().cols();
  const double share_of_row = 1.0 / static_cast<double>(rows);
  T* dx = probabilities.mutable_data();
  for (Index row = 0; row < rows; ++row, dx += cols) {
    const T* t = targets.data() + row * cols;
    double sum = 0.0;
    detail::for_each_share(t, cols, options, [&](Index, double share) { sum += share; });
    const T factor = static_cast<T>(sum * share_of_row);
    for (Index c = 0; c < cols; ++c) dx[c] *= factor;
    detail::for_each_share(t, cols, options,
                           [&](Index c, double share) { dx[c] -= static_cast<T>(share * share_of_row); });
  }
  return probabilities;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
