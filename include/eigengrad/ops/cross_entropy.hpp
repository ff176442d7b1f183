// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include <eigengrad/ops/softmax.hpp>

// Cross-entropy of class probabilities and of logits, each with labels: the loss is the mean over the batch,
// so its gradients are means too.

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// At least one row, one label for each, each label the number of a column.
EIGENGRAD_CALLED inline void check_labels(std::string_view where, const Shape& x, const Tensor<Index>& labels) {
  detail::check::labels(where, labels.shape(), x);
  if (labels.empty()) throw ShapeError(std::string(where) + ": no rows, and the mean of none is not defined");
  for (Index row = 0; row < labels.numel(); ++row) {
    const Index label = labels.data()[row];
    if (label < 0 || label >= x.cols()) {
      throw ValueError(error_text(where, ": label ", label, " of row ", row, ", expected 0 to ", x.cols() - 1));
    }
  }
}

template <class T>
void check_labels(std::string_view where, const Tensor<T>& x, const Tensor<Index>& labels) {
  check_labels(where, x.shape(), labels);
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

/// Cross-entropy of softmax(x), computed from the logits: L = 1/N sum_n (log sum_c exp x[n, c] - x[n, t_n])
/// With label_smoothing e the target is 1 - e + e/C at the true class and e/C elsewhere, so that instead of x[n, t_n]
/// stands (1 - e) x[n, t_n] + e/C sum_c x[n, c].
/// Stable: the largest logit of a row is subtracted before any exponential, so the loss is finite as long as the
/// differences of logits are.
/// Shapes   logits x (..., C), N rows; labels t (N) or (...)
/// Units    L in nats
/// Errors   ShapeError if the numbers of rows and labels differ or there is none, ValueError for a label outside
///          0 ... C-1 or a label_smoothing outside 0 ... 1
/// Source   label smoothing: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015, in PyTorch's form
template <class T>
SoftmaxCrossEntropyResult<T> softmax_cross_entropy(Tensor<T> logits, const Tensor<Index>& labels,
                                                   double label_smoothing = 0.0) {
  detail::check_labels("softmax_cross_entropy", logits, labels);
  detail::check::between("softmax_cross_entropy", "label_smoothing", label_smoothing, 0.0, 1.0);
  const Index rows = logits.shape().rows();
  // A row's loss is log sum_c exp(x_c - m) - (x_t - m) with m the row's maximum. Softmax gives
  // exp(x_m - m) / sum = 1 / sum at the maximum, so the logarithm needs no second sum of exponentials.
  Tensor<T> true_logits({rows});  // x_t - m, or with smoothing its mean with all x_c - m
  const Index cols = logits.shape().cols();
  const T smoothing = static_cast<T>(label_smoothing);
  T* below_maximum = true_logits.mutable_data();
  for (Index row = 0; row < rows; ++row) {
    const T* x = logits.data() + row * cols;
    const T maximum = detail::ConstRowMap<T>(x, cols).maxCoeff();
    T below = x[labels.data()[row]] - maximum;
    if (smoothing > T(0)) {
      const double sum = detail::row_sum<T>(
          cols, [maximum](const auto& v) { return v - maximum; }, x);
      below = (T(1) - smoothing) * below + smoothing * static_cast<T>(sum / static_cast<double>(cols));
    }
    below_maximum[row] = below;
  }

  Tensor<T> probabilities = softmax(std::move(logits));
  double sum = 0.0;
  for (Index row = 0; row < rows; ++row) {
    const detail::ConstRowMap<T> p(probabilities.data() + row * cols, cols);
    sum -= std::log(static_cast<double>(p.maxCoeff())) + static_cast<double>(below_maximum[row]);
  }
  return {static_cast<T>(sum / static_cast<double>(rows)), std::move(probabilities)};
}

/// dx = (softmax(x) - t) / N, t being 1 at the true class and 0 elsewhere, or with label_smoothing e
/// 1 - e + e/C and e/C
/// Shapes   probabilities, the softmax of x, and dx (..., C), N rows; labels (N) or (...)
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> softmax_cross_entropy_backward(Tensor<T> probabilities, const Tensor<Index>& labels,
                                         double label_smoothing = 0.0) {
  detail::check_labels("softmax_cross_entropy_backward", probabilities, labels);
  detail::check::between("softmax_cross_entropy_backward", "label_smoothing", label_smoothing, 0.0, 1.0);
  const Index rows = probabilities.shape().rows();
  const T share = T(1) / static_cast<T>(rows);
  const T smoothing = static_cast<T>(label_smoothing);
  const Index cols = probabilities.shape().cols();
  auto dx = probabilities.mutable_array();
  if (smoothing > T(0)) dx -= smoothing / static_cast<T>(cols);
  for (Index row = 0; row < rows; ++row) dx[row * cols + labels.data()[row]] -= T(1) - smoothing;
  dx *= share;
  return probabilities;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
