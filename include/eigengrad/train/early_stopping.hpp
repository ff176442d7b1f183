// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <eigengrad/train/monitor.hpp>

// train::fit(net, loss, adam, loader, validation, {.on_evaluation = train::EarlyStopping{{.patience = 5}}});

namespace eigengrad::EIGENGRAD_ISA::train {

struct EarlyStoppingOptions {
  Monitor monitor = validation_loss();
  Index patience = 10;     ///< evaluations in a row without a better value
  double min_delta = 0.0;  ///< a value must be better by more than this
};

/// Ends a run that gets no better: a callback of fit. A run that goes on with checkpoints waits as it would have
/// without the stop.
/// Errors   ValueError for a patience below 1 or a min_delta below 0
class EarlyStopping {
 public:
  EIGENGRAD_COLD explicit EarlyStopping(const EarlyStoppingOptions& options = {})
      : patience_(options.patience), min_delta_(options.min_delta), watch_(options.monitor) {
    eigengrad::detail::check::above_zero("EarlyStopping", "patience", patience_);
    eigengrad::detail::check::at_least("EarlyStopping", "min_delta", min_delta_, 0.0);
  }

  void begin(const std::vector<Measurement>& history) {
    watch_.begin();
    for (const Measurement& m : history) (*this)(m);
  }
  bool operator()(const Measurement& m) {
    watch_.see(m, min_delta_);
    return watch_.waited() >= patience_;
  }

 private:
  Index patience_;
  double min_delta_;
  detail::Watch watch_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
