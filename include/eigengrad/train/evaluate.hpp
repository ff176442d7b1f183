// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <limits>
#include <type_traits>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/data/loader.hpp>

// How good is a network on a data set?
//   double share = train::accuracy(net, test);
//   auto [loss, accuracy] = train::evaluate(net, nn::SoftmaxCrossEntropy{}, test);

namespace eigengrad::EIGENGRAD_ISA::train {

/// Means over a data set.
struct Evaluation {
  double loss = 0.0;
  double accuracy = 0.0;  ///< the share of labels that the largest output names; NaN if targets are no labels
};

/// Samples in one batch of an evaluation.
inline constexpr Index kEvaluationBatch = 500;

/// The rows whose largest element is in the column that the label names.
/// Shapes   outputs (..., C), N rows; labels (N) or (...)
/// Errors   ShapeError if labels have another shape or there is no class
template <class T>
EIGENGRAD_CALLED Index count_correct(const Tensor<T>& outputs, const Tensor<Index>& labels) {
  detail::check::labels("accuracy", labels.shape(), outputs.shape());
  const Index rows = outputs.shape().rows();
  const Index classes = outputs.shape().cols();
  if (classes == 0 && rows > 0)
    throw ShapeError(error_text("accuracy: outputs of no classes; output shape ", outputs.shape()));
  Index correct = 0;
  for (Index row = 0; row < rows; ++row) {
    const T* scores = outputs.data() + row * classes;
    if (std::max_element(scores, scores + classes) - scores == labels.data()[row]) ++correct;
  }
  return correct;
}

/// Loss and accuracy of a network on a whole data set, in Mode::inference. The loss is the mean over the samples,
/// also if the last batch is smaller. Targets of type Tensor<Index> are labels; others have no accuracy.
/// Errors   ValueError for a data set without samples
template <class Net, class L, data::Dataset D>
EIGENGRAD_CALLED Evaluation evaluate(Net& net, L loss, const D& dataset, Index batch_size = kEvaluationBatch) {
  if (dataset.size() <= 0) throw ValueError("evaluate: the data set has no samples");
  double loss_sum = 0.0;
  Index samples = 0;
  Index correct = 0;
  Index labels = 0;
  for (const auto& [inputs, targets] : data::Loader{dataset, {.batch_size = batch_size, .shuffle = false}}) {
    const auto outputs = net.forward(inputs, Mode::inference);
    loss_sum += static_cast<double>(loss.forward(outputs, targets)) * static_cast<double>(inputs.size(0));
    samples += inputs.size(0);
    if constexpr (std::same_as<std::remove_cvref_t<decltype(targets)>, Tensor<Index>>) {
      correct += count_correct(outputs, targets);
      labels += targets.numel();
    }
  }
  const double accuracy = labels > 0 ? static_cast<double>(correct) / static_cast<double>(labels)
                                     : std::numeric_limits<double>::quiet_NaN();
  return {loss_sum / static_cast<double>(samples), accuracy};
}

/// The share of a data set's labels that a network gets right.
/// Errors   ValueError for a data set without samples
template <class Net, data::Dataset D>
double accuracy(Net& net, const D& dataset, Index batch_size = kEvaluationBatch) {
  if (dataset.size() <= 0) throw ValueError("accuracy: the data set has no samples");
  Index correct = 0;
  Index all = 0;
  for (const auto& [inputs, labels] : data::Loader{dataset, {.batch_size = batch_size, .shuffle = false}}) {
    correct += count_correct(net.forward(inputs, Mode::inference), labels);
    all += labels.numel();
  }
  return static_cast<double>(correct) / static_cast<double>(all);
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
