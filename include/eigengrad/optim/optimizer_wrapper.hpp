// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/optim/optimizer_state.hpp>

// OptimizerWrapper: what optimisers that hold another one have in common. All but step(), state() and load_state() is
// that of the one inside.

namespace eigengrad::EIGENGRAD_ISA::optim {

template <class Inner>
class OptimizerWrapper {
 public:
  using Scalar = typename Inner::Scalar;

  explicit OptimizerWrapper(Inner inner) : inner_(std::move(inner)) {}

  /// The optimiser inside, to change its options.
  Inner& inner() { return inner_; }
  const Inner& inner() const { return inner_; }

  void zero_grad() { inner_.zero_grad(); }
  bool has_grad() const { return inner_.has_grad(); }
  template <class F>
  void for_each_parameter(const F& f) const {
    inner_.for_each_parameter(f);
  }
  double clip_grad_norm(double max_norm) { return inner_.clip_grad_norm(max_norm); }

  double learning_rate() const { return inner_.learning_rate(); }
  void set_learning_rate(double learning_rate) { inner_.set_learning_rate(learning_rate); }
  double learning_rate_factor() const { return inner_.learning_rate_factor(); }
  void set_learning_rate_factor(double factor) { inner_.set_learning_rate_factor(factor); }
  double effective_learning_rate(Index group) const { return inner_.effective_learning_rate(group); }
  Index groups() const { return inner_.groups(); }

 protected:
  /// That of the optimiser inside as a part of one of that name.
  template <class L>
  OptimizerState<Scalar> state_around(const char* name, L& net) const {
    OptimizerState<Scalar> state;
    state.optimizer = name;
    state.learning_rate = learning_rate();
    state.learning_rate_factor = learning_rate_factor();
    state.parts.push_back(inner_.state(net));
    return state;
  }

 private:
  Inner inner_;
};

namespace detail {

/// A state of an optimiser of that name with that many inside.
/// Errors   ValueError for another
template <class T>
EIGENGRAD_COLD void check_parts(const OptimizerState<T>& state, std::string_view name, std::size_t parts) {
  if (state.optimizer != name) throw ValueError(error_text(name, ": load_state: the state is of ", state.optimizer));
  if (state.parts.size() == parts) return;
  throw ValueError(error_text(name, ": load_state: the state has ", state.parts.size(), " parts, expected ", parts));
}

/// A count of a state.
/// Errors   ValueError if there is none or it is below 0
template <class T>
EIGENGRAD_COLD Index count_of(const OptimizerState<T>& state, std::string_view name) {
  const auto found = state.steps.find(name);
  if (found == state.steps.end() || found->second < 0)
    throw ValueError(error_text(state.optimizer, ": load_state: the state has no ", name, " of 0 or more"));
  return found->second;
}

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA::optim
