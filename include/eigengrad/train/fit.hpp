// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include <eigengrad/optim/clip_grad.hpp>
#include <eigengrad/optim/schedule.hpp>
#include <eigengrad/train/check_shapes.hpp>
#include <eigengrad/train/evaluate.hpp>
#include <eigengrad/train/fit_checks.hpp>

// fit: the training loop.
//   train::fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, test, {.max_steps = 1500, .eval_freq = 100});
//   train::fit(net, loss, adam, loader, test, {.max_steps = 1500,
//                                              .schedule = optim::OneCycleLR{.total_steps = 1500},
//                                              .max_grad_norm = 1.0});

namespace eigengrad::EIGENGRAD_ISA::train {

/// One evaluation during training.
struct Measurement {
  Index step = 0;
  double train_loss = 0.0;  ///< mean over the samples of the steps since the last evaluation
  double test_loss = 0.0;
  double test_accuracy = 0.0;  ///< NaN if the targets are no labels
  double seconds = 0.0;        ///< spent on training so far, evaluations not counted
};

struct FitOptions {
  Index max_steps = data::kEndless;  ///< or fewer, if the loader ends first
  Index eval_freq = 100;             ///< steps between evaluations; the last step is always followed by one
  optim::Schedule schedule = {};     ///< of the learning rates, its step 0 being the first step; empty for none
  double max_grad_norm = 0.0;        ///< gradients of a larger norm are scaled down to it; 0 for no clipping
  std::function<void(Index step, double loss)> on_step = {};
  std::function<void(const Measurement&)> on_evaluation = {};
};

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
/// Errors   ShapeError naming the layer that the loader's batches or the test set do not fit; ValueError for a test set
///          without samples; those of the loss for targets that it cannot take
template <class Net, class L, class D, data::Dataset Test>
EIGENGRAD_COLD void check_data(const Net& net, const L& loss, const data::Loader<D>& loader, const Test& test) {
  check_shapes(net, loader);
  check_training_targets(net, loss, loader);
  check_test_set(net, loss, test, kEvaluationBatch);
}

/// Trains a network step by step: forward, loss, backward, update. Ends after max_steps or with the loader.
/// With a schedule the optimiser keeps the factor of the last step.
/// Errors   ValueError naming the step, before it changes a parameter, if the loss is not finite, with the first
///          place where a number is not (inputs, targets, a parameter, a layer's output), or where, with max_grad_norm,
///          the gradients are not; ValueError for a run without end; before the first step those of check_data;
///          ShapeError if a result of the network or of the loss's backward has a shape that it should not;
///          StateError if a parameter of the optimiser has got no gradient by the first evaluation after a whole
///          epoch, or by the last one
template <class Net, class L, class Optimizer, class D, data::Dataset Test>
std::vector<Measurement> fit(Net& net, L loss, Optimizer& optimizer, data::Loader<D>& loader, const Test& test,
                             const FitOptions& options = {}) {
  detail::check_fit<Optimizer>(options, loader.endless());
  check_data(net, loss, loader, test);
  using Clock = std::chrono::steady_clock;
  zero_grad(net);
  std::vector<Measurement> history;
  double seconds = 0.0;
  double loss_sum = 0.0;
  double samples = 0.0;
  detail::UnreachedParameters unreached;
  loader.begin_pass();
  std::optional batch = loader.next();
  for (Index step = 1; batch; ++step) {
    const auto start = Clock::now();
    if constexpr (detail::kFollowsSchedules<Optimizer>) {
      if (options.schedule) optimizer.set_learning_rate_factor(options.schedule(step - 1));
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
    if (step < options.max_steps) batch = loader.next();
    seconds += std::chrono::duration<double>(Clock::now() - start).count();

    loss_sum += value * batch_samples;
    samples += batch_samples;
    if (options.on_step) options.on_step(step, value);
    if (step % options.eval_freq != 0 && batch) continue;
    if (step >= loader.batches_per_epoch() || !batch) unreached.require_none();
    const Evaluation now = evaluate(net, loss, test);
    history.push_back({step, loss_sum / samples, now.loss, now.accuracy, seconds});
    loss_sum = 0.0;
    samples = 0.0;
    if (options.on_evaluation) options.on_evaluation(history.back());
  }
  return history;
}

/// The measurement with the highest test accuracy or, if the targets are no labels, the lowest test loss; the first
/// of equals.
/// Errors   ValueError for an empty history
inline const Measurement& best(const std::vector<Measurement>& history) {
  if (history.empty()) throw ValueError("best: the history has no measurement");
  return *std::max_element(history.begin(), history.end(), [](const Measurement& a, const Measurement& b) {
    return std::isnan(a.test_accuracy) ? a.test_loss > b.test_loss : a.test_accuracy < b.test_accuracy;
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
