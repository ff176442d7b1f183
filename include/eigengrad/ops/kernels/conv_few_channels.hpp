// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <eigengrad/core/conv2d_algorithm.hpp>
#include <eigengrad/core/scratch.hpp>
#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/kernels/conv_bands.hpp>
#include <eigengrad/ops/kernels/conv_definition.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/even_split.hpp>
#include <eigengrad/ops/kernels/packet.hpp>
#include <eigengrad/ops/kernels/tile_split.hpp>

// Convolution of images with few channels, as the first layer of a network has it. The numbers under a window are then
// few, and to pack them would cost more than to multiply them: they are taken one by one from a copy of the image with
// its padding, and packets run along the outputs. Both directions keep a tile of sums in registers:
//   y   some positions x some outputs, summed over the taps (r, s, c)
//   dW  some taps x some outputs, summed over the positions of a band of rows, then over bands
// There is no input gradient here: a first layer is not asked for it.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {
namespace few_channels {

/// Numbers under a window at most: a panel of their weights, and all they are multiplied with, stay in the first-level
/// cache.
inline constexpr Index kMostTaps = 160;
/// Beyond this many channels packing them is cheap.
inline constexpr Index kMostChannels = 8;

/// Packets of outputs in a tile of sums at most.
inline constexpr int kMostPackets = kRegisters >= 32 ? 4 : 2;
/// Lines of a tile, positions or taps: with so many packets the sums fill three quarters of the registers.
template <int Packets>
inline constexpr int kLines = std::clamp(kRegisters * 3 / 4 / Packets, 2, 8);

/// The outputs in panels of up to kMostPackets packets, one after another.
template <class T>
struct Panels {
  EvenSplit packets;

  explicit Panels(Index outputs) : packets(EvenSplit::of_at_most(ceil_div(outputs, kLanes<T>), kMostPackets)) {}

  Index padded() const { return packets.size * kLanes<T>; }  // outputs, with those that fill the last packet
  Index first(Index panel) const { return packets.begin(panel) * kLanes<T>; }
  Index width(Index panel) const { return packets.length(panel) * kLanes<T>; }
};

/// Sums over the taps for some positions in a row and some packets of outputs, from `start` on.
template <class T, int Positions, int Packets>
void forward_tile(const T* x, Index column_step, const Index* offsets, Index taps, const T* weights, const T* start,
                  T* y, Index y_step) {
  constexpr int Lanes = kLanes<T>;
  Packet<T> sum[array_size(Positions)][array_size(Packets)];
  const T* position[array_size(Positions)];
  EIGENGRAD_UNROLL
  for (int i = 0; i < Positions; ++i) {
    position[i] = x + i * column_step;
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) sum[i][j] = packet::pload<Packet<T>>(start + j * Lanes);
  }
  for (Index tap = 0; tap < taps; ++tap, weights += Packets * Lanes) {
    Packet<T> weight[array_size(Packets)];
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) weight[j] = packet::pload<Packet<T>>(weights + j * Lanes);
    const Index offset = offsets[tap];
    EIGENGRAD_UNROLL
    for (int i = 0; i < Positions; ++i) {
      const Packet<T> number = packet::pset1<Packet<T>>(position[i][offset]);
      EIGENGRAD_UNROLL
      for (int j = 0; j < Packets; ++j) sum[i][j] = multiply_add(number, weight[j], sum[i][j]);
    }
  }
  EIGENGRAD_UNROLL
  for (int i = 0; i < Positions; ++i) {
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) packet::pstoreu(y + i * y_step + j * Lanes, sum[i][j]);
  }
}

/// Sums over the positions of a band for some taps and some packets of outputs, added to `sums`.
template <class T, int Taps, int Packets>
void backward_tile(const T* x, Index column_step, Index row_step, const Index* offsets, const T* dy, Index dy_step,
                   Index rows, Index cols, T* sums, Index sums_step) {
  constexpr int Lanes = kLanes<T>;
  Packet<T> sum[array_size(Taps)][array_size(Packets)];
  EIGENGRAD_UNROLL
  for (int i = 0; i < Taps; ++i) {
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) sum[i][j] = packet::pset1<Packet<T>>(T(0));
  }
  for (Index row = 0; row < rows; ++row) {
    const T* tap[array_size(Taps)];
    EIGENGRAD_UNROLL
    for (int i = 0; i < Taps; ++i) tap[i] = x + row * row_step + offsets[i];
    for (Index col = 0; col < cols; ++col, dy += dy_step) {
      Packet<T> gradient[array_size(Packets)];
      EIGENGRAD_UNROLL
      for (int j = 0; j < Packets; ++j) gradient[j] = packet::ploadu<Packet<T>>(dy + j * Lanes);
      EIGENGRAD_UNROLL
      for (int i = 0; i < Taps; ++i) {
        const Packet<T> number = packet::pset1<Packet<T>>(tap[i][col * column_step]);
        EIGENGRAD_UNROLL
        for (int j = 0; j < Packets; ++j) {
          sum[i][j] = multiply_add(number, gradient[j], sum[i][j]);
        }
      }
    }
  }
  EIGENGRAD_UNROLL
  for (int i = 0; i < Taps; ++i) {
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) {
      T* place = sums + i * sums_step + j * Lanes;
      packet::pstore(place, packet::padd(packet::pload<Packet<T>>(place), sum[i][j]));
    }
  }
}

