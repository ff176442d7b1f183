// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <vector>

#include <eigengrad/train/monitor.hpp>

// train::fit(net, loss, adam, loader, validation, {.on_evaluation = train::ReduceLROnPlateau{adam, {.patience = 3}}});

namespace eigengrad::EIGENGRAD_ISA::train {

struct ReduceLROnPlateauOptions {
  Monitor monitor = validation_loss();
  double factor = 0.1;      ///< what the learning rates are multiplied by
  Index patience = 10;      ///< so many evaluations in a row may bring no better value; the next one reduces
  double threshold = 1e-4;  ///< a value must be better by more than this share of the best one
  Index cooldown = 0;       ///< evaluations after a reduction that do not count
  double min_factor = 0.0;  ///< the optimiser's learning_rate_factor falls no further
};

/// Multiplies the learning rates of an optimiser by a factor when a value gets no better: a callback of fit, as
/// torch.optim.lr_scheduler.ReduceLROnPlateau. It sets the learning_rate_factor, which FitOptions::schedule sets too:
/// one of them goes. The optimiser must stay where it is.
/// Errors   ValueError for a factor that is not between 0 and 1, a patience, threshold, cooldown or min_factor below 0
template <class Optimizer>
class ReduceLROnPlateau {
 public:
  EIGENGRAD_COLD explicit ReduceLROnPlateau(Optimizer& optimizer, const ReduceLROnPlateauOptions& options = {})
      : optimizer_(&optimizer), options_(options), watch_(options.monitor) {
    namespace check = eigengrad::detail::check;
    check::between("ReduceLROnPlateau", "factor", options.factor, 0.0, 1.0);
    check::at_least("ReduceLROnPlateau", "patience", options.patience, Index{0});
    check::at_least("ReduceLROnPlateau", "threshold", options.threshold, 0.0);
    check::at_least("ReduceLROnPlateau", "cooldown", options.cooldown, Index{0});
    check::at_least("ReduceLROnPlateau", "min_factor", options.min_factor, 0.0);
  }

  /// The optimiser of a run that goes on has its factor already.
  void begin(const std::vector<Measurement>& history) {
    watch_.begin();
    resting_ = 0;
    for (const Measurement& m : history) is_due(m);
  }
  void operator()(const Measurement& m) {
    if (!is_due(m)) return;
    const double factor = optimizer_->learning_rate_factor();
    optimizer_->set_learning_rate_factor(std::min(factor, std::max(factor * options_.factor, options_.min_factor)));
  }

 private:
  /// True if the rates are to be reduced after this measurement.
  bool is_due(const Measurement& m) {
    watch_.see(m, 0.0, options_.threshold);
    if (resting_ > 0) {
      --resting_;
      watch_.wait_anew();
    }
    if (watch_.waited() <= options_.patience) return false;
    resting_ = options_.cooldown;
    watch_.wait_anew();
    return true;
  }

  Optimizer* optimizer_;
  ReduceLROnPlateauOptions options_;
  detail::Watch watch_;
  Index resting_ = 0;  // evaluations that are still to be left out
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
