// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <eigengrad/optim/clip_grad.hpp>
#include <eigengrad/optim/schedule.hpp>
#include <eigengrad/train/averaged_network.hpp>
#include <eigengrad/train/callbacks.hpp>
#include <eigengrad/train/check_shapes.hpp>
#include <eigengrad/train/evaluate.hpp>
#include <eigengrad/train/fit_checks.hpp>
#include <eigengrad/train/measurement.hpp>

// fit: the training loop.
//   train::fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, validation, {.max_steps = 1500, .eval_freq = 100});
//   train::fit(net, loss, adam, loader, validation, {.schedule = optim::OneCycleLR{.total_steps = 1500},
//                                                    .max_grad_norm = 1.0,
//                                                    .on_evaluation = train::EarlyStopping{{.patience = 5}}});

namespace eigengrad::EIGENGRAD_ISA::train {

/// What fit has done so far.
struct Course {
  Index step = 0;         ///< the last one
  double loss_sum = 0.0;  ///< over the samples of the steps since the last evaluation
  double samples = 0.0;   ///< of those steps
  double seconds = 0.0;   ///< spent on training
  std::vector<Measurement> history;
};

struct FitOptions {
  Index max_steps = data::kEndless;  ///< or fewer, if the loader ends first
  Index eval_freq = 100;             ///< steps between evaluations; the last step is always followed by one
  optim::Schedule schedule = {};     ///< of the learning rates, its step 0 being the first step; empty for none
  double max_grad_norm = 0.0;        ///< gradients of a larger norm are scaled down to it; 0 for no clipping
  /// Called after every step with its number and loss; one that returns true ends the run.
  Callbacks<Index, double> on_step = {};
  /// Called after every evaluation; one that returns true ends the run: EarlyStopping, KeepBest, ReduceLROnPlateau.
  Callbacks<const Measurement&> on_evaluation = {};
};

/// fit without train::Checkpoints.
struct NoCheckpoints {};

namespace detail {

/// True if a schedule can change the optimiser's learning rates.
template <class Optimizer>
inline constexpr bool kFollowsSchedules = requires(Optimizer& optimizer) {
  optimizer.set_learning_rate_factor(1.0);
};

/// Options in their range, and an optimiser that can follow the schedule.
template <class Optimizer>
EIGENGRAD_COLD void check_fit(const FitOptions& options, bool endless_loader) {
  detail::check::above_zero("fit", "max_steps", options.max_steps);
  detail::check::above_zero("fit", "eval_freq", options.eval_freq);
  detail::check::at_least_or_infinite("fit", "max_grad_norm", options.max_grad_norm, 0.0);
  if (endless_loader && options.max_steps == data::kEndless) {
    throw ValueError("fit: the loader has no end, so max_steps is needed");
  }
  if (!options.schedule) return;
  if constexpr (!kFollowsSchedules<Optimizer>) {
    throw ValueError("fit: the optimiser has no set_learning_rate_factor, which a schedule needs");
  }
  options.schedule(0);  // throws if it has an option out of range
}

/// Sets the optimiser's factor for a step.
/// Errors   ValueError if another has set it since the last one
template <class Optimizer>
void follow(const optim::Schedule& schedule, Optimizer& optimizer, Index step, Index steps_before) {
  if constexpr (requires { optimizer.learning_rate_factor(); }) {
    if (step > steps_before + 1 && optimizer.learning_rate_factor() != schedule(step - 2))
      throw ValueError("fit: the schedule and another, ReduceLROnPlateau say, set the learning rate; one of them goes");
  }
  optimizer.set_learning_rate_factor(schedule(step - 1));
}

/// Scales the gradients down if the options say so. If their norm is not finite they are dropped, and the error
/// names the step.
template <class Net, class Optimizer>
EIGENGRAD_CALLED void clip(Net& net, Optimizer& optimizer, Index step, const FitOptions& options) {
  if (options.max_grad_norm == 0.0) return;
  try {
    if constexpr (requires { optimizer.clip_grad_norm(1.0); })
      optimizer.clip_grad_norm(options.max_grad_norm);
    else
      optim::clip_grad_norm(parameters(net), options.max_grad_norm);
  } catch (const ValueError& error) {
    zero_grad(net);
    throw ValueError(error_text("fit: step ", step, ": ", error.what()));
  }
}

}  // namespace detail

/// What fit asks of its data before the first step, and a program may ask before it begins anything else.
/// Errors   ShapeError naming the layer that the loader's batches or the validation set do not fit; ValueError for a
///          validation set without samples; those of the loss for targets that it cannot take
template <class Net, class L, class D, data::Dataset Validation>
EIGENGRAD_COLD void check_data(const Net& net, const L& loss, const data::Loader<D>& loader,
                               const Validation& validation) {
  check_shapes(net, loader);
  check_training_targets(net, loss, loader);
  check_validation_set(net, loss, validation, kEvaluationBatch);
}

/// Trains a network step by step: forward, loss, backward, update. Ends after max_steps, with the loader or when a
/// callback says so, and returns the history in any case. With a schedule the optimiser keeps the factor of the last
/// step. With train::Checkpoints (checkpoint.hpp) a run goes on where another has stopped, and its result is the whole
/// history.
/// Errors   ValueError naming the step, before it changes a parameter, if the loss is not finite, with the first
///          place where a number is not (inputs, targets, a parameter, a layer's output), or where, with max_grad_norm,
///          the gradients are not; ValueError for a run without end; before the first step those of check_data;
///          ShapeError if a result of the network or of the loss's backward has a shape that it should not;
///          StateError if a parameter of the optimiser has got no gradient by the first evaluation after a whole
///          epoch, or by the last one
/// With an optimiser that averages weights (optim/averaged_weights.hpp) the averaged network is what is evaluated, what
/// on_evaluation's callables see and what the run ends with. Its batch norm has the running statistics of the data.
template <class Net, class L, class Optimizer, class D, data::Dataset Validation, class Checkpoints = NoCheckpoints>
std::vector<Measurement> fit(Net& net, L loss, Optimizer& optimizer, data::Loader<D>& loader,
                             const Validation& validation, const FitOptions& options = {},
                             Checkpoints checkpoints = {}) {
  constexpr bool kWritesCheckpoints = !std::same_as<Checkpoints, NoCheckpoints>;
  detail::check_fit<Optimizer>(options, loader.endless());
  check_data(net, loss, loader, validation);
  using Clock = std::chrono::steady_clock;
  zero_grad(net);
  detail::AveragedNetwork averaged(net, optimizer, loader);
  averaged.leave();  // which an earlier run has ended with
  Course course;
  if constexpr (kWritesCheckpoints) checkpoints.begin(net, optimizer, loader, course);
  const Index steps_before = course.step;
  options.on_step.begin(course.history);
  options.on_evaluation.begin(course.history);
  if (steps_before >= options.max_steps) {
    averaged.enter(steps_before);
    return course.history;
  }
  detail::UnreachedParameters unreached;
  if (steps_before == 0) loader.begin_pass();
  data::LoaderState at_batch = loader.state();  // of the next step
  std::optional batch = loader.next();
  for (bool stopped = false; batch && !stopped;) {
    const auto start = Clock::now();
    const Index step = ++course.step;
    if constexpr (detail::kFollowsSchedules<Optimizer>) {
      if (options.schedule) detail::follow(options.schedule, optimizer, step, steps_before);
    }
    const auto batch_samples = static_cast<double>(batch->inputs.size(0));
    auto outputs = net.forward(batch->inputs, Mode::train);
    const Shape output_shape = outputs.shape();
    detail::check_outputs(net, batch->inputs.shape(), output_shape);
    const double value = static_cast<double>(loss.forward(std::move(outputs), batch->targets));
    if (!std::isfinite(value)) {
      throw ValueError(error_text("fit: the loss is ", value, " at step ", step, "; ",
                                  detail::reason_of_no_finite_loss(net, batch->inputs, batch->targets)));
    }
    auto dy = loss.backward();
    detail::check::same_shape("fit: the loss", "backward's result", dy.shape(), output_shape);
    backward_parameters(net, std::move(dy));
    unreached.update(net);
    detail::clip(net, optimizer, step, options);
    optimizer.step();
    zero_grad(net);  // those of parameters that are not the optimiser's, or they would add up
    batch.reset();   // its memory serves the next one
    at_batch = loader.state();
    if (step < options.max_steps) batch = loader.next();
    course.seconds += std::chrono::duration<double>(Clock::now() - start).count();

    course.loss_sum += value * batch_samples;
    course.samples += batch_samples;
    stopped = options.on_step(step, value) && batch;
    const bool evaluates = step % options.eval_freq == 0 || !batch;
    if (evaluates) {
      const bool reached_all = step - steps_before >= loader.batches_per_epoch() || (steps_before == 0 && !batch);
      if (reached_all) unreached.require_none();
      averaged.enter(step);
      const Evaluation now = evaluate(net, loss, validation);
      course.history.push_back({step, course.loss_sum / course.samples, now.loss, now.accuracy, course.seconds});
      course.loss_sum = course.samples = 0.0;
      stopped = options.on_evaluation(course.history.back()) || stopped;
      averaged.leave();
    }
    if constexpr (kWritesCheckpoints) {
      if (stopped || !batch || checkpoints.is_due(step, evaluates)) checkpoints.write(net, optimizer, at_batch, course);
    }
  }
  if (batch) loader.load_state(at_batch);  // it has not been used
  averaged.enter(course.step);
  options.on_step.end();
  options.on_evaluation.end();
  return course.history;
}

/// The same with a loader that nobody needs afterwards.
template <class Net, class L, class Optimizer, class D, data::Dataset Validation, class Checkpoints = NoCheckpoints>
std::vector<Measurement> fit(Net& net, L loss, Optimizer& optimizer, data::Loader<D>&& loader,
                             const Validation& validation, const FitOptions& options = {},
                             Checkpoints checkpoints = {}) {
  return fit(net, std::move(loss), optimizer, loader, validation, options, std::move(checkpoints));
}

/// The measurement with the highest validation accuracy or, if the targets are no labels, the lowest validation loss;
/// the first of equals.
/// Errors   ValueError for an empty history
inline const Measurement& best(const std::vector<Measurement>& history) {
  if (history.empty()) throw ValueError("best: the history has no measurement");
  return *std::max_element(history.begin(), history.end(), [](const Measurement& a, const Measurement& b) {
    return std::isnan(a.validation_accuracy) ? a.validation_loss > b.validation_loss
                                             : a.validation_accuracy < b.validation_accuracy;
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
