// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/optim/optimizer_wrapper.hpp>
#include <eigengrad/optim/second_weights.hpp>

// Optimisers that keep an average of the weights of their steps. fit measures and ends with the average.
//   optim::ExponentialMovingAverage ema{optim::Adam{net.parameters()}, {.decay = 0.999}};
//   train::fit(net, loss, ema, loader, validation, {.max_steps = 5000});         // net has the averaged weights
// In a loop of one's own:
//   ema.step();
//   ema.eval();                                       // the parameters become the average
//   train::update_bn(net, train_set);                 // batch norm's running statistics become those of the average
//   double share = train::accuracy(net, validation);
//   ema.train();                                      // and again what is trained

namespace eigengrad::EIGENGRAD_ISA::optim {

namespace detail {

/// An inner optimiser, the average of the weights after its steps, and which of the two the parameters are.
template <class Inner>
class AveragedWeights : public OptimizerWrapper<Inner> {
 public:
  using typename OptimizerWrapper<Inner>::Scalar;

  /// The parameters become the average, if there is one yet. Does nothing the second time.
  void eval() {
    if (averaged_ || average_.empty()) return;
    average_.swap(this->inner());
    averaged_ = true;
  }
  /// The parameters become again what is trained. Does nothing if they are.
  void train() {
    if (!averaged_) return;
    average_.swap(this->inner());
    averaged_ = false;
  }
  /// True between eval() and train(), if there is an average.
  bool averaged() const { return averaged_; }

  /// Errors   StateError between eval() and train()
  template <class L>
  OptimizerState<Scalar> state(L& net) const {
    require_training("state");
    OptimizerState<Scalar> state = this->state_around(name_, net);
    state.steps = {{kSteps, steps_}, {kAveraged, count_}};
    average_.save(this->inner(), net, "average", state);
    return state;
  }
  template <class L>
  void load_state(L& net, const OptimizerState<Scalar>& state) {
    require_training("load_state");
    check_parts(state, name_, 1);
    const Index steps = count_of(state, kSteps), count = count_of(state, kAveraged);
    SecondWeights<Scalar> average;
    average.load(this->inner(), net, "average", state);
    this->inner().load_state(net, state.parts[0]);
    average_ = std::move(average);
    steps_ = steps;
    count_ = count;
  }

 protected:
  EIGENGRAD_COLD AveragedWeights(Inner inner, const char* name, Index start, Index freq)
      : OptimizerWrapper<Inner>(std::move(inner)), name_(name), start_(start), freq_(freq) {
    eigengrad::detail::check::at_least(name, "start", start, Index{0});
    eigengrad::detail::check::above_zero(name, "freq", freq);
  }

  /// A step, after which weight(n) says how far the average of n weights goes towards the new ones.
  template <class Weight>
  void step_and_average(const Weight& weight) {
    require_training("step");
    this->inner().step();
    ++steps_;
    if (steps_ <= start_ || (steps_ - start_) % freq_ != 0) return;
    if (count_++ == 0)
      average_.copy(this->inner());
    else
      average_.approach(this->inner(), weight(count_ - 1));
  }

 private:
  static constexpr const char* kSteps = "steps";
  static constexpr const char* kAveraged = "averaged";

  EIGENGRAD_CALLED void require_training(const char* call) const {
    if (!averaged_) return;
    throw StateError(error_text(name_, ": ", call, " of the averaged weights; train() comes before it"));
  }

  const char* name_;
  Index start_, freq_;
  SecondWeights<Scalar> average_;  // or what is trained, between eval() and train()
  Index steps_ = 0;
  Index count_ = 0;  // weights in the average
  bool averaged_ = false;
};

}  // namespace detail

struct ExponentialMovingAverageOptions {
  double decay = 0.999;  ///< what is left of the average in each update
  Index start = 0;       ///< steps before the first that counts
  Index freq = 1;        ///< steps between updates
};

/// An exponential moving average of the weights: average = decay average + (1 - decay) parameter after each step. The
/// first update copies the parameters, as torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn.
/// Errors   ValueError for a decay outside 0 ... 1, a start below 0 or a freq below 1; StateError for a step between
///          eval() and train(); those of the inner optimiser
/// Source   Polyak & Juditsky 1992
template <class Inner>
class ExponentialMovingAverage : public detail::AveragedWeights<Inner> {
 public:
  EIGENGRAD_COLD explicit ExponentialMovingAverage(Inner inner, const ExponentialMovingAverageOptions& options = {})
      : detail::AveragedWeights<Inner>(std::move(inner), "ExponentialMovingAverage", options.start, options.freq),
        decay_(options.decay) {
    eigengrad::detail::check::between("ExponentialMovingAverage", "decay", decay_, 0.0, 1.0);
  }

  void step() {
    this->step_and_average([this](Index) { return 1.0 - decay_; });
  }

 private:
  double decay_;
};

struct StochasticWeightAveragingOptions {
  Index start = 0;  ///< steps before the first that counts: three quarters of the run, say
  Index freq = 1;   ///< steps between the weights that are averaged: those of an epoch, say
};

/// The mean of the weights after every freq-th step from start on, as torch.optim.swa_utils.AveragedModel. A constant
/// or cyclic learning rate from start on goes well with it.
/// Errors   as ExponentialMovingAverage
/// Source   Izmailov, Podoprikhin, Garipov, Vetrov, Wilson 2018
template <class Inner>
class StochasticWeightAveraging : public detail::AveragedWeights<Inner> {
 public:
  EIGENGRAD_COLD explicit StochasticWeightAveraging(Inner inner, const StochasticWeightAveragingOptions& options = {})
      : detail::AveragedWeights<Inner>(std::move(inner), "StochasticWeightAveraging", options.start, options.freq) {}

  void step() {
    this->step_and_average([](Index count) { return 1.0 / static_cast<double>(count + 1); });
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::optim
