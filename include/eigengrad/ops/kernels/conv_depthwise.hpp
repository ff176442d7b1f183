// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include <eigengrad/core/conv2d_algorithm.hpp>
#include <eigengrad/core/scratch.hpp>
#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/even_split.hpp>
#include <eigengrad/ops/kernels/packet.hpp>
#include <eigengrad/ops/kernels/tap_runs.hpp>

// Depthwise convolution: every output channel sees one input channel. A channel's sum has R S terms only, so nothing is
// packed: packets run along the channels, and each number of x is multiplied straight from its place.
//   y[n, p, q, c] = sum over r, s of W[c, r, s] x[n, ..., c]
// With M outputs for each input the images are first repeated, each channel M times in a row.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {
namespace depthwise {

/// Images under a window and what comes of them: x and y in the forward pass, dy and dx in the backward pass.
template <class T>
struct Images {
  const T* from;
  Shape from_shape;
  Index from_step;  // pixels from one position of a run to the next
  T* to;
  Shape to_shape;
  Index to_step;
};

/// `Tile` positions of a run and `Packets` packets of channels, of which a single one may be there in part: sums of the
/// live taps, which begin with `start`, or 0 where it is null. Eight sums at once hide the time that each addition
/// takes.
template <class T, int Tile, int Packets>
void gather_tile(const LiveTap* live, Index count, const T* weights, const T* start, Index channels, const T* from,
                 Index from_step, T* to, Index to_step) {
  constexpr Index Lanes = kLanes<T>;
  const ChannelPacket<T> part(channels);
  Vector<T> sum[array_size(Packets)][array_size(Tile)];
  EIGENGRAD_UNROLL
  for (int j = 0; j < Packets; ++j) {
    const Vector<T> begin = start == nullptr ? Vector<T>(0) : part.load(start + j * Lanes);
    EIGENGRAD_UNROLL
    for (int t = 0; t < Tile; ++t) sum[j][t] = begin;
  }
  for (Index i = 0; i < count; ++i) {
    const T* weight = weights + live[i].weight;
    const T* pixel = from + live[i].pixel;
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) {
      const Vector<T> factor = part.load(weight + j * Lanes);
      EIGENGRAD_UNROLL
      for (int t = 0; t < Tile; ++t) {
        sum[j][t] = Vector<T>::multiply_add(factor, part.load(pixel + t * from_step + j * Lanes), sum[j][t]);
      }
    }
  }
  EIGENGRAD_UNROLL
  for (int j = 0; j < Packets; ++j) {
    EIGENGRAD_UNROLL
    for (int t = 0; t < Tile; ++t) part.store(to + t * to_step + j * Lanes, sum[j][t]);
  }
}

/// A run of positions in a row, `channels` channels of them: tiles of eight sums, of more than one packet if few
/// positions are left.
template <class T>
void gather_run(const LiveTap* live, Index live_count, const T* weights, const T* start, Index channels,
                Index positions, const T* from, Index from_step, T* to, Index to_step) {
  constexpr int kSums = 8;
  Index at = 0;
  const auto tiles_of = [&](auto tile) {
    constexpr int Packets = kSums / tile;
    constexpr Index Group = Packets * kLanes<T>;
    const auto gather = [&](auto packets, Index c) {
      gather_tile<T, tile, packets>(live, live_count, weights + c, start == nullptr ? nullptr : start + c, channels - c,
                                    from + at * from_step + c, from_step, to + at * to_step + c, to_step);
    };
    for (; at + tile <= positions; at += tile) {
      Index c = 0;
      for (; c + Group <= channels; c += Group) gather(std::integral_constant<int, Packets>{}, c);
      for (; c < channels; c += kLanes<T>) gather(std::integral_constant<int, 1>{}, c);
    }
  };
  tiles_of(std::integral_constant<int, 8>{});
  tiles_of(std::integral_constant<int, 4>{});
  tiles_of(std::integral_constant<int, 2>{});
  tiles_of(std::integral_constant<int, 1>{});
}