template <class T>
using ForwardTile = void (*)(const T*, Index, const Index*, Index, const T*, const T*, T*, Index);
template <class T>
using BackwardTile = void (*)(const T*, Index, Index, const Index*, const T*, Index, Index, Index, T*, Index);

/// A table of tiles by their number of lines from one less. No std::span: with the checks of libstdc++ and a sanitizer
/// g++ makes none at compile time.
template <class Tile>
struct Tiles {
  const Tile* table;
  Index most;
};

/// Calls f(first line, tile) for `count` lines in tiles.
template <class Tile, class F>
void for_each_tile(const Tiles<Tile>& tiles, Index count, const F& f) {
  const TileSplit split(count, tiles.most);
  for (Index i = 0; i < split.count; ++i) f(split.begin(i), tiles.table[split.length(i) - 1]);
}

/// forward_tile and backward_tile for a number of packets, by the number of lines from one less.
template <class T, int Packets>
inline constexpr auto kForwardTable = tile_table<ForwardTile<T>, kLines<Packets>>([]<int Lines>() {
  return forward_tile<T, Lines, Packets>;
});
template <class T, int Packets>
inline constexpr auto kBackwardTable = tile_table<BackwardTile<T>, kLines<Packets>>([]<int Lines>() {
  return backward_tile<T, Lines, Packets>;
});
/// Those tables for 1, ..., kMostPackets packets, from one less.
template <class T>
inline constexpr auto kForwardTiles = []<int... P>(std::integer_sequence<int, P...>) {
  return std::array{Tiles<ForwardTile<T>>{kForwardTable<T, P + 1>.data(), kLines<P + 1>}...};
}
(std::make_integer_sequence<int, kMostPackets>{});
template <class T>
inline constexpr auto kBackwardTiles = []<int... P>(std::integer_sequence<int, P...>) {
  return std::array{Tiles<BackwardTile<T>>{kBackwardTable<T, P + 1>.data(), kLines<P + 1>}...};
}
(std::make_integer_sequence<int, kMostPackets>{});

/// The weight gradient of some rows of positions, added to sums.
/// Shapes   dy (rows, Q, padded K), sums (taps, padded K)
template <class T>
void add_band(const Bands<T>& bands, const Panels<T>& panels, Index taps, Index rows, const Index* offsets,
              const T* copy, const T* dy, T* sums) {
  const Index step = panels.padded();
  for (Index panel = 0; panel < panels.packets.count; ++panel) {
    const Index first = panels.first(panel);
    const auto& tiles = kBackwardTiles<T>[static_cast<std::size_t>(panels.packets.length(panel) - 1)];
    for_each_tile(tiles, taps, [&](Index tap, BackwardTile<T> tile) {
      tile(copy, bands.col_step(), bands.row_step(), offsets + tap, dy + first, step, rows, bands.cols(),
           sums + tap * step + first, step);
    });
  }
}

/// Weights (K, taps) in panels: for each tap the outputs of the panel side by side, zeros behind the last.
template <class T>
Tensor<T> pack_weights(const Tensor<T>& weight, Index taps, const Panels<T>& panels) {
  Tensor<T> packed = Tensor<T>::zeros({panels.padded(), taps});
  T* to = packed.mutable_data();
  for (Index panel = 0; panel < panels.packets.count; ++panel) {
    const Index first = panels.first(panel);
    const Index width = panels.width(panel);
    for (Index k = 0; k < std::min(width, weight.size(0) - first); ++k) {
      for (Index tap = 0; tap < taps; ++tap)
        to[first * taps + tap * width + k] = weight.data()[(first + k) * taps + tap];
    }
  }
  return packed;
}

/// Rows of `cols` numbers with zeros behind them, `padded` in all.
template <class T>
void pad_rows(const T* from, Index rows, Index cols, Index padded, T* to) {
  for (Index row = 0; row < rows; ++row, from += cols, to += padded) {
    std::copy_n(from, cols, to);
    std::fill(to + cols, to + padded, T(0));
  }
}

}  // namespace few_channels

template <class T>
struct FewChannelsConv {
  static constexpr Conv2dAlgorithm kName = Conv2dAlgorithm::few_channels;

  /// One group, few channels, and images that their padding does not make much larger.
  static bool suits(const ConvProblem& problem) {
    const auto pixels = [&](const Size2d& padding) {
      const auto side = [](Index size, Index pad) {
        return static_cast<double>(size) + 2.0 * static_cast<double>(pad);
      };
      return side(problem.x[1], padding.height) * side(problem.x[2], padding.width);
    };
    return problem.groups == 1 && problem.x[3] > 0 && problem.x[3] <= few_channels::kMostChannels &&
           problem.taps() <= few_channels::kMostTaps / problem.x[3] &&
           pixels(problem.window.padding) <= 4.0 * pixels(0) + 1024.0;
  }

