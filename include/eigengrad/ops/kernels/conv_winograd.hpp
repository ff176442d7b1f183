// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/even_split.hpp>
#include <eigengrad/ops/kernels/winograd_operands.hpp>

// Convolution with windows of 3x3 and stride 1 by Winograd's algorithm (winograd_transform.hpp), in tiles of M x M
// outputs. Its (M + 2)^2 products are worked through in blocks that never leave the caches: of the tiles and the
// weights, the smaller is transformed once and shared, the larger block by block by the thread that multiplies it,
// which at once transforms the product back. So the transformed weights, up to four times the size of the weights,
// are nowhere as a whole.
//
// Blocks depend on the problem alone and each sum has its order: the number of threads changes no bit.

namespace eigengrad::ops::kernels::winograd {

inline constexpr int points(int m) { return (m + 2) * (m + 2); }
/// Channels summed in one pass: so many lines of transformed weights stay in a thread's second-level cache.
inline constexpr Index kChannels = 128;
/// Elements of transformed tiles that a thread keeps to itself.
inline constexpr Index kOwnElements = 256 * 1024;
/// Elements of a panel of products, (M + 2)^2 of them, that a thread keeps to itself.
inline constexpr Index kProductElements = 160 * 1024;
/// Elements of transformed tiles that all threads share.
inline constexpr Index kSharedElements = 2 * 1024 * 1024;

/// The products of all points for the lines [first, first + lines) of v, in whose channels from panel v_panel on
/// `depth` are summed, and `cols` channels of panel u_panel of u: into the lines from 0 on of the only panel of m.
template <int M, class T>
void multiply_points(const Planes<T>& v, Index first, Index lines, Index v_panel, const Planes<T>& u, Index u_panel,
                     Index u_line, Index depth, Index cols, const Planes<T>& m, bool add) {
  const EvenSplit rows = EvenSplit::of_at_most(lines, kTileRows);
  const auto& tiles = kMultiplyTile<T, RowsAreLinesOfPanels<T>>[cols > kLanes<T> ? 1 : 0];
  for (Index point = 0; point < points(M); ++point) {
    for (Index i = 0; i < rows.count; ++i) {
      tiles[static_cast<std::size_t>(rows.length(i) - 1)](depth, v.at(point, v_panel, first + rows.begin(i)),
                                                          v.panel_stride(), u.at(point, u_panel, u_line),
                                                          m.at(point, 0, rows.begin(i)), kTileCols<T>, add);
    }
  }
}

/// y = the correlation of x, which `margin` pixels of zeros surround, with weights, and then the epilogue.
template <int M, class T, class TransformedWeights>
class Correlation {
 public:
  Correlation(const Images<const T>& x, Index images, Size2d margin, const TransformedWeights& weights,
              const Epilogue<T>& epilogue, const Images<T>& y)
      : x_(x),
        y_(y),
        grid_(TileGrid::of(M, images, y.height, y.width)),
        margin_(margin),
        weights_(weights),
        epilogue_(epilogue),
        zeros_(Tensor<T>::zeros({x.channels})),
        x_panels_(Planes<T>::panels_of(x.channels)),
        y_panels_(Planes<T>::panels_of(y.channels)) {}

  void run() {
    if (grid_.count() > y_.channels)
      share_weights();
    else
      share_tiles();
  }

