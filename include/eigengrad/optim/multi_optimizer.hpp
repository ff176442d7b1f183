// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigengrad/optim/clip_grad.hpp>
#include <eigengrad/optim/optimizer_wrapper.hpp>

// Different optimisers for different parameters of one network.
//   optim::MultiOptimizer both{optim::SGD{body.parameters(), {.learning_rate = 0.1, .momentum = 0.9}},
//                              optim::Adam{head.parameters(), {.learning_rate = 1e-3}}};
//   train::fit(net, loss, both, loader, validation, {.max_steps = 1000});

namespace eigengrad::EIGENGRAD_ISA::optim {

/// Several optimisers as one: each makes its own step. A schedule's factor is that of all; a clipped norm is that of
/// all gradients together. One whose parameters have no gradient, as when they are frozen, is left out of a step.
/// Errors   ValueError for a parameter that two of them have; StateError from step() if no parameter has a gradient;
///          those of the optimisers inside, those before the one that fails having made their step
template <class First, class... Rest>
class MultiOptimizer {
 public:
  using Scalar = typename First::Scalar;
  static_assert((std::is_same_v<Scalar, typename Rest::Scalar> && ...), "all optimisers have the same number type");

  EIGENGRAD_COLD explicit MultiOptimizer(First first, Rest... rest) : parts_(std::move(first), std::move(rest)...) {
    std::vector<const Parameter<Scalar>*> seen;
    for_each([&](auto& part) {
      part.for_each_parameter([&](const Parameter<Scalar>& p) {
        if (std::find(seen.begin(), seen.end(), &p) != seen.end())
          throw ValueError(error_text(kName, ": two optimisers have the same parameter, of shape ", p.value.shape()));
        seen.push_back(&p);
      });
    });
  }

  /// The optimiser of that number, to change its options.
  template <std::size_t I>
  auto& part() {
    return std::get<I>(parts_);
  }

  void step() {
    if (!has_grad()) return std::get<0>(parts_).step();  // says what is missing
    for_each([](auto& part) {
      if (part.has_grad()) part.step();
    });
  }
  void zero_grad() {
    for_each([](auto& part) { part.zero_grad(); });
  }
  bool has_grad() const {
    bool found = false;
    for_each([&](const auto& part) { found = found || part.has_grad(); });
    return found;
  }
  template <class F>
  void for_each_parameter(const F& f) const {
    for_each([&](const auto& part) { part.for_each_parameter(f); });
  }
  double clip_grad_norm(double max_norm) { return detail::clip_grad_norm_of(*this, max_norm); }

  double learning_rate_factor() const { return std::get<0>(parts_).learning_rate_factor(); }
  void set_learning_rate_factor(double factor) {
    for_each([&](auto& part) { part.set_learning_rate_factor(factor); });
  }

  template <class L>
  OptimizerState<Scalar> state(L& net) const {
    OptimizerState<Scalar> state;
    state.optimizer = kName;
    state.learning_rate_factor = learning_rate_factor();
    for_each([&](const auto& part) { state.parts.push_back(part.state(net)); });
    return state;
  }
  /// Errors   as those of the optimisers inside; nothing has then changed
  template <class L>
  void load_state(L& net, const OptimizerState<Scalar>& state) {
    detail::check_parts(state, kName, 1 + sizeof...(Rest));
    const OptimizerState<Scalar> before = this->state(net);
    try {
      load_parts(net, state);
    } catch (...) {
      load_parts(net, before);
      throw;
    }
  }

 private:
  static constexpr const char* kName = "MultiOptimizer";

  template <class F>
  void for_each(const F& f) {
    std::apply([&](auto&... part) { (f(part), ...); }, parts_);
  }
  template <class F>
  void for_each(const F& f) const {
    std::apply([&](const auto&... part) { (f(part), ...); }, parts_);
  }
  template <class L>
  void load_parts(L& net, const OptimizerState<Scalar>& state) {
    std::size_t i = 0;
    for_each([&](auto& part) { part.load_state(net, state.parts[i++]); });
  }

  std::tuple<First, Rest...> parts_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::optim
