// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/train/measurement.hpp>

// What a callback watches.
//   train::EarlyStopping{{.monitor = train::validation_accuracy(), .patience = 5}}
//   train::Monitor{.value = [](const train::Measurement& m) { return m.train_loss; }}

namespace eigengrad::EIGENGRAD_ISA::train {

/// A number of each measurement, and which way is better.
struct Monitor {
  std::function<double(const Measurement&)> value;
  bool higher_is_better = false;
};

inline Monitor validation_loss() {
  return {.value = [](const Measurement& m) { return m.validation_loss; }};
}
inline Monitor validation_accuracy() {
  return {.value = [](const Measurement& m) { return m.validation_accuracy; }, .higher_is_better = true};
}

namespace detail {

/// The best value so far, and for how many measurements there was no better one.
class Watch {
 public:
  explicit Watch(Monitor monitor) : monitor_(std::move(monitor)) {}

  void begin() {
    best_ = std::numeric_limits<double>::quiet_NaN();
    waited_ = 0;
  }
  /// True if it is better than the best so far by more than delta + share |best|; the first number always is, one that
  /// is not finite never.
  bool see(const Measurement& m, double delta, double share = 0.0) {
    const double value = monitor_.value(m);
    const double gain = monitor_.higher_is_better ? value - best_ : best_ - value;
    const bool better = std::isfinite(value) && (std::isnan(best_) || gain > delta + share * std::abs(best_));
    if (better) best_ = value;
    waited_ = better ? 0 : waited_ + 1;
    return better;
  }
  void wait_anew() { waited_ = 0; }
  Index waited() const { return waited_; }
  /// NaN before the first.
  double best() const { return best_; }

 private:
  Monitor monitor_;
  double best_ = std::numeric_limits<double>::quiet_NaN();
  Index waited_ = 0;
};

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA::train
