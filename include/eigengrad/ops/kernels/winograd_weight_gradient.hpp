// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/scratch.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/even_split.hpp>
#include <eigengrad/ops/kernels/winograd_weights.hpp>

// The weight gradient by Winograd's algorithm: outputs by tiles, with tiles by inputs, at each point.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd {

/// Elements of transformed tiles that all threads share.
inline constexpr Index kSharedElements = 2 * 1024 * 1024;

/// dW (outputs, 3, 3, inputs) from dy and x, which `margin` pixels of zeros surround. Tiles in which pixels drown
/// others are left out, and their part is computed by the definition.
template <class T>
class WeightGradient {
 public:
  WeightGradient(const TileSize<T>& size, const Images<const T>& x, const Images<const T>& dy, Index images,
                 Size2d margin, T* dw)
      : size_(size),
        x_(x),
        dy_(dy),
        grid_(TileGrid::of(size.m, images, dy.height, dy.width)),
        margin_(margin),
        dw_(dw),
        zeros_(Tensor<T>::zeros({std::max(x.channels, dy.channels)})),
        x_panels_(Planes<T>::panels_of(x.channels)),
        dy_panels_(Planes<T>::panels_of(dy.channels)),
        wide_(grid_.count()) {}

  /// Returns false, and dW as nothing to be used, if too many tiles would be left out.
  bool run() {
    // All tiles at once if they fit; else as many as make the operands no smaller than the sums, which each round
    // must read and write again.
    const Index sums = x_panels_ * kTileCols<T> * dy_.channels;
    const Index tiles = std::max<Index>(
        std::max(kSharedElements / size_.points(), sums) / ((x_panels_ + dy_panels_) * kTileCols<T>), 16);
    const EvenSplit rounds = EvenSplit::of_at_most(grid_.count(), tiles);
    Planes<T> v{nullptr, rounds.longest(), x_panels_};
    Planes<T> m{nullptr, rounds.longest(), dy_panels_};
    const Index v_elements = Planes<T>::elements(size_.points(), v.lines, v.panels);
    Tensor<T> operands({v_elements + Planes<T>::elements(size_.points(), m.lines, m.panels)});
    v.data = operands.mutable_data();
    m.data = v.data + v_elements;

    const Index x_blocks = ceil_div(x_panels_, kBlockPanels);
    const Index dy_blocks = ceil_div(dy_panels_, kBlockPanels);
    const Planes<T> du{nullptr, kBlockPanels * kTileCols<T>, kBlockPanels};
    const Index du_elements = Planes<T>::elements(size_.points(), du.lines, du.panels);
    // The sums of one round are a thread's own; those of more must last.
    const bool lasting = rounds.count > 1;
    const Scratch<T> scratch(du_elements, lasting ? x_blocks * dy_blocks : Index{num_threads()});

    for (Index round = 0; round < rounds.count; ++round) {
      const Index first = rounds.begin(round);
      const Index count = rounds.length(round);
      parallel_for(count, 4, [&](Index begin, Index end) {
        size_.transform_input(x_, grid_, margin_, zeros_.data(), first + begin, end - begin, v, begin, TileParts::taps,
                              wide_);
        size_.transform_output_gradient(dy_, grid_, zeros_.data(), first + begin, end - begin, m, begin, wide_);
        for (Index tile = begin; tile < end; ++tile) {
          if (wide_.marked(first + tile)) leave_out(v, tile), leave_out(m, tile);
        }
      });
      if (wide_.are_many()) return false;
      parallel_for(x_blocks * dy_blocks, 1, [&](Index task, Index, Index slot) {
        Planes<T> own = du;
        own.data = scratch.of(lasting ? task : slot);
        const Index x_panel = task % x_blocks * kBlockPanels;
        const Index dy_panel = task / x_blocks * kBlockPanels;
        multiply(v, x_panel, m, dy_panel, count, own, round > 0);
        if (round + 1 < rounds.count) return;
        const Index output = dy_panel * kTileCols<T>;
        const Index input = x_panel * kTileCols<T>;
        size_.transform_weight_gradient(own, dw_, x_.channels, output, std::min(own.lines, dy_.channels - output),
                                        input, std::min(input + kBlockPanels * kTileCols<T>, x_.channels));
      });
    }
    const Tensor<Index> wide = wide_.list();
    if (wide.empty()) return true;
    parallel_for(dy_.channels, 1, [&](Index k, Index) {
      for (const Index tile : wide.span()) add_by_definition(grid_.tile(tile, margin_), k);
    });
    return true;
  }

