// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <vector>

#include <eigengrad/train/evaluate.hpp>

// fit: the training loop.
//   train::fit(net, nn::SoftmaxCrossEntropy{}, sgd, loader, test, {.max_steps = 1500, .eval_freq = 100});

namespace eigengrad::train {

/// One evaluation during training.
struct Measurement {
  Index step = 0;
  double train_loss = 0.0;  ///< mean over the steps since the last evaluation
  double test_loss = 0.0;
  double test_accuracy = 0.0;
  double seconds = 0.0;  ///< spent on training so far, evaluations not counted
};

struct FitOptions {
  Index max_steps = data::kEndless;  ///< or fewer, where the loader ends first
  Index eval_freq = 100;             ///< steps between evaluations; the last step is always followed by one
  std::function<void(Index step, double loss)> on_step = {};
  std::function<void(const Measurement&)> on_evaluation = {};
};

/// Trains a network step by step: forward, loss, backward, update. Ends after max_steps or with the loader.
/// Errors   ValueError naming the step, before it changes the network, where the loss is not finite; ValueError for
///          a run without end
template <class Net, class L, class Optimizer, class D, data::Dataset Test>
std::vector<Measurement> fit(Net& net, L loss, Optimizer& optimizer, data::Loader<D>& loader, const Test& test,
                             const FitOptions& options = {}) {
  check::above_zero("fit", "max_steps", options.max_steps);
  check::above_zero("fit", "eval_freq", options.eval_freq);
  if (loader.endless() && options.max_steps == data::kEndless) {
    throw ValueError("fit: the loader has no end, so max_steps is needed");
  }
  using Clock = std::chrono::steady_clock;
  std::vector<Measurement> history;
  double seconds = 0.0;
  double loss_sum = 0.0;
  Index loss_count = 0;
  loader.begin_pass();
  std::optional batch = loader.next();
  for (Index step = 1; batch; ++step) {
    const auto start = Clock::now();
    const double value = static_cast<double>(loss.forward(net.forward(batch->inputs, Mode::train), batch->targets));
    if (!std::isfinite(value)) {
      throw ValueError(error_text("fit: the loss is ", value, " at step ", step, "; a lower learning rate may help"));
    }
    backward_parameters(net, loss.backward());
    optimizer.step();
    batch.reset();  // its memory serves the next one
    if (step < options.max_steps) batch = loader.next();
    seconds += std::chrono::duration<double>(Clock::now() - start).count();

    loss_sum += value;
    ++loss_count;
    if (options.on_step) options.on_step(step, value);
    if (step % options.eval_freq != 0 && batch) continue;
    const Evaluation now = evaluate(net, loss, test);
    history.push_back({step, loss_sum / static_cast<double>(loss_count), now.loss, now.accuracy, seconds});
    loss_sum = 0.0;
    loss_count = 0;
    if (options.on_evaluation) options.on_evaluation(history.back());
  }
  return history;
}

/// The measurement with the highest test accuracy, the first of equals.
/// Errors   ValueError for an empty history
inline const Measurement& best(const std::vector<Measurement>& history) {
  if (history.empty()) throw ValueError("best: the history has no measurement");
  return *std::max_element(history.begin(), history.end(), [](const Measurement& a, const Measurement& b) {
    return a.test_accuracy < b.test_accuracy;
  });
}

}  // namespace eigengrad::train