 private:
  void share_weights() {
    Planes<T> u{nullptr, x_.channels, y_panels_};
    Tensor<T> u_elements({Planes<T>::elements(points(M), u.lines, u.panels)});
    u.data = u_elements.mutable_data();
    constexpr Index kLinesAtOnce = 4 * kLanes<T>;
    const Index runs = (x_.channels + kLinesAtOnce - 1) / kLinesAtOnce;
    parallel_for(y_panels_ * runs, 1, [&](Index task, Index) {
      const Index panel = task / runs;
      const Index line = task % runs * kLinesAtOnce;
      Planes<T> part = u;
      part.data += line * kTileCols<T>;
      weights_.transform(line, std::min(kLinesAtOnce, x_.channels - line), panel * kTileCols<T>, part, panel);
    });

    const Index tiles = std::clamp<Index>(kOwnElements / (points(M) * x_panels_ * kTileCols<T>), kTileRows, 96);
    EvenSplit blocks = EvenSplit::of_at_most(grid_.count(), tiles);
    if (blocks.count > 1) blocks.count = (blocks.count + 3) / 4 * 4;
    const Planes<T> v{nullptr, blocks.longest(), x_panels_};
    const Planes<T> m{nullptr, blocks.longest(), 1};
    const Index v_elements = Planes<T>::elements(points(M), v.lines, v.panels);
    const Index m_elements = Planes<T>::elements(points(M), m.lines, m.panels);
    Tensor<T> own({Index{num_threads()}, v_elements + m_elements});
    T* own_data = own.mutable_data();
    parallel_for(blocks.count, 1, [&](Index block, Index, Index slot) {
      Planes<T> own_v = v;
      own_v.data = own_data + slot * (v_elements + m_elements);
      Planes<T> own_m = m;
      own_m.data = own_v.data + v_elements;
      const Index first = blocks.begin(block);
      const Index count = blocks.length(block);
      transform_input<M>(x_, grid_, margin_, zeros_.data(), first, count, own_v, 0);
      for (Index panel = 0; panel < y_panels_; ++panel) {
        const Index begin = panel * kTileCols<T>;
        const Index end = std::min(begin + kTileCols<T>, y_.channels);
        for (Index c = 0; c < x_.channels; c += kChannels) {
          multiply_points<M>(own_v, 0, count, c / kTileCols<T>, u, panel, c, std::min(kChannels, x_.channels - c),
                             end - begin, own_m, c > 0);
        }
        transform_output<M>(own_m, y_, grid_, epilogue_, first, count, begin, end);
      }
    });
  }

  void share_tiles() {
    const EvenSplit blocks = EvenSplit::of_at_most(grid_.count(), kProductElements / (points(M) * kTileCols<T>));
    Planes<T> v{nullptr, blocks.longest(), x_panels_};
    const Planes<T> u{nullptr, std::min(kChannels, x_.channels), 1};
    const Planes<T> m{nullptr, blocks.longest(), 1};
    Tensor<T> v_tensor({Planes<T>::elements(points(M), v.lines, v.panels)});
    v.data = v_tensor.mutable_data();
    const Index u_elements = Planes<T>::elements(points(M), u.lines, u.panels);
    const Index m_elements = Planes<T>::elements(points(M), m.lines, m.panels);
    Tensor<T> own({Index{num_threads()}, u_elements + m_elements});
    T* own_data = own.mutable_data();
    for (Index block = 0; block < blocks.count; ++block) {
      const Index first = blocks.begin(block);
      const Index count = blocks.length(block);
      parallel_for(count, 4, [&](Index begin, Index end) {
        transform_input<M>(x_, grid_, margin_, zeros_.data(), first + begin, end - begin, v, begin);
      });
      parallel_for(y_panels_, 1, [&](Index panel, Index, Index slot) {
        Planes<T> own_u = u;
        own_u.data = own_data + slot * (u_elements + m_elements);
        Planes<T> own_m = m;
        own_m.data = own_u.data + u_elements;
        const Index begin = panel * kTileCols<T>;
        const Index end = std::min(begin + kTileCols<T>, y_.channels);
        for (Index c = 0; c < x_.channels; c += kChannels) {
          const Index depth = std::min(kChannels, x_.channels - c);
          weights_.transform(c, depth, begin, own_u, 0);
          multiply_points<M>(v, 0, count, c / kTileCols<T>, own_u, 0, 0, depth, end - begin, own_m, c > 0);
        }
        transform_output<M>(own_m, y_, grid_, epilogue_, first, count, begin, end);
      });
    }
  }

