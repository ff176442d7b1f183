// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/scratch.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/even_split.hpp>
#include <eigengrad/ops/kernels/winograd_weights.hpp>

// The forward product of Winograd's algorithm, which is that of the input gradient too: tiles by inputs, with inputs by
// outputs, at each point, in blocks that never leave the caches.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd {

/// Channels summed in one pass: so many lines of transformed weights stay in a thread's second-level cache.
inline constexpr Index kChannels = 128;
/// Elements of transformed tiles that a thread keeps to itself.
inline constexpr Index kOwnElements = 256 * 1024;
/// Elements of a panel of products, (M + 2)^2 of them, that a thread keeps to itself.
inline constexpr Index kProductElements = 160 * 1024;

/// The products of all points for the lines [first, first + lines) of v, in whose channels from panel v_panel on
/// `depth` are summed, and `cols` channels of panel u_panel of u: into the lines from 0 on of the only panel of m.
template <class T>
void multiply_points(int points, const Planes<T>& v, Index first, Index lines, Index v_panel, const Planes<T>& u,
                     Index u_panel, Index u_line, Index depth, Index cols, const Planes<T>& m, bool add) {
  const TileSplit rows(lines, kTileRows);
  const auto& tiles = kMultiplyTile<T, RowsAreLines<T>>[cols > kLanes<T> ? 1 : 0];
  for (int point = 0; point < points; ++point) {
    for (Index i = 0; i < rows.count; ++i) {
      tiles[static_cast<std::size_t>(rows.length(i) - 1)](depth, v.at(point, v_panel, first + rows.begin(i)),
                                                          v.panel_stride(), u.at(point, u_panel, u_line),
                                                          m.at(point, 0, rows.begin(i)), kTileCols<T>, add);
    }
  }
}

/// y = the correlation of x, which `margin` pixels of zeros surround, with weights, and then the epilogue. Outputs that
/// other pixels of their tile drown are computed by the definition.
template <class T>
class Correlation {
 public:
  Correlation(const TileSize<T>& size, const Images<const T>& x, Index images, Size2d margin,
              const ProductWeights<T>& weights, const Epilogue<T>& epilogue, const Images<T>& y)
      : size_(size),
        x_(x),
        y_(y),
        grid_(TileGrid::of(size.m, images, y.height, y.width)),
        margin_(margin),
        weights_(weights),
        epilogue_(epilogue),
        zeros_(Tensor<T>::zeros({x.channels})),
        x_panels_(Planes<T>::panels_of(x.channels)),
        y_panels_(Planes<T>::panels_of(y.channels)),
        wide_(grid_.count()) {}

  /// Returns false, and y as nothing to be used, if the taps of the weights are of too many sizes.
  bool run() {
    if (grid_.count() > y_.channels)
      share_weights();
    else
      share_tiles();
    if (!weights_are_usual_ && weights_.are_wide(weights_.weights)) return false;
    const Tensor<Index> wide = wide_.list();
    if (wide.empty()) return true;
    const Scratch<T> scratch(y_.channels);
    parallel_for(wide.numel(), 1,
                 [&](Index i, Index, Index slot) { define(grid_.tile(wide.data()[i], margin_), scratch.of(slot)); });
    return true;
  }

 private:
  void transform_weights(Index first, Index count, Index channel, const Planes<T>& u, Index panel) {
    if (!weights_.transform(weights_.weights, first, count, channel, u, panel)) weights_are_usual_ = false;
  }

  /// The outputs of a tile that the definition is needed for; `sum` has room for the channels of one.
  void define(const Tile& tile, T* sum) {
    TilePixels<const T> pixels;
    locate(x_, tile, size_.side(), static_cast<const T*>(nullptr), pixels);
    const PixelMaxima<T> maxima(pixels, size_.side(), x_.channels);
    const Size2d outputs = grid_.outputs(tile, margin_);
    for (Index p = 0; p < outputs.height; ++p) {
      for (Index q = 0; q < outputs.width; ++q) {
        const T largest = maxima.part(p, q, 3);
        if (!maxima.drowns(largest)) continue;
        if (std::isnan(largest) || (maxima.is_finite() && largest == T(0))) {
          std::fill_n(sum, y_.channels, largest);  // NaN in all sums, or 0
        } else {
          const T* window[3][3];
          for (Index tap = 0; tap < 9; ++tap) window[tap / 3][tap % 3] = pixels[p + tap / 3][q + tap % 3];
          weights_.apply(weights_.weights, window, sum);
        }
        const Index row = tile.image * y_.height + tile.row + margin_.height + p;
        T* to = y_.data + (row * y_.width + tile.col + margin_.width + q) * y_.pixel_stride;
        for (Index k = 0; k < y_.channels; ++k) to[k] = epilogue_(sum[k], k);
      }
    }
  }

