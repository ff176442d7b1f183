// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>

#include <eigengrad/train/fit.hpp>

// What a run tells while it works: a bar that is redrawn on a terminal, plain lines elsewhere.

namespace eigengrad::train {

/// Writes the course of a training run to a stream that the caller names.
class Progress {
 public:
  /// `terminal`: the stream is a terminal, on which a line can be written over.
  Progress(std::ostream& out, Index max_steps, bool terminal)
      : out_(out), max_steps_(std::max<Index>(max_steps, 1)), terminal_(terminal) {}

  /// After a step: redraws the bar, at most once for every thousandth of the run.
  void step(Index step, double loss) {
    if (!terminal_) return;
    const Index stride = std::max<Index>(1, max_steps_ / 1000);
    if (step % stride != 0 && step != max_steps_) return;
    constexpr Index kWidth = 30;
    const auto done = static_cast<std::size_t>(kWidth * std::min(step, max_steps_) / max_steps_);
    std::ostringstream line;
    line << "\r[" << std::string(done, '=') << std::string(static_cast<std::size_t>(kWidth) - done, ' ') << "] " << step
         << "/" << max_steps_ << "  loss " << std::fixed << std::setprecision(4) << loss << " ";
    out_ << line.str() << std::flush;
    bar_ = true;
  }

  /// After an evaluation: a line of its own.
  void evaluation(const Measurement& m) {
    clear();
    std::ostringstream line;
    line << "step " << std::setw(6) << m.step << "  train loss " << std::fixed << std::setprecision(4) << m.train_loss
         << "  test loss " << m.test_loss;
    if (!std::isnan(m.test_accuracy)) line << "  test accuracy " << m.test_accuracy;
    line << "  " << std::setprecision(1) << m.seconds << " s\n";
    out_ << line.str() << std::flush;
  }

  /// Removes the bar, so that other text can follow.
  void clear() {
    if (bar_) out_ << "\r\033[K" << std::flush;
    bar_ = false;
  }

 private:
  std::ostream& out_;
  Index max_steps_;
  bool terminal_;
  bool bar_ = false;
};

}  // namespace eigengrad::train