  Images<const T> x_;
  Images<T> y_;
  TileGrid grid_;
  Size2d margin_;
  TransformedWeights weights_;
  Epilogue<T> epilogue_;
  Tensor<T> zeros_;
  Index x_panels_;
  Index y_panels_;
};

/// dW (outputs, 3, 3, inputs) from dy and x, which `margin` pixels of zeros surround.
template <int M, class T>
class WeightGradient {
 public:
  WeightGradient(const Images<const T>& x, const Images<const T>& dy, Index images, Size2d margin, T* dw)
      : x_(x),
        dy_(dy),
        grid_(TileGrid::of(M, images, dy.height, dy.width)),
        margin_(margin),
        dw_(dw),
        zeros_(Tensor<T>::zeros({std::max(x.channels, dy.channels)})),
        x_panels_(Planes<T>::panels_of(x.channels)),
        dy_panels_(Planes<T>::panels_of(dy.channels)) {}

  void run() {
    // All tiles at once if they fit; else as many as make the operands no smaller than the sums, which each round
    // must read and write again.
    const Index sums = x_panels_ * kTileCols<T> * dy_.channels;
    const Index tiles =
        std::max<Index>(std::max(kSharedElements / points(M), sums) / ((x_panels_ + dy_panels_) * kTileCols<T>), 16);
    const EvenSplit rounds = EvenSplit::of_at_most(grid_.count(), tiles);
    Planes<T> v{nullptr, rounds.longest(), x_panels_};
    Planes<T> m{nullptr, rounds.longest(), dy_panels_};
    const Index v_elements = Planes<T>::elements(points(M), v.lines, v.panels);
    Tensor<T> operands({v_elements + Planes<T>::elements(points(M), m.lines, m.panels)});
    v.data = operands.mutable_data();
    m.data = v.data + v_elements;

    const Index x_blocks = (x_panels_ + kBlockPanels - 1) / kBlockPanels;
    const Index dy_blocks = (dy_panels_ + kBlockPanels - 1) / kBlockPanels;
    const Planes<T> du{nullptr, kBlockPanels * kTileCols<T>, kBlockPanels};
    const Index du_elements = Planes<T>::elements(points(M), du.lines, du.panels);
    // The sums of one round are a thread's own; those of more must last.
    const bool lasting = rounds.count > 1;
    Tensor<T> du_tensor({lasting ? x_blocks * dy_blocks : Index{num_threads()}, du_elements});
    T* du_data = du_tensor.mutable_data();

    for (Index round = 0; round < rounds.count; ++round) {
      const Index first = rounds.begin(round);
      const Index count = rounds.length(round);
      parallel_for(count, 4, [&](Index begin, Index end) {
        transform_input<M>(x_, grid_, margin_, zeros_.data(), first + begin, end - begin, v, begin);
        transform_output_gradient<M>(dy_, grid_, zeros_.data(), first + begin, end - begin, m, begin);
      });
      parallel_for(x_blocks * dy_blocks, 1, [&](Index task, Index, Index slot) {
        Planes<T> own = du;
        own.data = du_data + (lasting ? task : slot) * du_elements;
        const Index x_panel = task % x_blocks * kBlockPanels;
        const Index dy_panel = task / x_blocks * kBlockPanels;
        multiply(v, x_panel, m, dy_panel, count, own, round > 0);
        if (round + 1 < rounds.count) return;
        const Index output = dy_panel * kTileCols<T>;
        const Index input = x_panel * kTileCols<T>;
        transform_weight_gradient<M>(own, dw_, x_.channels, output, std::min(own.lines, dy_.channels - output), input,
                                     std::min(input + kBlockPanels * kTileCols<T>, x_.channels));
      });
    }
  }

 private:
  /// A thread's block of sums has so many panels of inputs, and as many of outputs.
  static constexpr Index kBlockPanels = 2;

