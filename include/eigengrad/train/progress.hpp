// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <ostream>
#include <string>

#include <eigengrad/core/slow_build.hpp>
#include <eigengrad/core/system_terminal.hpp>
#include <eigengrad/train/fit.hpp>
#include <eigengrad/train/progress_bar.hpp>

// What a run tells while it works: a bar that is redrawn on a terminal, plain lines elsewhere.
//   train::fit(net, loss, sgd, loader, validation, {.on_evaluation = train::Progress{std::cout}});
//   train::Progress bar{std::cout, {.max_steps = 1500, .terminal = true}};   // then bar.step(step, loss) in on_step

namespace eigengrad::EIGENGRAD_ISA::train {

struct ProgressOptions {
  Index max_steps = 1;        ///< of the run; below 1 it counts as 1
  Index steps_per_epoch = 0;  ///< the loader's batches_per_epoch(), to show the epoch too; 0 to show none
  bool terminal = false;      ///< the stream is a terminal, on which a line can be written over
  int columns = 0;            ///< characters in its lines; 0: as many as the program's terminal has at that moment
};

/// Writes the course of a training run to a stream that the caller names. Where that is no terminal, there is no bar
/// and no control character.
class Progress {
 public:
  /// Lines alone. If the program was built to be slow, the first one says so at once.
  explicit Progress(std::ostream& out) : Progress(out, ProgressOptions{}) {
    if (const std::string note = slow_build_note(); !note.empty()) out_ << joined("note: ", note, "\n") << std::flush;
  }
  Progress(std::ostream& out, const ProgressOptions& options) : out_(out), options_(options) {
    options_.max_steps = std::max<Index>(options_.max_steps, 1);
  }
  Progress(std::ostream& out, Index max_steps, bool terminal)
      : Progress(out, ProgressOptions{.max_steps = max_steps, .terminal = terminal}) {}

  /// After a step: redraws the bar, at most ten times a second. It shows the steps, the epoch, the loss, the steps a
  /// second and the time that the remaining ones take, evaluations not counted; in a narrow terminal what has room.
  void step(Index step, double loss) {
    if (!options_.terminal) return;
    const double now = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    pace_.step(step, now);
    constexpr double kRedraw = 0.1;  // seconds
    if (bar_ && now < *bar_ + kRedraw && step != options_.max_steps) return;
    const detail::RunState run{step, options_.max_steps, options_.steps_per_epoch, loss, pace_.steps_per_second()};
    const int columns = options_.columns > 0 ? options_.columns : eigengrad::detail::terminal_columns();
    out_ << joined("\r", detail::progress_line(run, columns), "\033[K") << std::flush;
    bar_ = now;
  }

  /// After an evaluation: a line of its own.
  void evaluation(const Measurement& m) {
    pace_.evaluation(m.step, m.seconds);
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
    bar_.reset();
  }

 private:
  std::ostream& out_;
  ProgressOptions options_;
  detail::Pace pace_;
  std::optional<double> bar_;  // when it was drawn, if it is there
};

}  // namespace eigengrad::EIGENGRAD_ISA::train
