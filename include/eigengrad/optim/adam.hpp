// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include <eigengrad/optim/optimizer.hpp>
#include <eigengrad/optim/squarable.hpp>

// optim::Adam adam{net.parameters(), {.learning_rate = 1e-3}};
// net.backward_parameters(loss.backward());
// adam.step();

namespace eigengrad::EIGENGRAD_ISA::optim {

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;         ///< what the mean of the gradients keeps of itself in a step
  double beta2 = 0.999;       ///< what the mean of their squares keeps
  double eps = 1e-8;          ///< added to the root of the mean square
  double weight_decay = 0.0;  ///< times the parameter, added to its gradient
};

namespace detail {

/// Adam and, with kDecoupled, AdamW: they differ in where the weight decay enters.
template <class T, class OptionsType, bool kDecoupled>
class AdamRule {
 public:
  using Scalar = T;
  using Options = OptionsType;
  static constexpr const char* kName = kDecoupled ? "AdamW" : "Adam";
  static constexpr std::array<const char*, 2> kState{"exp_avg", "exp_avg_sq"};
  static bool keeps(const Options&, std::size_t) { return true; }

  static void check_options(const Options& options) {
    detail::check::at_least(kName, "beta1", options.beta1, 0.0);
    detail::check::below(kName, "beta1", options.beta1, 1.0);
    detail::check::at_least(kName, "beta2", options.beta2, 0.0);
    detail::check::below(kName, "beta2", options.beta2, 1.0);
    detail::check::at_least(kName, "eps", options.eps, 0.0);
  }

  AdamRule(const Options& options, const StepNumbers& numbers)
      : share1_(static_cast<T>(1.0 - options.beta1)),
        beta2_(static_cast<T>(options.beta2)),
        share2_(static_cast<T>(1.0 - options.beta2)),
        eps_(static_cast<T>(options.eps)),
        decay_(static_cast<T>(numbers.weight_decay)),
        kept_(static_cast<T>(kDecoupled ? 1.0 - numbers.learning_rate * numbers.weight_decay : 1.0)) {
    const auto step = static_cast<double>(numbers.step);
    rate_ = static_cast<T>(numbers.learning_rate / (1.0 - std::pow(options.beta1, step)));
    root_scale_ = static_cast<T>(1.0 / std::sqrt(1.0 - std::pow(options.beta2, step)));
  }

  void operator()(Index count, T* values, const T* grads, const std::array<T*, 2>& state) const {
    for (Index i = 0; i < count; i += ops::detail::kBlock<T>) {
      ops::detail::Block<T> p(values + i), mean(state[0] + i), mean_square(state[1] + i);
      const BlockValue<T> own = ops::detail::ConstBlock<T>(grads + i);
      const BlockValue<T> g = squarable<T>(kDecoupled ? own : BlockValue<T>(own + decay_ * p));
      const BlockValue<T> m = mean + share1_ * (g - mean);
      const BlockValue<T> v = beta2_ * mean_square + share2_ * g.square();
      mean = m;
      mean_square = v;
      p = kept_ * p - rate_ * m / (ops::detail::sqrt(v) * root_scale_ + eps_);
    }
  }

 private:
  T share1_, beta2_, share2_, eps_, decay_;
  T kept_;        // of the parameter, before the step
  T rate_;        // with the correction of the mean
  T root_scale_;  // the correction of the mean square, under the root
};

}  // namespace detail

/// Adam as torch.optim.Adam: g += weight_decay p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// p -= learning_rate m' / (sqrt(v') + eps) with m' = m / (1 - beta1^k) and v' = v / (1 - beta2^k), k counting the
/// parameter's own steps: one without a gradient does not count.
/// A gradient whose square T cannot hold (beyond 9e18 in float) counts as the largest whose square it can; one that is
/// not finite makes its parameter NaN.
/// Errors   as Optimizer
/// Source   Kingma, Ba 2015
template <class T = float>
class Adam : public Optimizer<detail::AdamRule<T, AdamOptions, false>> {
 public:
  explicit Adam(const ParameterGroups<T>& groups, const AdamOptions& options = {})
      : Optimizer<detail::AdamRule<T, AdamOptions, false>>(groups, options) {}
  Adam(const ParameterGroups<T>& groups, const detail::PyTorchOptions&) : Adam(groups) {
    static_assert(sizeof(T) == 0, "optim::AdamOptions has no member lr; it is called learning_rate");
  }
};

template <class T>
Adam(std::vector<Parameter<T>*>, const AdamOptions& = {}) -> Adam<T>;
template <class T>
Adam(std::vector<Parameter<T>*>, const detail::PyTorchOptions&) -> Adam<T>;
template <class T>
Adam(std::vector<ParameterGroup<T>>, const AdamOptions& = {}) -> Adam<T>;
template <class T>
Adam(std::vector<ParameterGroup<T>>, const detail::PyTorchOptions&) -> Adam<T>;

}  // namespace eigengrad::EIGENGRAD_ISA::optim
