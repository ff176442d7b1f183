// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "networks.hpp"
#include "timing.hpp"

// If the time of a step goes: every layer, the loss and the update on a clock of their own.
//   print(std::cout, time_by_layer(yardstick, Mode::train, 1.0), step_seconds, peak);

namespace benchmarks {

/// A part of a step: seconds and floating-point operations of its forward and its backward.
struct PartOfStep {
  std::string name;
  double forward = 0.0;
  double backward = 0.0;
  double forward_flop = 0.0;
  double backward_flop = 0.0;
};

namespace detail {

/// The times of the parts over many steps.
struct PartTimes {
  explicit PartTimes(Index parts)
      : forward(static_cast<std::size_t>(parts)), backward(static_cast<std::size_t>(parts)) {}

  std::vector<std::vector<double>> forward, backward;
};

/// One step as Sequential makes it (in inference without folding layers into each other), with the laps of a watch
/// between its parts; the last two are loss and update.
template <class Optimizer>
void step_by_layer(Yardstick& yardstick, Optimizer& optimizer, nn::SoftmaxCrossEntropy<>& loss, Index first, Mode mode,
                   PartTimes& times) {
  nn::Sequential<>& net = yardstick.net;
  const auto layers = static_cast<std::size_t>(net.size());
  Tensor<float> x = yardstick.inputs;
  Stopwatch watch;
  for (Index i = 0; i < net.size(); ++i) {
    x = net[i].forward(std::move(x), mode);
    times.forward[static_cast<std::size_t>(i)].push_back(watch.lap());
  }
  if (mode != Mode::train) return;
  loss.forward(std::move(x), yardstick.labels);
  times.forward[layers].push_back(watch.lap());
  Tensor<float> dy = loss.backward();
  times.backward[layers].push_back(watch.lap());
  for (Index i = net.size() - 1; i > first; --i) {
    dy = net[i].backward(std::move(dy));
    times.backward[static_cast<std::size_t>(i)].push_back(watch.lap());
  }
  net[first].backward_parameters(std::move(dy));
  times.backward[static_cast<std::size_t>(first)].push_back(watch.lap());
  optimizer.step();
  times.backward[layers + 1].push_back(watch.lap());
}

}  // namespace detail

/// The medians over about the given time. The update of the optimiser, the last part, counts as a backward; inference
/// has neither it nor the loss.
inline std::vector<PartOfStep> time_by_layer(Yardstick& yardstick, Mode mode, double total_seconds) {
  nn::Sequential<>& net = yardstick.net;
  const Index first = first_with_parameters(net);
  detail::PartTimes times(net.size() + 2);
  with_optimizer(yardstick, [&](auto optimizer) {
    nn::SoftmaxCrossEntropy loss;
    repeat(total_seconds, [&](bool counts) {
      detail::step_by_layer(yardstick, optimizer, loss, first, mode, times);
      if (!counts) times = detail::PartTimes(net.size() + 2);
    });
  });
  std::vector<PartOfStep> parts;
  const auto add = [&](std::string name, double forward_flop, double backward_flop) {
    const auto median_or_none = [](const std::vector<double>& seconds) {
      return seconds.empty() ? 0.0 : median(seconds);
    };
    const std::size_t i = parts.size();
    parts.push_back({std::move(name), median_or_none(times.forward[i]), median_or_none(times.backward[i]), forward_flop,
                     backward_flop});
  };
  Shape shape = yardstick.inputs.shape();
  for (Index i = 0; i < net.size(); ++i) {
    const double flop = 2.0 * static_cast<double>(net[i].multiply_adds(shape));
    add(std::to_string(i) + " " + net[i].description(), flop, i == first ? flop : 2.0 * flop);
    shape = net[i].output_shape(shape);
  }
  if (mode != Mode::train) return parts;
  add("loss", 0.0, 0.0);
  add("update", 0.0, 0.0);
  return parts;
}

inline double sum_of(const std::vector<PartOfStep>& parts) {
  double seconds = 0.0;
  for (const PartOfStep& part : parts) seconds += part.forward + part.backward;
  return seconds;
}

/// A table of the parts; `step_seconds` is what a whole step takes without a watch inside, `peak` is in FLOP/s.
inline void print(std::ostream& out, const std::vector<PartOfStep>& parts, double step_seconds, double peak) {
  const double sum = sum_of(parts);
  const auto number = [&](int width, bool is_there, double value, int digits) {
    out << std::setw(width) << std::setprecision(digits);
    is_there ? out << value : out << '-';
  };
  const auto direction = [&](double seconds, double flop) {
    number(13, seconds > 0.0, seconds * 1e3, 3);
    number(8, seconds > 0.0 && flop > 0.0, 100.0 * flop / seconds / peak, 0);
  };
  out << std::fixed
      << "  part                                      ms    % of sum   forward ms  % peak  backward ms  % peak\n";
  for (const PartOfStep& part : parts) {
    const double seconds = part.forward + part.backward;
    out << "  " << std::left << std::setw(34) << part.name << std::right;
    number(10, true, seconds * 1e3, 3);
    number(12, true, 100.0 * seconds / sum, 1);
    direction(part.forward, part.forward_flop);
    direction(part.backward, part.backward_flop);
    out << '\n';
  }
  out << "  " << std::left << std::setw(34) << "sum" << std::right;
  number(10, true, sum * 1e3, 3);
  number(12, true, 100.0 * sum / step_seconds, 1);
  out << " % of the whole step\n";
}

inline nlohmann::json to_json(const std::vector<PartOfStep>& parts) {
  nlohmann::json result = nlohmann::json::array();
  for (const PartOfStep& part : parts) {
    result.push_back({{"name", part.name},
                      {"forward_ms", part.forward * 1e3},
                      {"backward_ms", part.backward * 1e3},
                      {"forward_gflop", part.forward_flop * 1e-9},
                      {"backward_gflop", part.backward_flop * 1e-9}});
  }
  return result;
}

}  // namespace benchmarks