 private:
  /// A thread's block of sums has so many panels of inputs, and as many of outputs.
  static constexpr Index kBlockPanels = 2;
  /// Outputs in a tile. They divide a packet: in what is left of the last one a panel has zeros.
  static constexpr int kRows = std::min(static_cast<int>(std::bit_floor(static_cast<unsigned>(kTileRows))), kLanes<T>);

  /// Zeros in the place of a tile.
  void leave_out(const Planes<T>& planes, Index tile) const {
    for (Index point = 0; point < size_.points(); ++point) {
      for (Index panel = 0; panel < planes.panels; ++panel)
        std::fill_n(planes.at(point, panel, tile), kTileCols<T>, T(0));
    }
  }

  /// What a tile adds to the gradient of one output's weights.
  void add_by_definition(const Tile& tile, Index k) const {
    TilePixels<const T> pixels;
    locate(x_, tile, size_.side(), static_cast<const T*>(nullptr), pixels);
    const Size2d outputs = grid_.outputs(tile, margin_);
    for (Index p = 0; p < outputs.height; ++p) {
      for (Index q = 0; q < outputs.width; ++q) {
        const Index row = tile.image * dy_.height + tile.row + margin_.height + p;
        const T gradient = dy_.data[(row * dy_.width + tile.col + margin_.width + q) * dy_.pixel_stride + k];
        for (Index tap = 0; tap < 9; ++tap) {
          if (const T* pixel = pixels[p + tap / 3][q + tap % 3]) {
            RowMap<T>(dw_ + (k * 9 + tap) * x_.channels, x_.channels) += gradient * ConstRowMap<T>(pixel, x_.channels);
          }
        }
      }
    }
  }

  /// du = m^T v, or du += m^T v, summed over `depth` tiles.
  void multiply(const Planes<T>& v, Index x_panel, const Planes<T>& m, Index dy_panel, Index depth, const Planes<T>& du,
                bool add) const {
    const Index x_end = std::min(x_panel + kBlockPanels, x_panels_);
    const Index dy_end = std::min(dy_panel + kBlockPanels, dy_panels_);
    for (Index point = 0; point < size_.points(); ++point) {
      for (Index j = x_panel; j < x_end; ++j) {
        const bool one_packet = x_.channels - j * kTileCols<T> <= kLanes<T>;
        const MultiplyTile<T> tile = one_packet ? multiply_tile<T, StepsAreLines<T>, OneStep<T>, kRows, 1>  //
                                                : multiply_tile<T, StepsAreLines<T>, OneStep<T>, kRows, 2>;
        for (Index i = dy_panel; i < dy_end; ++i) {
          const Index rows = std::min<Index>(kTileCols<T>, dy_.channels - i * kTileCols<T>);
          for (Index row = 0; row < rows; row += kRows) {
            tile(depth, m.at(point, i, 0) + row, 0, v.at(point, j, 0),
                 du.at(point, j - x_panel, (i - dy_panel) * kTileCols<T> + row), kTileCols<T>, add);
          }
        }
      }
    }
  }

  const TileSize<T>& size_;
  Images<const T> x_;
  Images<const T> dy_;
  TileGrid grid_;
  Size2d margin_;
  T* dw_;
  Tensor<T> zeros_;
  Index x_panels_;
  Index dy_panels_;
  WideTiles wide_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd
