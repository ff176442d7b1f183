// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <vector>

#include <eigengrad/optim/optimizer.hpp>
#include <eigengrad/optim/squarable.hpp>

// optim::RMSprop rmsprop{net.parameters(), {.learning_rate = 1e-3, .momentum = 0.9}};
// net.backward_parameters(loss.backward());
// rmsprop.step();

namespace eigengrad::EIGENGRAD_ISA::optim {

struct RMSpropOptions {
  double learning_rate = 1e-2;
  double alpha = 0.99;        ///< what the mean of the squared gradients keeps of itself in a step
  double eps = 1e-8;          ///< added to the root of the mean square
  double weight_decay = 0.0;  ///< times the parameter, added to its gradient
  double momentum = 0.0;
  bool centered = false;  ///< divide by the standard deviation of the gradients, not by the root of their mean square
};

namespace detail {

template <class T>
class RMSpropRule {
 public:
  using Scalar = T;
  using Options = RMSpropOptions;
  static constexpr const char* kName = "RMSprop";
  static constexpr std::array<const char*, 3> kState{"square_avg", "momentum_buffer", "grad_avg"};
  static bool keeps(const RMSpropOptions& options, std::size_t state) {
    return state == 0 || (state == 1 ? options.momentum > 0.0 : options.centered);
  }

  static void check_options(const RMSpropOptions& options) {
    detail::check::at_least(kName, "alpha", options.alpha, 0.0);
    detail::check::below(kName, "alpha", options.alpha, 1.0);
    detail::check::at_least(kName, "eps", options.eps, 0.0);
    detail::check::at_least(kName, "momentum", options.momentum, 0.0);
  }

  RMSpropRule(const RMSpropOptions& options, const StepNumbers& numbers)
      : rate_(static_cast<T>(numbers.learning_rate)),
        alpha_(static_cast<T>(options.alpha)),
        share_(static_cast<T>(1.0 - options.alpha)),
        eps_(static_cast<T>(options.eps)),
        decay_(static_cast<T>(numbers.weight_decay)),
        momentum_(static_cast<T>(options.momentum)) {}

  void operator()(Index count, T* values, const T* grads, const std::array<T*, 3>& state) const {
    for (Index i = 0; i < count; i += ops::detail::kBlock<T>) {
      ops::detail::Block<T> p(values + i), mean_square(state[0] + i);
      const BlockValue<T> g = squarable<T>(ops::detail::ConstBlock<T>(grads + i) + decay_ * p);
      const BlockValue<T> s = alpha_ * mean_square + share_ * g.square();
      mean_square = s;
      BlockValue<T> variance = s;
      if (state[2] != nullptr) {
        ops::detail::Block<T> mean(state[2] + i);
        const BlockValue<T> m = mean + share_ * (g - mean);
        mean = m;
        // If all gradients are equal the variance is 0, and rounding can make it negative. NaN stays.
        const BlockValue<T> d = s - m.square();
        variance = d.max(T(0)) + (d - d);
      }
      const BlockValue<T> u = g / (ops::detail::sqrt(variance) + eps_);
      if (state[1] == nullptr) {
        p -= rate_ * u;
        continue;
      }
      ops::detail::Block<T> momentum(state[1] + i);
      const BlockValue<T> v = momentum_ * momentum + u;
      momentum = v;
      p -= rate_ * v;
    }
  }

 private:
  T rate_, alpha_, share_, eps_, decay_, momentum_;
};

}  // namespace detail

/// RMSprop as torch.optim.RMSprop: g += weight_decay p; s = alpha s + (1 - alpha) g^2; u = g / (sqrt(s) + eps);
/// p -= learning_rate u, or with momentum v = momentum v + u and p -= learning_rate v.
/// With centered, sqrt(s - m^2) stands in place of sqrt(s), m = alpha m + (1 - alpha) g; where rounding makes s - m^2
/// negative it counts as 0, while PyTorch's step is NaN there.
/// Gradients that are too large to be squared count as in Adam.
/// Errors   as Optimizer
/// Source   Tieleman, Hinton 2012, Coursera lecture 6.5; centered: Graves 2013
template <class T = float>
class RMSprop : public Optimizer<detail::RMSpropRule<T>> {
 public:
  explicit RMSprop(const ParameterGroups<T>& groups, const RMSpropOptions& options = {})
      : Optimizer<detail::RMSpropRule<T>>(groups, options) {}
  RMSprop(const ParameterGroups<T>& groups, const detail::PyTorchOptions&) : RMSprop(groups) {
    static_assert(sizeof(T) == 0, "optim::RMSpropOptions has no member lr; it is called learning_rate");
  }
};

template <class T>
RMSprop(std::vector<Parameter<T>*>, const RMSpropOptions& = {}) -> RMSprop<T>;
template <class T>
RMSprop(std::vector<Parameter<T>*>, const detail::PyTorchOptions&) -> RMSprop<T>;
template <class T>
RMSprop(std::vector<ParameterGroup<T>>, const RMSpropOptions& = {}) -> RMSprop<T>;
template <class T>
RMSprop(std::vector<ParameterGroup<T>>, const detail::PyTorchOptions&) -> RMSprop<T>;

}  // namespace eigengrad::EIGENGRAD_ISA::optim
