// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include <eigengrad/train/metrics.hpp>

// How good is a network on a data set?
//   double share = train::accuracy(net, test);
//   auto [loss, accuracy] = train::evaluate(net, nn::SoftmaxCrossEntropy{}, test);

namespace eigengrad::EIGENGRAD_ISA::train {

/// Means over a data set.
struct Evaluation {
  double loss = 0.0;
  double accuracy = 0.0;  ///< the share of labels that the largest output names; NaN if targets are no labels
};

/// Loss and accuracy of a network on a whole data set, in Mode::inference. The loss is the mean over the samples,
/// also if the last batch is smaller; a loss that has weights or ignores a label says what they count. Targets of type
/// Tensor<Index> are labels; others have no accuracy.
/// Errors   ValueError for a data set without samples
template <class Net, class L, data::Dataset D>
EIGENGRAD_CALLED Evaluation evaluate(Net& net, L loss, const D& dataset, Index batch_size = kEvaluationBatch) {
  using Targets = std::remove_cvref_t<decltype(data::batch_of<D>::targets)>;
  LabelMetricOptions options;
  if constexpr (requires { loss.ignore_index(); }) options.ignore_index = loss.ignore_index();
  MeanLoss mean_loss(std::move(loss));
  Accuracy accuracy{options};
  if constexpr (std::same_as<Targets, Tensor<Index>>)
    detail::measure("evaluate", net, dataset, batch_size, mean_loss, accuracy);
  else
    detail::measure("evaluate", net, dataset, batch_size, mean_loss);
  return {mean_loss.value(), accuracy.value()};
}

/// The share of a data set's labels that a network gets right.
/// Errors   ValueError for a data set without samples
template <class Net, data::Dataset D>
double accuracy(Net& net, const D& dataset, Index batch_size = kEvaluationBatch) {
  Accuracy accuracy;
  detail::measure("accuracy", net, dataset, batch_size, accuracy);
  return accuracy.value();
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
