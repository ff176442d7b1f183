// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/optim/optimizer_wrapper.hpp>
#include <eigengrad/optim/second_weights.hpp>

// optim::Lookahead lookahead{optim::Adam{net.parameters()}, {.k = 5, .alpha = 0.5}};
// train::fit(net, loss, lookahead, loader, validation, {.max_steps = 1000});

namespace eigengrad::EIGENGRAD_ISA::optim {

struct LookaheadOptions {
  Index k = 5;         ///< steps of the inner optimiser for one of the slow weights
  double alpha = 0.5;  ///< how far the slow weights go towards the fast ones
};

/// k steps of another optimiser forward, one back: after every k-th, slow += alpha (parameter - slow) and
/// parameter = slow. The slow weights begin as the parameters before the first step. What the inner optimiser remembers
/// stays.
/// Errors   ValueError for a k below 1 or an alpha outside 0 ... 1; those of the inner optimiser
/// Source   Zhang, Lucas, Ba, Hinton 2019
template <class Inner>
class Lookahead : public OptimizerWrapper<Inner> {
 public:
  using typename OptimizerWrapper<Inner>::Scalar;

  EIGENGRAD_COLD explicit Lookahead(Inner inner, const LookaheadOptions& options = {})
      : OptimizerWrapper<Inner>(std::move(inner)), options_(options) {
    eigengrad::detail::check::above_zero(kName, "k", options.k);
    eigengrad::detail::check::between(kName, "alpha", options.alpha, 0.0, 1.0);
  }

  void step() {
    if (slow_.empty()) slow_.copy(this->inner());
    this->inner().step();
    if (++steps_ % options_.k == 0) slow_.approach(this->inner(), options_.alpha, /*back=*/true);
  }

  template <class L>
  OptimizerState<Scalar> state(L& net) const {
    OptimizerState<Scalar> state = this->state_around(kName, net);
    state.steps.emplace(kSteps, steps_);
    slow_.save(this->inner(), net, "slow", state);
    return state;
  }
  template <class L>
  void load_state(L& net, const OptimizerState<Scalar>& state) {
    detail::check_parts(state, kName, 1);
    const Index steps = detail::count_of(state, kSteps);
    detail::SecondWeights<Scalar> slow;
    slow.load(this->inner(), net, "slow", state);
    this->inner().load_state(net, state.parts[0]);
    slow_ = std::move(slow);
    steps_ = steps;
  }

 private:
  static constexpr const char* kName = "Lookahead";
  static constexpr const char* kSteps = "steps";

  LookaheadOptions options_;
  detail::SecondWeights<Scalar> slow_;
  Index steps_ = 0;
};

}  // namespace eigengrad::EIGENGRAD_ISA::optim
