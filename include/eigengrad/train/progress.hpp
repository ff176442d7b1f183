// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>

#include <eigengrad/core/slow_build.hpp>
#include <eigengrad/train/fit.hpp>

// What a run tells while it works: a bar that is redrawn on a terminal, plain lines elsewhere.
//   train::fit(net, loss, sgd, loader, validation, {.on_evaluation = train::Progress{std::cout}});

namespace eigengrad::EIGENGRAD_ISA::train {

/// Writes the course of a training run to a stream that the caller names.
class Progress {
 public:
  /// Lines alone. If the program was built to be slow, the first one says so at once.
  explicit Progress(std::ostream& out) : Progress(out, 1, false) {
    if (const std::string note = slow_build_note(); !note.empty()) out_ << joined("note: ", note, "\n") << std::flush;
  }
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
    out_ << joined("\r[", left_aligned(std::string(done, '='), kWidth), "] ", step, "/", max_steps_, "  loss ",
                   to_significant(loss), " ")
         << std::flush;
    bar_ = true;
  }

  /// After an evaluation: a line of its own.
  void evaluation(const Measurement& m) {
    clear();
    const std::string accuracy =
        std::isnan(m.validation_accuracy) ? "" : "  validation accuracy " + to_fixed(m.validation_accuracy, 4);
    const auto loss = [](double value) { return left_aligned(to_significant(value), kSignificantWidth); };
    out_ << joined("step ", right_aligned(joined(m.step), 6), "  train loss ", loss(m.train_loss), "  validation loss ",
                   loss(m.validation_loss), accuracy, "  ", to_fixed(m.seconds, 1), " s\n")
         << std::flush;
  }

  /// What `FitOptions::on_evaluation` calls.
  void operator()(const Measurement& m) { evaluation(m); }

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

}  // namespace eigengrad::EIGENGRAD_ISA::train