  /// du = m^T v, or du += m^T v, summed over `depth` tiles.
  void multiply(const Planes<T>& v, Index x_panel, const Planes<T>& m, Index dy_panel, Index depth, const Planes<T>& du,
                bool add) const {
    const Index x_end = std::min(x_panel + kBlockPanels, x_panels_);
    const Index dy_end = std::min(dy_panel + kBlockPanels, dy_panels_);
    for (Index point = 0; point < points(M); ++point) {
      for (Index j = x_panel; j < x_end; ++j) {
        const auto& tiles =
            kMultiplyTile<T, StepsAreLinesOfPanels<T>>[x_.channels - j * kTileCols<T> > kLanes<T> ? 1 : 0];
        for (Index i = dy_panel; i < dy_end; ++i) {
          const EvenSplit rows =
              EvenSplit::of_at_most(std::min<Index>(kTileCols<T>, dy_.channels - i * kTileCols<T>), kTileRows);
          for (Index r = 0; r < rows.count; ++r) {
            tiles[static_cast<std::size_t>(rows.length(r) - 1)](
                depth, m.at(point, i, 0) + rows.begin(r), 0, v.at(point, j, 0),
                du.at(point, j - x_panel, (i - dy_panel) * kTileCols<T> + rows.begin(r)), kTileCols<T>, add);
          }
        }
      }
    }
  }

  Images<const T> x_;
  Images<const T> dy_;
  TileGrid grid_;
  Size2d margin_;
  T* dw_;
  Tensor<T> zeros_;
  Index x_panels_;
  Index dy_panels_;
};

/// Whether the algorithm computes this problem at all: 3x3 windows at every pixel.
inline bool suits(const ConvProblem& problem) {
  const Window& w = problem.window;
  return w.kernel == Size2d(3) && w.stride == Size2d(1) && w.dilation == Size2d(1) && w.padding.height <= 2 &&
         w.padding.width <= 2;
}

/// The channels of one group of images.
template <class T>
Images<T> group_images(T* data, const Shape& shape, Index group, Index groups) {
  const Index channels = shape[3] / groups;
  return {data + group * channels, shape[1], shape[2], channels, shape[3]};
}

template <class T>
Weights<T> group_weights(const ConvProblem& problem, const Tensor<T>& weight, Index group) {
  return {weight.data() + group * problem.group_weights(), problem.group_outputs(), problem.group_inputs()};
}

/// y = f(x * W)
template <int M, class T>
void forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f,
             Tensor<T>& y) {
  const auto of_group = [&](const Tensor<T>& channels, Index g) {
    return channels.empty() ? nullptr : channels.data() + g * problem.group_outputs();
  };
  T* out = y.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    Correlation<M, T, ForwardWeights<M, T>>(group_images(x.data(), problem.x, g, problem.groups), problem.x[0],
                                            problem.window.padding, {group_weights(problem, weight, g)},
                                            {of_group(f.scale, g), of_group(f.shift, g), f.relu},
                                            group_images(out, problem.y, g, problem.groups))
        .run();
  }
}

/// dx from dy.
template <int M, class T>
void backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
  T* out = dx.mutable_data();
  const Size2d padding = problem.window.padding;
  for (Index g = 0; g < problem.groups; ++g) {
    Correlation<M, T, BackwardWeights<M, T>>(
        group_images(dy.data(), problem.y, g, problem.groups), problem.y[0], {2 - padding.height, 2 - padding.width},
        {group_weights(problem, weight, g)}, {}, group_images(out, problem.x, g, problem.groups))
        .run();
  }
}

/// dW from dy and x.
template <int M, class T>
void backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
  T* out = dw.mutable_data();
  for (Index g = 0; g < problem.groups; ++g) {
    WeightGradient<M, T>(group_images(x.data(), problem.x, g, problem.groups),
                         group_images(dy.data(), problem.y, g, problem.groups), problem.x[0], problem.window.padding,
                         out + g * problem.group_weights())
        .run();
  }
}

}  // namespace eigengrad::ops::kernels::winograd
