// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <eigengrad/ops/kernels/pack.hpp>
#include <eigengrad/ops/kernels/winograd_tiles.hpp>

// The weights of Winograd's products, transformed, a packet of channels at a time.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd {

/// Weights (outputs, 3, 3, inputs).
template <class T>
struct Weights {
  const T* data;
  Index outputs, inputs;

  const T* at(Index output, Index tap) const { return data + (output * 9 + tap) * inputs; }
};

/// The weights of the forward product: G g G^T with the inputs [first, first + count) as lines and one panel of
/// outputs, from `output` on, as channels.
template <class T>
struct ForwardWeights {
  template <int M>
  static bool transform(const Weights<T>& weights, Index first, Index count, Index output, const Planes<T>& u,
                        Index panel) {
    constexpr Index Run = 4 * kLanes<T>;  // inputs whose taps are transposed at a time
    const Index outputs = std::min<Index>(kTileCols<T>, weights.outputs - output);
    bool usual = true;
    for (Index k = 0; k < outputs; k += kLanes<T>) {
      TapSquares<T> squares;
      const Index valid = std::min<Index>(kLanes<T>, outputs - k);
      for (Index begin = 0; begin < count; begin += Run) {
        const Index run = std::min(Run, count - begin);
        alignas(64) T taps[9][Run * kLanes<T>];
        for (Index tap = 0; tap < 9; ++tap) {
          std::array<const T*, kLanes<T>> lines;
          for (Index i = 0; i < kLanes<T>; ++i)
            lines[static_cast<std::size_t>(i)] = weights.at(output + k + std::min(i, valid - 1), tap) + first + begin;
          pack_lines<T>(lines.data(), valid, kLanes<T>, run, taps[tap]);
        }
        for (Index c = 0; c < run; ++c) {
          into_points<M, 3>(
              u, u.at(0, panel, begin + c) + k,
              [](const auto& g, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::weight(g, out); },
              [&](int r, int s) EIGENGRAD_INLINE_LAMBDA {
                return squares.add(r * 3 + s, Vector<T>::load(taps[r * 3 + s] + c * kLanes<T>));
              });
        }
      }
      usual = squares.are_usual() && usual;
    }
    return usual;
  }

  static bool are_wide(const Weights<T>& weights) {
    for (Index k = 0; k < weights.outputs; ++k) {
      T largest[9];
      for (Index tap = 0; tap < 9; ++tap) largest[tap] = largest_of(weights.at(k, tap), weights.inputs);
      if (taps_are_wide(largest)) return true;
    }
    return false;
  }

  static void apply(const Weights<T>& weights, const T* const (&window)[3][3], T* y) {
    for (Index k = 0; k < weights.outputs; ++k) {
      y[k] = T(0);
      for (Index tap = 0; tap < 9; ++tap) {
        if (const T* pixel = window[tap / 3][tap % 3]) {
          y[k] += (ConstRowMap<T>(weights.at(k, tap), weights.inputs) * ConstRowMap<T>(pixel, weights.inputs)).sum();
        }
      }
    }
  }
};

/// The weights of the input gradient's product, which is a forward one with the window turned around and inputs and
/// outputs exchanged: the outputs are lines and one panel of inputs, from `input` on, is the channels.
template <class T>
struct BackwardWeights {
  template <int M>
  static bool transform(const Weights<T>& weights, Index first, Index count, Index input, const Planes<T>& u,
                        Index panel) {
    const Index inputs = std::min<Index>(kTileCols<T>, weights.inputs - input);
    TapSquares<T> squares[kTilePackets];
    for (Index k = 0; k < count; ++k) {
      for_each_channel_packet<T>(0, inputs, [&](Index c, const auto& load, const auto&) EIGENGRAD_INLINE_LAMBDA {
        const T* from = weights.at(first + k, 0) + input + c;
        into_points<M, 3>(
            u, u.at(0, panel, k) + c,
            [](const auto& g, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::weight(g, out); },
            [&](int r, int s) EIGENGRAD_INLINE_LAMBDA {
              const int tap = (2 - r) * 3 + (2 - s);
              return squares[c / kLanes<T>].add(tap, load(from + tap * weights.inputs));
            });
      });
    }
    return std::all_of(squares, squares + kTilePackets, [](const auto& taps) { return taps.are_usual(); });
  }

