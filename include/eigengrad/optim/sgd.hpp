// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/elementwise.hpp>

// optim::SGD sgd{net.parameters(), {.learning_rate = 0.01, .momentum = 0.9}};
// net.backward_parameters(loss.backward());
// sgd.step();

namespace eigengrad::optim {

struct SGDOptions {
  double learning_rate = 1e-3;
  double momentum = 0.0;
  double weight_decay = 0.0;  ///< times the parameter, added to its gradient
  bool nesterov = false;
};

/// Stochastic gradient descent as torch.optim.SGD: g += weight_decay p; v = momentum v + g; p -= learning_rate v.
/// With nesterov, p -= learning_rate (g + momentum v).
/// step() uses the gradients up: the next backward writes new ones, and nothing needs to be cleared in between.
/// Several backward passes before a step add up. A parameter without a gradient is left as it is.
/// The parameters must live as long as the optimiser; assigning another network to theirs ends them.
/// Errors   ValueError for an option outside its range or a net without parameters
/// Source   Sutskever, Martens, Dahl, Hinton 2013, in PyTorch's form
template <class T = float>
class SGD {
 public:
  SGD(std::vector<Parameter<T>*> parameters, const SGDOptions& options)
      : parameters_(std::move(parameters)), velocities_(parameters_.size()), options_(options) {
    check::above_zero("SGD", "number of parameters", parameters_.size());
    check::at_least("SGD", "learning_rate", options.learning_rate, 0.0);
    check::at_least("SGD", "momentum", options.momentum, 0.0);
    check::at_least("SGD", "weight_decay", options.weight_decay, 0.0);
    if (options.nesterov) check::above_zero("SGD", "momentum, which nesterov needs,", options.momentum);
  }

  /// Errors   ShapeError, before anything changes, where a gradient or the momentum does not fit its parameter
  void step() {
    for (std::size_t i = 0; i < parameters_.size(); ++i) check_shapes(i);
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      Parameter<T>& parameter = *parameters_[i];
      if (!parameter.has_grad()) continue;
      if (options_.momentum > 0.0 && velocities_[i].empty()) {
        velocities_[i] = Tensor<T>::zeros(parameter.value.shape());
      }
      update(parameter.value, parameter.grad, velocities_[i]);
      parameter.zero_grad();
    }
  }

  /// Drops every gradient without a step.
  void zero_grad() {
    for (Parameter<T>* parameter : parameters_) parameter->zero_grad();
  }

  double learning_rate() const { return options_.learning_rate; }
  void set_learning_rate(double learning_rate) {
    check::at_least("SGD", "learning_rate", learning_rate, 0.0);
    options_.learning_rate = learning_rate;
  }

 private:
  /// Where an error is: its text is made only when there is one, so that a step takes no memory.
  struct Place {
    std::size_t parameter;
    std::string description() const { return error_text("SGD: parameter ", parameter); }
  };

  void check_shapes(std::size_t i) const {
    const auto& [value, grad] = *parameters_[i];
    if (!grad.empty()) check::same_shape(Place{i}, "gradient", grad.shape(), value.shape());
    if (!velocities_[i].empty()) check::same_shape(Place{i}, "momentum", velocities_[i].shape(), value.shape());
  }

  void update(Tensor<T>& value, const Tensor<T>& grad, Tensor<T>& velocity) const {
    const T rate = static_cast<T>(options_.learning_rate);
    const T momentum = static_cast<T>(options_.momentum);
    const T decay = static_cast<T>(options_.weight_decay);
    const T* grads = grad.data();
    T* values = value.mutable_data();
    T* velocities = velocity.mutable_data();
    parallel_for(value.numel(), ops::kElementGrain, [&](Index begin, Index end) {
      const Index count = end - begin;
      ArrayMap<T> p(values + begin, count);
      const ConstArrayMap<T> g(grads + begin, count);
      if (velocities == nullptr) {
        p -= rate * (g + decay * p);
        return;
      }
      ArrayMap<T> v(velocities + begin, count);
      v = momentum * v + (g + decay * p);
      if (options_.nesterov)
        p -= rate * (g + decay * p + momentum * v);
      else
        p -= rate * v;
    });
  }

  std::vector<Parameter<T>*> parameters_;
  std::vector<Tensor<T>> velocities_;  // one for each parameter, empty until the first step with momentum
  SGDOptions options_;
};

template <class T>
SGD(std::vector<Parameter<T>*>, const SGDOptions&) -> SGD<T>;

}  // namespace eigengrad::optim
