// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <vector>

#include <eigengrad/optim/optimizer.hpp>

// optim::SGD sgd{net.parameters(), {.learning_rate = 0.01, .momentum = 0.9}};
// net.backward_parameters(loss.backward());
// sgd.step();

namespace eigengrad::EIGENGRAD_ISA::optim {

struct SGDOptions {
  double learning_rate = 1e-3;
  double momentum = 0.0;
  double weight_decay = 0.0;  ///< times the parameter, added to its gradient
  bool nesterov = false;
};

namespace detail {

template <class T>
class SGDRule {
 public:
  using Scalar = T;
  using Options = SGDOptions;
  static constexpr const char* kName = "SGD";
  static constexpr std::array<const char*, 1> kState{"momentum_buffer"};
  static bool keeps(const SGDOptions& options, std::size_t) { return options.momentum > 0.0; }

  static void check_options(const SGDOptions& options) {
    detail::check::at_least(kName, "momentum", options.momentum, 0.0);
    if (options.nesterov) detail::check::above_zero(kName, "momentum, which nesterov needs,", options.momentum);
  }

  SGDRule(const SGDOptions& options, const StepNumbers& numbers)
      : rate_(static_cast<T>(numbers.learning_rate)),
        momentum_(static_cast<T>(options.momentum)),
        decay_(static_cast<T>(numbers.weight_decay)),
        nesterov_(options.nesterov) {}

  void operator()(Index count, T* values, const T* grads, const std::array<T*, 1>& state) const {
    for (Index i = 0; i < count; i += ops::detail::kBlock<T>) {
      ops::detail::Block<T> p(values + i);
      const ops::detail::ConstBlock<T> g(grads + i);
      if (state[0] == nullptr) {
        p -= rate_ * (g + decay_ * p);
        continue;
      }
      ops::detail::Block<T> v(state[0] + i);
      v = momentum_ * v + (g + decay_ * p);
      if (nesterov_)
        p -= rate_ * (g + decay_ * p + momentum_ * v);
      else
        p -= rate_ * v;
    }
  }

 private:
  T rate_, momentum_, decay_;
  bool nesterov_;
};

}  // namespace detail

/// Stochastic gradient descent as torch.optim.SGD: g += weight_decay p; v = momentum v + g; p -= learning_rate v.
/// With nesterov, p -= learning_rate (g + momentum v).
/// Errors   as Optimizer
/// Source   Sutskever, Martens, Dahl, Hinton 2013, in PyTorch's form
template <class T = float>
class SGD : public Optimizer<detail::SGDRule<T>> {
 public:
  explicit SGD(const ParameterGroups<T>& groups, const SGDOptions& options = {})
      : Optimizer<detail::SGDRule<T>>(groups, options) {}
  SGD(const ParameterGroups<T>& groups, const detail::PyTorchOptions&) : SGD(groups) {
    static_assert(sizeof(T) == 0, "optim::SGDOptions has no member lr; it is called learning_rate");
  }
};

template <class T>
SGD(std::vector<Parameter<T>*>, const SGDOptions& = {}) -> SGD<T>;
template <class T>
SGD(std::vector<Parameter<T>*>, const detail::PyTorchOptions&) -> SGD<T>;
template <class T>
SGD(std::vector<ParameterGroup<T>>, const SGDOptions& = {}) -> SGD<T>;
template <class T>
SGD(std::vector<ParameterGroup<T>>, const detail::PyTorchOptions&) -> SGD<T>;

}  // namespace eigengrad::EIGENGRAD_ISA::optim
