// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include <eigengrad/core/layer.hpp>

// Parameter groups: parts of a network that learn at a rate or with a weight decay of their own.
//   optim::AdamW adam{{{.parameters = parameters(net[0]), .learning_rate = 1e-4}, {.parameters = parameters(net[2])}},
//                     {.learning_rate = 1e-3}};
//   optim::AdamW adam{optim::decay_weights_only(net), {.learning_rate = 1e-3, .weight_decay = 0.05}};

namespace eigengrad::EIGENGRAD_ISA::optim {

/// Parameters and those options that are their own; the others are the optimiser's.
template <class T = float>
struct ParameterGroup {
  std::vector<Parameter<T>*> parameters;
  std::optional<double> learning_rate = {};
  std::optional<double> weight_decay = {};
};

/// What an optimiser is given: parameters, which are one group, or a list of groups.
template <class T>
class ParameterGroups {
 public:
  // NOLINTBEGIN(google-explicit-constructor): either is to be written where groups are expected
  ParameterGroups(std::vector<Parameter<T>*> parameters) { groups_.push_back({std::move(parameters)}); }
  ParameterGroups(std::initializer_list<Parameter<T>*> parameters)
      : ParameterGroups(std::vector<Parameter<T>*>(parameters)) {}
  ParameterGroups(std::vector<ParameterGroup<T>> groups) : groups_(std::move(groups)) {}
  ParameterGroups(std::initializer_list<ParameterGroup<T>> groups) : groups_(groups) {}
  // NOLINTEND(google-explicit-constructor)

  auto begin() const { return groups_.begin(); }
  auto end() const { return groups_.end(); }

 private:
  std::vector<ParameterGroup<T>> groups_;
};

/// The usual split of a network: weights, whose decay is the optimiser's, and without decay what has at most one axis,
/// which is biases and the parameters of normalisation.
/// The result has two groups in this order; either may be empty.
template <class L>
std::vector<ParameterGroup<scalar_of<L>>> decay_weights_only(L& layer) {
  ParameterGroup<scalar_of<L>> weights, others{.parameters = {}, .weight_decay = 0.0};
  for (auto* parameter : parameters(layer)) {
    (parameter->value.rank() > 1 ? weights : others).parameters.push_back(parameter);
  }
  return {std::move(weights), std::move(others)};
}

}  // namespace eigengrad::EIGENGRAD_ISA::optim
