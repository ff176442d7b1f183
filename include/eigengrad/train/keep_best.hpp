// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include <eigengrad/nn/state.hpp>
#include <eigengrad/train/monitor.hpp>

// train::KeepBest best{net};
// train::fit(net, loss, adam, loader, validation, {.on_evaluation = best});     // ends with the best network
// best.measurement().validation_loss;

namespace eigengrad::EIGENGRAD_ISA::train {

struct KeepBestOptions {
  Monitor monitor = validation_loss();
  bool restore = true;  ///< give the network back its best state when the run has ended
};

/// Keeps the parameters and buffers that the network had at its best evaluation: a callback of fit. The network must
/// stay where it is. Copies share what they keep. In a run that goes on with checkpoints, what was better before is
/// known by its measurement alone: then the network ends as it is, unless it has become better still.
template <class Net>
class KeepBest {
 public:
  EIGENGRAD_COLD explicit KeepBest(Net& net, const KeepBestOptions& options = {})
      : kept_(std::make_shared<Kept>(Kept{&net, options.restore, detail::Watch(options.monitor), {}, {}})) {}

  void begin(const std::vector<Measurement>& history) {
    kept_->state.clear();
    kept_->measurement = {};
    kept_->watch.begin();
    for (const Measurement& m : history) {
      if (kept_->watch.see(m, 0.0)) kept_->measurement = m;
    }
  }
  void operator()(const Measurement& m) {
    if (!kept_->watch.see(m, 0.0)) return;
    kept_->measurement = m;
    kept_->state = nn::state(*kept_->net);
  }
  void end() {
    if (kept_->restore && !kept_->state.empty()) nn::load_state(*kept_->net, kept_->state);
  }

  /// The best evaluation so far; its step is 0 if there was none.
  const Measurement& measurement() const { return kept_->measurement; }
  /// The network's state then; empty if there was none.
  const nn::State<scalar_of<Net>>& state() const { return kept_->state; }

 private:
  struct Kept {
    Net* net;
    bool restore;
    detail::Watch watch;
    Measurement measurement;
    nn::State<scalar_of<Net>> state;
  };
  std::shared_ptr<Kept> kept_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