/// Each number of the result is the sum of what lies under its live taps.
/// Shapes   weights (R S, C); start (C) or null
template <class T>
void gather(const Images<T>& images, const TapTables& taps, const T* weights, const T* start) {
  const Shape& to = images.to_shape;
  const Index channels = to[3];
  const TapRuns grid(taps, images.to_step, images.from_shape[2], channels);
  const Index image_size = images.from_shape[1] * images.from_shape[2] * channels;
  const Scratch<LiveTap> scratch(grid.most_taps);
  parallel_for(to[0] * to[1], row_grain(to[2] * channels), [&](Index begin, Index end, Index slot) {
    LiveTap* live = scratch.of(slot);
    for (Index row = begin; row < end; ++row) {
      for (const Run& run : grid.cols) {
        const Index count = live_taps(grid.rows.begin()[row % to[1]], run, live);
        gather_run(live, count, weights, start, channels, run.count, images.from + row / to[1] * image_size,
                   images.from_step * channels, images.to + (row * to[2] + run.first) * channels,
                   images.to_step * channels);
      }
    }
  });
}

/// Weights (K, R, S, 1) as (R S, K): those of a tap side by side.
template <class T>
Tensor<T> by_taps(const Tensor<T>& weight) {
  const Index outputs = weight.size(0);
  Tensor<T> result({weight.size(1) * weight.size(2), outputs});
  const Eigen::Map<const Matrix<T>> from(weight.data(), outputs, result.size(0));
  result.mutable_matrix() = from.transpose();
  return result;
}

/// Every channel `times` times in a row.
template <class T>
Tensor<T> repeat_channels(const Tensor<T>& x, Index times) {
  if (times == 1) return x;
  Tensor<T> result(x.shape().with(3, x.size(3) * times));
  T* to = result.mutable_data();
  parallel_for(x.numel(), row_grain(times), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) std::fill_n(to + i * times, times, x.data()[i]);
  });
  return result;
}

/// `Taps` taps over a run, a packet of channels: adds the sums of dy x to theirs.
template <class T, int Taps>
void correlate_tile(const LiveTap* live, Index channels, const T* x, Index x_step, const T* dy, Index dy_step,
                    Index count, T* sums) {
  const ChannelPacket<T> part(channels);
  Vector<T> sum[array_size(Taps)];
  const T* pixel[array_size(Taps)];
  EIGENGRAD_UNROLL
  for (int i = 0; i < Taps; ++i) {
    sum[i] = Vector<T>(0);
    pixel[i] = x + live[i].pixel;
  }
  for (Index t = 0; t < count; ++t) {
    const Vector<T> gradient = part.load(dy + t * dy_step);
    EIGENGRAD_UNROLL
    for (int i = 0; i < Taps; ++i) {
      sum[i] = Vector<T>::multiply_add(gradient, part.load(pixel[i] + t * x_step), sum[i]);
    }
  }
  EIGENGRAD_UNROLL
  for (int i = 0; i < Taps; ++i) {
    T* place = sums + live[i].weight;
    part.store(place, part.load(place) + sum[i]);
  }
}

template <class T>
using CorrelateTile = void (*)(const LiveTap*, Index, const T*, Index, const T*, Index, Index, T*);

/// correlate_tile for 1, ..., kMostTaps taps, from one less.
inline constexpr int kMostTaps = 6;
template <class T>
inline constexpr auto kCorrelateTile = []<std::size_t... N>(std::index_sequence<N...>) {
  return std::array<CorrelateTile<T>, sizeof...(N)>{correlate_tile<T, static_cast<int>(N) + 1>...};
}
(std::make_index_sequence<kMostTaps>{});

