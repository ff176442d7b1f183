// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

// Clocks and medians.
//   double seconds = benchmarks::median_time(1.0, [&] { net.forward(x, Mode::inference); });

namespace benchmarks {

/// Measures one stretch of time after another.
class Stopwatch {
 public:
  /// Seconds since the last call, or since the watch was made.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The upper one of the two middle values if their number is even.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Calls f over about the given time and at least five times, after a tenth of the time as warm-up. f is told whether
/// it counts: f(false) is warm-up, f(true) is not.
template <class F>
void repeat(double total_seconds, const F& f) {
  Stopwatch watch;
  double warm_up = 0.0;
  do {
    f(false);
    warm_up += watch.lap();
  } while (warm_up < total_seconds / 10.0);
  double seconds = 0.0;
  for (int calls = 0; calls < 5 || seconds < total_seconds; ++calls) {
    f(true);
    seconds += watch.lap();
  }
}

/// The median of the times of single calls, in seconds, see repeat.
template <class F>
double median_time(double total_seconds, const F& f) {
  std::vector<double> times;
  repeat(total_seconds, [&](bool counts) {
    Stopwatch watch;
    f();
    const double seconds = watch.lap();
    if (counts) times.push_back(seconds);
  });
  return median(std::move(times));
}

}  // namespace benchmarks