  static bool are_wide(const Weights<T>& weights) {
    Tensor<T> of_taps = Tensor<T>::zeros({9, weights.inputs});
    T* largest = of_taps.mutable_data();
    for (Index k = 0; k < weights.outputs; ++k) {
      const T* row = weights.at(k, 0);
      for (Index i = 0; i < 9 * weights.inputs; ++i) {
        const T size = std::abs(row[i]);
        largest[i] = size > largest[i] || std::isnan(size) ? size : largest[i];  // NaN stays
      }
    }
    for (Index c = 0; c < weights.inputs; ++c) {
      T of_input[9];
      for (Index tap = 0; tap < 9; ++tap) of_input[tap] = largest[tap * weights.inputs + c];
      if (taps_are_wide(of_input)) return true;
    }
    return false;
  }

  static void apply(const Weights<T>& weights, const T* const (&window)[3][3], T* dx) {
    RowMap<T> sum(dx, weights.inputs);
    sum.setZero();
    for (Index tap = 0; tap < 9; ++tap) {
      const T* gradient = window[2 - tap / 3][2 - tap % 3];
      for (Index k = 0; gradient != nullptr && k < weights.outputs; ++k)
        sum += ConstRowMap<T>(weights.at(k, tap), weights.inputs) * gradient[k];
    }
  }
};

/// dW = G^T du G for the outputs [output, output + count), the lines of du, and the inputs [begin, end), its channels.
template <int M, class T>
void transform_weight_gradient(const Planes<T>& du, T* dw, Index inputs, Index output, Index count, Index begin,
                               Index end) {
  for (Index k = 0; k < count; ++k) {
    for_each_channel_packet<T>(begin, end, [&](Index c, const auto&, const auto& store) EIGENGRAD_INLINE_LAMBDA {
      T* to = dw + (output + k) * 9 * inputs + c;
      from_points<M, 3>(
          du, du.packet(k, c - begin),
          [](const auto& in, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::weight_gradient(in, out); },
          [&](int r, int s, Vector<T> value) EIGENGRAD_INLINE_LAMBDA { store(to + (r * 3 + s) * inputs, value); });
    });
  }
}

/// The size of the tiles, M x M outputs, and the functions that are compiled for each M: what calls them, for many
/// tiles or a panel of weights at a time, is compiled once.
template <class T>
struct TileSize {
  int m;
  decltype(&winograd::transform_input<4, T>) transform_input;
  decltype(&winograd::transform_output<4, T>) transform_output;
  decltype(&winograd::transform_output_gradient<4, T>) transform_output_gradient;
  decltype(&winograd::transform_weight_gradient<4, T>) transform_weight_gradient;
  bool (*transform_forward_weights)(const Weights<T>&, Index, Index, Index, const Planes<T>&, Index);
  bool (*transform_backward_weights)(const Weights<T>&, Index, Index, Index, const Planes<T>&, Index);

  int side() const { return m + 2; }
  int points() const { return winograd::points(m); }
};
template <int M, class T>
inline constexpr TileSize<T> kTileSize{
    M,
    transform_input<M, T>,
    transform_output<M, T>,
    transform_output_gradient<M, T>,
    transform_weight_gradient<M, T>,
    ForwardWeights<T>::template transform<M>,
    BackwardWeights<T>::template transform<M>,
};

/// The weights of a product, forward or of the input gradient, and what is done with them.
template <class T>
struct ProductWeights {
  Weights<T> weights;
  /// Lines [first, first + count) of the panel of channels from `channel` on. False if taps may be of too many sizes.
  bool (*transform)(const Weights<T>&, Index first, Index count, Index channel, const Planes<T>& u, Index panel);
  /// True if for one of the channels the taps are of too many sizes.
  bool (*are_wide)(const Weights<T>&);
  /// All channels of a pixel of the result by the definition, from those under its window, null beside the image.
  void (*apply)(const Weights<T>&, const T* const (&window)[3][3], T* pixel);

  static ProductWeights forward(const TileSize<T>& size, const Weights<T>& weights) {
    return {weights, size.transform_forward_weights, ForwardWeights<T>::are_wide, ForwardWeights<T>::apply};
  }
  static ProductWeights backward(const TileSize<T>& size, const Weights<T>& weights) {
    return {weights, size.transform_backward_weights, BackwardWeights<T>::are_wide, BackwardWeights<T>::apply};
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd
