// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/pack.hpp>
#include <eigengrad/ops/kernels/tap_table.hpp>

// im2col without its matrix: the operands that make a convolution a matrix product. Each packs its panels
// straight from images or weights, so the R S copies of an image that im2col would write never exist.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Images under a window: line (n, p, q), for each position of the window, has the steps (r, s, c), the
/// channels of the pixels under its taps, zeros beside the image.
/// Shapes   images (N, H, W, C), of whose channels [first_channel, first_channel + channels) are taken
template <class T>
class Patches {
 public:
  Patches(const Tensor<T>& images, Index first_channel, Index channels, const TapTables& taps)
      : images_(images.data() + first_channel),
        height_(images.size(1)),
        width_(images.size(2)),
        pixel_stride_(images.size(3)),
        channels_(channels),
        rows_(&taps.rows),
        cols_(&taps.cols),
        zeros_(Tensor<T>::zeros({channels})) {}

  Index steps() const { return rows_->taps() * cols_->taps() * channels_; }

  void pack(Index first_line, Index valid, Index width, Index first_step, Index depth, T* target) const {
    const Positions positions = positions_from(first_line, valid);
    for_each_tap(first_step, depth, [&](Index r, Index s, Index channel, Index count) {
      std::array<const T*, array_size(kPanelLines<T>)> lines;
      for (std::size_t i = 0; i < static_cast<std::size_t>(valid); ++i) lines[i] = pixel(positions[i], r, s) + channel;
      pack_lines<T>(lines.data(), valid, width, count, target);
      target += count * width;
    });
  }

  /// The channels under a tap are a run; short ones are quicker transposed.
  bool lines_are_contiguous() const { return channels_ >= 2 * kTileCols<T>; }

  void copy_lines(Index first_line, Index lines, Index first_step, Index depth, T* target) const {
    const Positions positions = positions_from(first_line, lines);
    Index step = 0;
    for_each_tap(first_step, depth, [&](Index r, Index s, Index channel, Index count) {
      for (Index i = 0; i < lines; ++i) {
        copy_to_chunks<T>(pixel(positions[static_cast<std::size_t>(i)], r, s) + channel, step, count, lines,
                          target + i * kTileCols<T>);
      }
      step += count;
    });
  }

  /// A position of the window.
  struct Position {
    Index image, row, col;
  };
  Position position(Index line) const {
    const Index in_row = cols_->positions();
    const Index rows = line / in_row;
    return {rows / rows_->positions(), rows % rows_->positions(), line % in_row};
  }
  void advance(Position& p) const {
    if (++p.col < cols_->positions()) return;
    p.col = 0;
    if (++p.row < rows_->positions()) return;
    p.row = 0;
    ++p.image;
  }

  /// The positions of the lines of a panel.
  using Positions = std::array<Position, array_size(kPanelLines<T>)>;
  Positions positions_from(Index first_line, Index count) const {
    Positions positions;
    Position next = position(first_line);
    for (Index i = 0; i < count; ++i, advance(next)) positions[static_cast<std::size_t>(i)] = next;
    return positions;
  }

  /// The channels of the pixel under tap (r, s) at a position; zeros beside the image.
  const T* pixel(const Position& p, Index r, Index s) const {
    const Index row = rows_->at(p.row)[r];
    const Index col = cols_->at(p.col)[s];
    if (row < 0 || col < 0) return zeros_.data();
    return images_ + ((p.image * height_ + row) * width_ + col) * pixel_stride_;
  }

  /// Calls f(r, s, first channel, count) for each tap's part of [first, first + count) of the axis (r, s, c).
  template <class F>
  void for_each_tap(Index first, Index count, const F& f) const {
    Index tap = first / channels_;
    for (Index channel = first % channels_; count > 0; channel = 0, ++tap) {
      const Index part = std::min(channels_ - channel, count);
      f(tap / cols_->taps(), tap % cols_->taps(), channel, part);
      count -= part;
    }
  }

 private:
  const T* images_;
  Index height_, width_, pixel_stride_, channels_;
  const TapTable* rows_;
  const TapTable* cols_;
  Tensor<T> zeros_;  // a pixel beside the image
};

/// Patches with lines and steps exchanged.
template <class T>
struct TransposedPatches {
  const Patches<T>* patches;

  void pack(Index first_line, Index valid, Index width, Index first_step, Index depth, T* target) const {
    if (valid < width) std::fill_n(target, width * depth, T(0));
    patches->for_each_tap(first_line, valid, [&](Index r, Index s, Index channel, Index count) {
      typename Patches<T>::Position position = patches->position(first_step);
      T* to = target;
      for (Index p = 0; p < depth; ++p, to += width, patches->advance(position)) {
        const T* from = patches->pixel(position, r, s) + channel;
        if (count == kTileCols<T>)
          std::memcpy(to, from, kTileCols<T> * sizeof(T));
        else
          std::copy_n(from, count, to);
      }
      target += count;
    });
  }
};

/// Calls f(from, to) for each tap of the tables and each of K outputs: where its weights are among those of all taps,
/// and where among those of the tables' taps alone. Both have one group of inputs after another.
template <class F>
void for_each_live_tap(const TapTables& taps, const Shape& weight, const F& f) {
  const Index rows = taps.rows.taps();
  const Index cols = taps.cols.taps();
  parallel_for(weight[0], row_grain(rows * cols * weight[3]), [&](Index begin, Index end) {
    for (Index k = begin; k < end; ++k) {
      for (Index r = 0; r < rows; ++r) {
        for (Index s = 0; s < cols; ++s) {
          const Index tap = taps.rows.number(r) * weight[2] + taps.cols.number(s);
          f((k * weight[1] * weight[2] + tap) * weight[3], ((k * rows + r) * cols + s) * weight[3]);
        }
      }
    }
  });
}

/// The weights of the tables' taps, (K, rows, cols, C): the weights themselves if these are all.
template <class T>
Tensor<T> weights_of(const Tensor<T>& weight, const TapTables& taps) {
  const Shape& shape = weight.shape();
  if (taps.taps() == Size2d(shape[1], shape[2])) return weight;
  Tensor<T> live({shape[0], taps.rows.taps(), taps.cols.taps(), shape[3]});
  T* to = live.mutable_data();
  for_each_live_tap(taps, shape,
                    [&](Index at, Index at_live) { std::copy_n(weight.data() + at, shape[3], to + at_live); });
  return live;
}

/// The other way round: weights, or their gradient, from those of the tables' taps; zeros for all others.
template <class T>
void spread_weights(const Tensor<T>& live, const TapTables& taps, Tensor<T>& weight) {
  const Index inputs = weight.size(3);
  T* to = weight.mutable_data();
  std::fill_n(to, weight.numel(), T(0));
  for_each_live_tap(taps, weight.shape(),
                    [&](Index at, Index at_live) { std::copy_n(live.data() + at_live, inputs, to + at); });
}

/// Every step-th pixel of images, from one on, as the rows of a matrix, their channels as its columns: a product
/// writes to it, but it does not lie in memory as a View does.
template <class T>
struct PixelLattice {
  T* data;                       // the first channel of the first pixel
  Index rows, cols;              // of the matrix
  Index row_stride, col_stride;  // from one pixel to the next in a row of an image, and 1; or the other way round
  Index in_row, in_column;       // pixels along a row and along a column of an image
  Index line_stride, image_stride;
  bool is_transposed = false;

  PixelLattice transposed() const {
    PixelLattice result = *this;
    std::swap(result.rows, result.cols);
    std::swap(result.row_stride, result.col_stride);
    result.is_transposed = !is_transposed;
    return result;
  }

  T* pixel(Index i) const {
    const Index line = i / in_row;
    return data + line / in_column * image_stride + line % in_column * line_stride +
           i % in_row * (is_transposed ? col_stride : row_stride);
  }

  template <class Sums>
  void write(const Sums& sums, Index row, Index col, bool add) const {
    const Index pixels = is_transposed ? sums.cols() : sums.rows();
    const Index count = is_transposed ? sums.rows() : sums.cols();
    const Index next_pixel = is_transposed ? 1 : sums.outerStride();
    const Index next_channel = is_transposed ? sums.outerStride() : 1;
    for (Index i = 0; i < pixels; ++i) {
      const T* from = sums.data() + i * next_pixel;
      T* to = pixel(i + (is_transposed ? col : row)) + (is_transposed ? row : col);
      if (add) {
        for (Index j = 0; j < count; ++j) to[j] += from[j * next_channel];
      } else if (is_transposed) {
        for (Index j = 0; j < count; ++j) to[j] = from[j * next_channel];
      } else {
        std::copy_n(from, count, to);
      }
    }
  }

  void set_zero() const {
    for (Index i = 0; i < (is_transposed ? cols : rows); ++i) std::fill_n(pixel(i), is_transposed ? rows : cols, T(0));
  }
};

/// Weights (K, R, S, C) with the inputs c as lines and, as their steps, (r, s, k).
template <class T>
struct InputWeights {
  const T* weight;
  Index outputs, taps, channels;  // K, R S, C

  void pack(Index first_line, Index valid, Index width, Index first_step, Index depth, T* target) const {
    Index tap = first_step / outputs;
    for (Index output = first_step % outputs; depth > 0; output = 0, ++tap) {
      const Index part = std::min(outputs - output, depth);
      const T* source = weight + (output * taps + tap) * channels + first_line;
      pack_steps<T>([&](Index p) { return source + p * taps * channels; }, valid, width, part, target);
      target += part * width;
      depth -= part;
    }
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