  static double cycles(const ConvProblem& /*problem*/, ConvDirection /*direction*/) { return kAlwaysFastest; }

  static bool forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
                      Tensor<T>& y) {
    const Tensor<T> bias = f.bias();
    const Index outputs = problem.y[3];
    const Index taps = problem.taps() * problem.x[3];
    const few_channels::Panels<T> panels(outputs);
    const Bands<T> bands(problem, row_grain(problem.y[2] * outputs));
    const Tensor<Index> offsets = bands.offsets();
    const Tensor<T> weights = few_channels::pack_weights(weight, taps, panels);
    Tensor<T> start = Tensor<T>::zeros({panels.padded()});
    std::copy_n(bias.data(), bias.numel(), start.mutable_data());
    // If the last packet is not full, rows of sums are written to memory of the thread first.
    const bool direct = outputs == panels.padded();
    const Index copy_elements = bands.elements();
    const Index own_elements = copy_elements + (direct ? 0 : bands.cols() * panels.padded());
    const Scratch<T> scratch(own_elements);
    T* out = y.mutable_data();
    parallel_for(bands.count(), 1, [&](Index band, Index, Index slot) {
      T* copy = scratch.of(slot);
      bands.copy(x.data(), band, copy);
      const Index col_step = bands.col_step();
      const Index y_step = panels.padded();
      for (Index row = 0; row < bands.rows(band); ++row) {
        const T* from = copy + row * bands.row_step();
        T* y_row = out + (bands.position(band) + row * bands.cols()) * outputs;
        T* to = direct ? y_row : copy + copy_elements;
        for (Index panel = 0; panel < panels.packets.count; ++panel) {
          const Index first = panels.first(panel);
          const auto& tiles =
              few_channels::kForwardTiles<T>[static_cast<std::size_t>(panels.packets.length(panel) - 1)];
          few_channels::for_each_tile(tiles, bands.cols(), [&](Index col, few_channels::ForwardTile<T> tile) {
            tile(from + col * col_step, col_step, offsets.data(), taps, weights.data() + first * taps,
                 start.data() + first, to + col * y_step + first, y_step);
          });
        }
        if (direct) continue;
        for (Index col = 0; col < bands.cols(); ++col) std::copy_n(to + col * y_step, outputs, y_row + col * outputs);
      }
    });
    definition::mend_forward(problem, x, weight, bias, y);
    y = channel_map(std::move(y), f.after_bias());
    return true;
  }

  /// Parts of the bands, as many as the problem asks for, are summed apart and added in order.
  static bool backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
    constexpr Index kParts = 16;
    constexpr Index kBandElements = 6 * 1024;  // of a panel of dy: half of the first-level cache
    const Index outputs = problem.y[3];
    const Index taps = problem.taps() * problem.x[3];
    const few_channels::Panels<T> panels(outputs);
    const Index panel_width = std::min<Index>(panels.padded(), few_channels::kMostPackets * kLanes<T>);
    const Bands<T> bands(problem, kBandElements / (problem.y[2] * panel_width));
    const Tensor<Index> offsets = bands.offsets();
    const EvenSplit parts{bands.count(), std::min(bands.count(), kParts)};
    // If the last packet is not full, the gradients are copied to memory of the thread, with zeros behind them.
    const bool direct = outputs == panels.padded();
    const Index sums_elements = taps * panels.padded();
    const Index copy_elements = bands.elements();
    const Index own_elements = copy_elements + (direct ? 0 : bands.most_positions() * panels.padded());
    Tensor<T> sums = Tensor<T>::zeros({parts.count, sums_elements});
    const Scratch<T> scratch(own_elements);
    T* sums_data = sums.mutable_data();
    parallel_for(parts.count, 1, [&](Index part, Index, Index slot) {
      T* copy = scratch.of(slot);
      T* padded = copy + copy_elements;
      for (Index band = parts.begin(part); band < parts.begin(part + 1); ++band) {
        const T* gradients = dy.data() + bands.position(band) * outputs;
        bands.copy(x.data(), band, copy);
        if (!direct)
          few_channels::pad_rows(gradients, bands.rows(band) * bands.cols(), outputs, panels.padded(), padded);
        few_channels::add_band(bands, panels, taps, bands.rows(band), offsets.data(), copy, direct ? gradients : padded,
                               sums_data + part * sums_elements);
      }
    });
    RowMap<T> total(sums_data, sums_elements);
    for (Index part = 1; part < parts.count; ++part)
      total += ConstRowMap<T>(sums_data + part * sums_elements, sums_elements);
    Eigen::Map<Matrix<T>>(dw.mutable_data(), outputs, taps) =
        Eigen::Map<const Matrix<T>>(sums_data, taps, panels.padded()).leftCols(outputs).transpose();
    definition::mend_backward_weight(problem, dy, x, dw);
    return true;
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
