// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <eigengrad/train/checkpoint.hpp>
#include <eigengrad/train/curves.hpp>

// Which learning rate to begin with?
//   const auto range = train::find_learning_rate(net, loss, adam, loader);
//   std::cout << range.suggestion() << '\n';
//   write_file("learning_rate.svg", range.to_svg());
//   adam.set_learning_rate(range.suggestion());

namespace eigengrad::EIGENGRAD_ISA::train {

struct FindLearningRateOptions {
  double min = 1e-7;        ///< the first rate
  double max = 10.0;        ///< the last one
  Index steps = 100;        ///< from min to max, each rate the same multiple of the one before
  double divergence = 4.0;  ///< ends when the loss is larger than the smallest by this factor
};

/// The losses of the steps of a network at rates that rise from step to step.
struct LearningRateRange {
  std::vector<double> rates;
  std::vector<double> losses;  ///< of the batch before the step at that rate

  /// The losses, each averaged with its neighbours.
  std::vector<double> smoothed() const {
    constexpr std::size_t kWindow = 9;
    return moving_average(losses, kWindow);
  }

  /// The rate at which the smoothed loss falls most steeply, seen over the logarithm of the rate, before its minimum: a
  /// rate to begin with, or several times smaller than the largest for a one-cycle schedule. NaN if the loss falls
  /// nowhere.
  EIGENGRAD_COLD double suggestion() const {
    constexpr std::size_t kReach = 4;  // steps to both sides of a slope
    const std::vector<double> y = smoothed();
    const auto lowest = static_cast<std::size_t>(std::min_element(y.begin(), y.end()) - y.begin());
    double best = std::numeric_limits<double>::quiet_NaN(), steepest = 0.0;
    for (std::size_t i = kReach; i + kReach < y.size() && i <= lowest; ++i) {
      const double slope =
          (y[i + kReach] - y[i - kReach]) / (std::log(rates[i + kReach]) - std::log(rates[i - kReach]));
      if (slope >= steepest) continue;
      steepest = slope;
      best = rates[i];
    }
    return best;
  }

  /// Loss against rate as a picture, with the suggestion.
  EIGENGRAD_COLD std::string to_svg() const {
    std::vector<double> logarithms;
    for (const double rate : rates) logarithms.push_back(std::log10(rate));
    const std::vector<double> means = smoothed();
    Panel panel{"loss against learning rate", "learning rate, as a power of 10", "loss", {}};
    if (const double rate = suggestion(); !std::isnan(rate)) {
      const auto [low, high] = std::minmax_element(means.begin(), means.end());
      const double x = std::log10(rate);
      panel.curves.push_back({{x, x}, {*low, *high}, joined("suggestion: ", to_general(rate, 2))});
    }
    panel.curves.push_back({logarithms, means, "mean of neighbours"});
    panel.curves.push_back({logarithms, losses, "each step", /*background=*/true});
    return curves_svg({panel});
  }
};

/// Trains at rates from min to max, one step at each, and then gives network and optimiser back as they were. The rates
/// are those of the optimiser's set_learning_rate; parameter groups with a rate of their own keep their ratio to it.
/// The loader is left where it is: a copy of it goes on from there, and again over the data if it ends.
/// Errors   ValueError for rates that are not 0 < min < max, fewer than 10 steps or a divergence of 1 or less, or an
///          optimiser with learning rate 0; those of fit for data that do not fit
/// Source   Smith, Cyclical learning rates for training neural networks, 2017
template <class Net, class L, class Optimizer, class D>
LearningRateRange find_learning_rate(Net& net, L loss, Optimizer& optimizer, data::Loader<D> loader,
                                     const FindLearningRateOptions& options = {}) {
  namespace check = eigengrad::detail::check;
  check::above_zero("find_learning_rate", "min", options.min);
  check::above_zero("find_learning_rate", "max - min", options.max - options.min);
  check::at_least("find_learning_rate", "steps", options.steps, Index{10});
  check::above_zero("find_learning_rate", "divergence - 1", options.divergence - 1.0);
  check::above_zero("find_learning_rate", "the optimiser's learning_rate", optimizer.learning_rate());
  check_shapes(net, loader);
  check_training_targets(net, loss, loader);

  /// Network and optimiser, which come back whatever ends the search.
  struct Before {
    Net& net;
    Optimizer& optimizer;
    data::Loader<D>& loader;
    Checkpoint<scalar_of<Net>> checkpoint = make_checkpoint(net, optimizer, loader.state(), {});

    Before(Net& n, Optimizer& o, data::Loader<D>& l) : net(n), optimizer(o), loader(l) {}
    Before(const Before&) = delete;
    Before& operator=(const Before&) = delete;
    ~Before() {
      zero_grad(net);
      restore(checkpoint, net, optimizer, loader);
    }
  };
  zero_grad(net);
  const Before before(net, optimizer, loader);

  LearningRateRange range;
  double smallest = std::numeric_limits<double>::infinity();
  const double ratio = std::log(options.max / options.min) / static_cast<double>(options.steps - 1);
  for (Index step = 0; step < options.steps; ++step) {
    const double rate = options.min * std::exp(ratio * static_cast<double>(step));
    optimizer.set_learning_rate_factor(rate / optimizer.learning_rate());
    loader.begin_pass();
    auto batch = loader.next();
    const auto value = static_cast<double>(loss.forward(net.forward(std::move(batch->inputs)), batch->targets));
    if (!std::isfinite(value) || value > options.divergence * smallest) break;
    smallest = std::min(smallest, value);
    range.rates.push_back(rate);
    range.losses.push_back(value);
    backward_parameters(net, loss.backward());
    optimizer.step();
  }
  return range;
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
