// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <eigengrad/core/index.hpp>
#include <eigengrad/core/text.hpp>

// What train::Progress shows on a terminal: the speed of a run, and its state as one line of a given width.

namespace eigengrad::EIGENGRAD_ISA::train::detail {

/// How fast a run makes its steps. The time of an evaluation, and of whatever else happens before the next step ends,
/// is left out. The last ten seconds or the last twenty steps, whichever takes longer, count most: a run that has
/// become slower or faster soon shows it, and a single slow step hardly does.
class Pace {
 public:
  /// A step has ended at that time, in seconds from any moment.
  void step(Index step, double now) {
    if (running_ && step > step_ && now >= now_) add(static_cast<double>(step - step_), now - now_);
    running_ = true;
    step_ = step;
    now_ = now;
  }

  /// An evaluation begins or has ended. `step` and `seconds`, of training alone, are what it says: they stand in for
  /// steps that nothing else has timed, as when every step is evaluated.
  void evaluation(Index step, double seconds) {
    if (!timed_ && step > evaluated_ && seconds > seconds_)
      add(static_cast<double>(step - evaluated_), seconds - seconds_);
    evaluated_ = step;
    seconds_ = seconds;
    timed_ = running_ = false;
  }

  /// Nothing before the second step.
  std::optional<double> steps_per_second() const {
    if (time_ <= 0.0) return {};
    return steps_ / time_;
  }

 private:
  void add(double steps, double seconds) {
    constexpr double kSeconds = 10.0, kSteps = 20.0;
    const double kept = std::max(std::exp(-seconds / kSeconds), std::exp(-steps / kSteps));
    steps_ = kept * steps_ + steps;
    time_ = kept * time_ + seconds;
    timed_ = true;
  }

  bool running_ = false;  // the time since the last step is that of the next one
  bool timed_ = false;    // a step since the last evaluation
  Index step_ = 0;
  double now_ = 0.0;
  Index evaluated_ = 0;   // the step of the last evaluation
  double seconds_ = 0.0;  // what it said
  double steps_ = 0.0;    // made in time_, both the less counted the longer ago
  double time_ = 0.0;
};

/// "0:07", "12:34", "3:12:34", "5 days"
EIGENGRAD_COLD inline std::string duration_text(double seconds) {
  constexpr double kDay = 86400.0, kMostDays = 9999.0;
  if (!(seconds < 4 * kDay)) return joined(to_fixed(std::min(std::round(seconds / kDay), kMostDays), 0), " days");
  const auto whole = static_cast<Index>(std::round(std::max(seconds, 0.0)));
  const auto two_digits = [](Index number) { return joined(number < 10 ? "0" : "", number); };
  const Index hours = whole / 3600, minutes = whole / 60 % 60;
  return joined(hours > 0 ? joined(hours, ":", two_digits(minutes)) : joined(minutes), ":", two_digits(whole % 60));
}

/// "45.2 steps/s", in a field for less than 100000 of them.
EIGENGRAD_COLD inline std::string speed_text(double steps_per_second) {
  const auto digits = [](double number) { return to_fixed(number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0); };
  return right_aligned(steps_per_second < 0.1 ? to_general(steps_per_second, 2) : digits(steps_per_second), 5) +
         " steps/s";
}

/// A run between two steps.
struct RunState {
  Index step = 0;
  Index max_steps = 1;
  Index steps_per_epoch = 0;  ///< 0 if they are not known
  double loss = 0.0;
  std::optional<double> steps_per_second = {};
};

/// "[=====     ]  750/1500  epoch 3/6  loss 1.2345      45.2 steps/s  0:17 left" in fewer characters than `columns`, as
/// a terminal may go on in the next line once a line is full. The room goes to the number of the step first, then to
/// the time that is left, the loss, the speed, the epoch and the bar: what does not fit is left out, or cut off if it
/// is the number.
EIGENGRAD_COLD inline std::string progress_line(const RunState& run, int columns) {
  const auto room = static_cast<std::size_t>(std::max(columns - 1, 0));
  const std::string all = joined(run.max_steps);
  enum Part { kEpoch, kLoss, kSpeed, kLeft, kParts };
  std::array<std::string, kParts> texts, short_texts;  // the short one where the other has no room
  short_texts[kLoss] = "loss " + to_significant(run.loss);
  texts[kLoss] = left_aligned(short_texts[kLoss], 5 + kSignificantWidth);
  if (run.steps_per_epoch > 0) {
    const auto epoch = [&](Index step) { return (std::max<Index>(step, 1) - 1) / run.steps_per_epoch + 1; };
    texts[kEpoch] = joined("epoch ", epoch(run.step), "/", epoch(run.max_steps));
  }
  if (run.steps_per_second && *run.steps_per_second > 0.0) {
    const auto steps_left = static_cast<double>(std::max<Index>(run.max_steps - run.step, 0));
    short_texts[kLeft] = duration_text(steps_left / *run.steps_per_second);
    texts[kLeft] = short_texts[kLeft] + " left";
    texts[kSpeed] = speed_text(*run.steps_per_second);
  }
  const std::string count = joined(right_aligned(joined(run.step), all.size()), "/", all);
  constexpr std::size_t kGap = 2;
  std::size_t used = count.size();
  for (const Part part : {kLeft, kLoss, kSpeed, kEpoch}) {
    std::string& text = texts[part];
    if (used + kGap + text.size() > room) text = short_texts[part];
    if (used + kGap + text.size() > room) text.clear();
    if (!text.empty()) used += kGap + text.size();
  }
  std::string line;
  constexpr std::size_t kLeastBar = 5, kMostBar = 30, kFrame = 3;  // "[] "
  if (used + kFrame + kLeastBar <= room) {
    const std::size_t bar = std::min(kMostBar, room - used - kFrame);
    const double share = static_cast<double>(run.step) / static_cast<double>(run.max_steps);
    const auto done = static_cast<std::size_t>(static_cast<double>(bar) * std::clamp(share, 0.0, 1.0));
    line = joined("[", left_aligned(std::string(done, '='), bar), "] ");
  }
  line += count;
  for (const std::string& text : texts) {
    if (!text.empty()) line += std::string(kGap, ' ') + text;
  }
  return line.substr(0, room);
}

}  // namespace eigengrad::EIGENGRAD_ISA::train::detail