  void share_weights() {
    Planes<T> u{nullptr, x_.channels, y_panels_};
    Tensor<T> u_elements({Planes<T>::elements(size_.points(), u.lines, u.panels)});
    u.data = u_elements.mutable_data();
    constexpr Index kLinesAtOnce = 4 * kLanes<T>;
    const Index runs = ceil_div(x_.channels, kLinesAtOnce);
    parallel_for(y_panels_ * runs, 1, [&](Index task, Index) {
      const Index panel = task / runs;
      const Index line = task % runs * kLinesAtOnce;
      Planes<T> part = u;
      part.data += line * kTileCols<T>;
      transform_weights(line, std::min(kLinesAtOnce, x_.channels - line), panel * kTileCols<T>, part, panel);
    });

    const Index tiles = std::clamp<Index>(kOwnElements / (size_.points() * x_panels_ * kTileCols<T>), kTileRows, 96);
    EvenSplit blocks = EvenSplit::of_at_most(grid_.count(), tiles);
    if (blocks.count > 1) blocks.count = round_up(blocks.count, 4);
    const Planes<T> v{nullptr, blocks.longest(), x_panels_};
    const Planes<T> m{nullptr, blocks.longest(), 1};
    const Index v_elements = Planes<T>::elements(size_.points(), v.lines, v.panels);
    const Index m_elements = Planes<T>::elements(size_.points(), m.lines, m.panels);
    const Scratch<T> scratch(v_elements + m_elements);
    parallel_for(blocks.count, 1, [&](Index block, Index, Index slot) {
      Planes<T> own_v = v;
      own_v.data = scratch.of(slot);
      Planes<T> own_m = m;
      own_m.data = own_v.data + v_elements;
      const Index first = blocks.begin(block);
      const Index count = blocks.length(block);
      size_.transform_input(x_, grid_, margin_, zeros_.data(), first, count, own_v, 0, TileParts::windows, wide_);
      for (Index panel = 0; panel < y_panels_; ++panel) {
        const Index begin = panel * kTileCols<T>;
        const Index end = std::min(begin + kTileCols<T>, y_.channels);
        for (Index c = 0; c < x_.channels; c += kChannels) {
          multiply_points(size_.points(), own_v, 0, count, c / kTileCols<T>, u, panel, c,
                          std::min(kChannels, x_.channels - c), end - begin, own_m, c > 0);
        }
        size_.transform_output(own_m, y_, grid_, epilogue_, first, count, begin, end);
      }
    });
  }

  void share_tiles() {
    const EvenSplit blocks = EvenSplit::of_at_most(grid_.count(), kProductElements / (size_.points() * kTileCols<T>));
    Planes<T> v{nullptr, blocks.longest(), x_panels_};
    const Planes<T> u{nullptr, std::min(kChannels, x_.channels), 1};
    const Planes<T> m{nullptr, blocks.longest(), 1};
    Tensor<T> v_tensor({Planes<T>::elements(size_.points(), v.lines, v.panels)});
    v.data = v_tensor.mutable_data();
    const Index u_elements = Planes<T>::elements(size_.points(), u.lines, u.panels);
    const Index m_elements = Planes<T>::elements(size_.points(), m.lines, m.panels);
    const Scratch<T> scratch(u_elements + m_elements);
    for (Index block = 0; block < blocks.count; ++block) {
      const Index first = blocks.begin(block);
      const Index count = blocks.length(block);
      parallel_for(count, 4, [&](Index begin, Index end) {
        size_.transform_input(x_, grid_, margin_, zeros_.data(), first + begin, end - begin, v, begin,
                              TileParts::windows, wide_);
      });
      parallel_for(y_panels_, 1, [&](Index panel, Index, Index slot) {
        Planes<T> own_u = u;
        own_u.data = scratch.of(slot);
        Planes<T> own_m = m;
        own_m.data = own_u.data + u_elements;
        const Index begin = panel * kTileCols<T>;
        const Index end = std::min(begin + kTileCols<T>, y_.channels);
        for (Index c = 0; c < x_.channels; c += kChannels) {
          const Index depth = std::min(kChannels, x_.channels - c);
          transform_weights(c, depth, begin, own_u, 0);
          multiply_points(size_.points(), v, 0, count, c / kTileCols<T>, own_u, 0, 0, depth, end - begin, own_m, c > 0);
        }
        size_.transform_output(own_m, y_, grid_, epilogue_, first, count, begin, end);
      });
    }
  }

  const TileSize<T>& size_;
  Images<const T> x_;
  Images<T> y_;
  TileGrid grid_;
  Size2d margin_;
  ProductWeights<T> weights_;
  Epilogue<T> epilogue_;
  Tensor<T> zeros_;
  Index x_panels_;
  Index y_panels_;
  WideTiles wide_;
  std::atomic<bool> weights_are_usual_ = true;
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd
