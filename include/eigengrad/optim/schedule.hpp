// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/shape.hpp>

// Schedules: the factor by which the learning rates of a step are multiplied, step 0 being the first.
//   const optim::Schedule schedule =
//       optim::chained(optim::LinearLR{.start_factor = 0.01, .total_steps = 500},
//                      optim::CosineAnnealingLR{.max_steps = 10000});       // warm-up, then cosine
//   train::fit(net, loss, adam, loader, test, {.max_steps = 10000, .schedule = schedule});
//   adam.set_learning_rate_factor(schedule(step));                          // in a loop of one's own
// A schedule is a value that is called; it counts nothing itself. A step below 0 and options out of range are
// ValueErrors of the first call.

namespace eigengrad::EIGENGRAD_ISA::optim {

/// Any function from the number of a step to a factor.
using Schedule = std::function<double(Index step)>;

/// gamma^(step / step_size), the quotient rounded down, as torch.optim.lr_scheduler.StepLR.
/// Errors   ValueError for a step_size below 1 or a gamma below 0
struct StepLR {
  Index step_size = 0;  ///< steps at one rate
  double gamma = 0.1;

  double operator()(Index step) const {
    detail::check::above_zero("StepLR", "step_size", step_size);
    detail::check::at_least("StepLR", "gamma", gamma, 0.0);
    detail::check::at_least("StepLR", "step", step, Index{0});
    const Index drops = step / step_size;
    return std::pow(gamma, static_cast<double>(drops));
  }
};

/// Half a cosine wave from 1 to min_factor, as torch.optim.lr_scheduler.CosineAnnealingLR. PyTorch's eta_min is a rate:
/// min_factor times the learning rate. Past max_steps the wave goes up again, as PyTorch's.
/// Errors   ValueError for max_steps below 1 or a min_factor outside 0 ... 1
struct CosineAnnealingLR {
  Index max_steps = 0;  ///< T_max
  double min_factor = 0.0;

  double operator()(Index step) const {
    detail::check::above_zero("CosineAnnealingLR", "max_steps", max_steps);
    detail::check::between("CosineAnnealingLR", "min_factor", min_factor, 0.0, 1.0);
    detail::check::at_least("CosineAnnealingLR", "step", step, Index{0});
    const double turn = static_cast<double>(step) / static_cast<double>(max_steps);
    return min_factor + (1.0 - min_factor) * (1.0 + std::cos(std::numbers::pi * turn)) / 2.0;
  }
};

/// A straight line from start_factor at step 0 to end_factor at step total_steps, which then stays: a warm-up as
/// torch.optim.lr_scheduler.LinearLR.
/// Errors   ValueError for total_steps below 1, a start_factor outside 0 < f <= 1 or an end_factor outside 0 ... 1
struct LinearLR {
  double start_factor = 1.0 / 3.0;
  double end_factor = 1.0;
  Index total_steps = 5;  ///< PyTorch's total_iters

  double operator()(Index step) const {
    detail::check::above_zero("LinearLR", "start_factor", start_factor);
    detail::check::between("LinearLR", "start_factor", start_factor, 0.0, 1.0);
    detail::check::between("LinearLR", "end_factor", end_factor, 0.0, 1.0);
    detail::check::above_zero("LinearLR", "total_steps", total_steps);
    detail::check::at_least("LinearLR", "step", step, Index{0});
    const double done = static_cast<double>(std::min(step, total_steps)) / static_cast<double>(total_steps);
    return start_factor + (end_factor - start_factor) * done;
  }
};

/// One rise from 1 / div_factor to 1 and one fall to 1 / (div_factor final_div_factor), as
/// torch.optim.lr_scheduler.OneCycleLR with cycle_momentum=False: the learning rate alone. The optimiser's learning
/// rate is PyTorch's max_lr. From step total_steps on, where PyTorch refuses to go on, the last factor stays.
/// Errors   ValueError for total_steps below 1, a pct_start outside 0 ... 1 or a divisor of 0 or less
/// Source   Smith, Topin 2018, in PyTorch's form
struct OneCycleLR {
  Index total_steps = 0;
  double pct_start = 0.3;  ///< the share of the steps in which the rate rises
  double div_factor = 25.0;
  double final_div_factor = 1e4;
  bool cosine = true;  ///< half cosine waves, PyTorch's anneal_strategy "cos"; else straight lines, "linear"

  double operator()(Index step) const {
    detail::check::above_zero("OneCycleLR", "total_steps", total_steps);
    detail::check::between("OneCycleLR", "pct_start", pct_start, 0.0, 1.0);
    detail::check::above_zero("OneCycleLR", "div_factor", div_factor);
    detail::check::above_zero("OneCycleLR", "final_div_factor", final_div_factor);
    detail::check::at_least("OneCycleLR", "step", step, Index{0});
    const double now = static_cast<double>(std::min(step, total_steps - 1));
    const double last = static_cast<double>(total_steps - 1);
    const double top = pct_start * static_cast<double>(total_steps) - 1.0;
    const double first_factor = 1.0 / div_factor;
    constexpr double kNoRise = 1e-9;  // top is 0 up to rounding: the first step is at the top
    if (now <= top) return blend(first_factor, 1.0, top > kNoRise ? now / top : 1.0);
    return blend(1.0, first_factor / final_div_factor, (now - top) / (last - top));
  }

 private:
  double blend(double from, double to, double done) const {
    const double left = cosine ? (1.0 + std::cos(std::numbers::pi * done)) / 2.0 : 1.0 - done;
    return to + (from - to) * left;
  }
};

/// The product of schedules, as torch.optim.lr_scheduler.ChainedScheduler. For a cosine with a min_factor PyTorch
/// computes something else once a factor before it changes, because its cosine does not multiply.
template <class... S>
Schedule chained(S... schedules) {
  return [schedules...](Index step) { return (1.0 * ... * schedules(step)); };
}

}  // namespace eigengrad::EIGENGRAD_ISA::optim