/// The weight gradient of some rows of y, added to sums.
/// Shapes   sums (R S, C)
template <class T>
void correlate_rows(const ConvProblem& problem, const TapRuns& grid, Index begin, Index end, const T* dy, const T* x,
                    LiveTap* live, T* sums) {
  const Index channels = problem.y[3];
  const Index x_step = problem.window.stride.width * channels;
  for (Index row = begin; row < end; ++row) {
    const T* image = x + row / problem.y[1] * problem.x[1] * problem.x[2] * channels;
    for (const Run& run : grid.cols) {
      const Index count = live_taps(grid.rows.begin()[row % problem.y[1]], run, live);
      const T* gradients = dy + (row * problem.y[2] + run.first) * channels;
      const EvenSplit tiles = EvenSplit::of_at_most(count, kMostTaps);
      for (Index i = 0; i < tiles.count; ++i) {
        const auto tile = kCorrelateTile<T>[static_cast<std::size_t>(tiles.length(i) - 1)];
        for (Index c = 0; c < channels; c += kLanes<T>) {
          tile(live + tiles.begin(i), channels - c, image + c, x_step, gradients + c, channels, run.count, sums + c);
        }
      }
    }
  }
}

}  // namespace depthwise

template <class T>
struct DepthwiseConv {
  static constexpr Conv2dAlgorithm kName = Conv2dAlgorithm::depthwise;

  /// One input channel a group, any number of outputs.
  static bool suits(const ConvProblem& problem) { return problem.groups > 1 && problem.group_inputs() == 1; }

  static double cycles(const ConvProblem& /*problem*/, ConvDirection /*direction*/) { return kAlwaysFastest; }

  static bool forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                      Tensor<T>& y) {
    const Tensor<T> bias = f.bias();
    const Tensor<T> repeated = depthwise::repeat_channels(x, problem.group_outputs());
    const Tensor<T> weights = depthwise::by_taps(weight);
    const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
    depthwise::gather<T>(
        {repeated.data(), repeated.shape(), problem.window.stride.width, y.mutable_data(), problem.y, 1}, taps,
        weights.data(), bias.data());
    y = channel_map(std::move(y), f.after_bias());
    return true;
  }

  static bool backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
    const Index times = problem.group_outputs();
    const Tensor<T> weights = depthwise::by_taps(weight);
    const auto taps = TapTables::of_pixel(problem.window, problem.x, problem.y);
    const auto gather_to = [&](Tensor<T>& to) {
      depthwise::gather<T>({dy.data(), problem.y, 1, to.mutable_data(), to.shape(), problem.window.stride.width}, taps,
                           weights.data(), nullptr);
    };
    if (times == 1) {
      gather_to(dx);
      return true;
    }
    Tensor<T> repeated(problem.x.with(3, problem.y[3]));
    gather_to(repeated);
    T* to = dx.mutable_data();
    parallel_for(dx.numel(), row_grain(times), [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        to[i] = std::accumulate(repeated.data() + i * times, repeated.data() + (i + 1) * times, T(0));
      }
    });
    return true;
  }

  /// Parts of the rows, as many as the problem asks for, are summed apart and added in order.
  static bool backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
    constexpr Index kParts = 16;
    const Index outputs = problem.y[3];
    const Index rows = problem.y[0] * problem.y[1];
    const EvenSplit parts{rows, std::clamp<Index>(rows, 1, kParts)};
    const Tensor<T> repeated = depthwise::repeat_channels(x, problem.group_outputs());
    const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
    const TapRuns grid(taps, 1, problem.x[2], outputs);
    const Index elements = problem.taps() * outputs;
    Tensor<T> sums = Tensor<T>::zeros({parts.count, elements});
    const Scratch<LiveTap> scratch(problem.taps());
    T* sums_data = sums.mutable_data();
    parallel_for(parts.count, 1, [&](Index part, Index, Index slot) {
      depthwise::correlate_rows(problem, grid, parts.begin(part), parts.begin(part + 1), dy.data(), repeated.data(),
                                scratch.of(slot), sums_data + part * elements);
    });
    RowMap<T> total(sums_data, elements);
    for (Index part = 1; part < parts.count; ++part) total += ConstRowMap<T>(sums_data + part * elements, elements);
    Eigen::Map<Matrix<T>>(dw.mutable_data(), outputs, problem.taps()) =
        Eigen::Map<const Matrix<T>>(sums_data, problem.taps(), outputs).transpose();
    return true;
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
