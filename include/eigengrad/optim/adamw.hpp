// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <eigengrad/optim/adam.hpp>

// optim::AdamW adam{optim::decay_weights_only(net), {.learning_rate = 1e-3, .weight_decay = 0.05}};
// net.backward_parameters(loss.backward());
// adam.step();

namespace eigengrad::EIGENGRAD_ISA::optim {

struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;          ///< what the mean of the gradients keeps of itself in a step
  double beta2 = 0.999;        ///< what the mean of their squares keeps
  double eps = 1e-8;           ///< added to the root of the mean square
  double weight_decay = 1e-2;  ///< times the learning rate: the share of the parameter that a step takes away
};

/// Adam with decoupled weight decay as torch.optim.AdamW: p -= learning_rate weight_decay p, then Adam's step with the
/// gradient as it is.
/// Errors   as Optimizer
/// Source   Loshchilov, Hutter 2019, in PyTorch's form: the decay is multiplied by the learning rate
template <class T = float>
class AdamW : public Optimizer<detail::AdamRule<T, AdamWOptions, true>> {
 public:
  explicit AdamW(const ParameterGroups<T>& groups, const AdamWOptions& options = {})
      : Optimizer<detail::AdamRule<T, AdamWOptions, true>>(groups, options) {}
  AdamW(const ParameterGroups<T>& groups, const detail::PyTorchOptions&) : AdamW(groups) {
    static_assert(sizeof(T) == 0, "optim::AdamWOptions has no member lr; it is called learning_rate");
  }
};

template <class T>
AdamW(std::vector<Parameter<T>*>, const AdamWOptions& = {}) -> AdamW<T>;
template <class T>
AdamW(std::vector<Parameter<T>*>, const detail::PyTorchOptions&) -> AdamW<T>;
template <class T>
AdamW(std::vector<ParameterGroup<T>>, const AdamWOptions& = {}) -> AdamW<T>;
template <class T>
AdamW(std::vector<ParameterGroup<T>>, const detail::PyTorchOptions&) -> AdamW<T>;

}  // namespace eigengrad::EIGENGRAD_ISA::optim
