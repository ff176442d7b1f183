// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include <eigengrad/ops/kernels/pack.hpp>
#include <eigengrad/ops/kernels/tap_table.hpp>

// im2col without its matrix: the operands that make a convolution a matrix product. Each packs its panels
// straight from images or weights, so the R S copies of an image that im2col would write never exist.

namespace eigengrad::ops::kernels {

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

  template <int Width>
  void pack(Index first_line, Index valid, Index first_step, Index depth, T* target) const {
    std::array<Position, Width> positions;
    Position next = position(first_line);
    for (auto& p : positions) {
      p = next;
      if (&p - positions.data() + 1 < valid) advance(next);
    }
    for_each_tap(first_step, depth, [&](Index r, Index s, Index channel, Index count) {
      std::array<const T*, Width> lines;
      for (std::size_t i = 0; i < Width; ++i) lines[i] = pixel(positions[i], r, s) + channel;
      pack_lines<T, Width>(lines.data(), valid, count, target);
      target += count * Width;
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

  template <int Width>
  void pack(Index first_line, Index valid, Index first_step, Index depth, T* target) const {
    if (valid < Width) std::fill_n(target, Width * depth, T(0));
    patches->for_each_tap(first_line, valid, [&](Index r, Index s, Index channel, Index count) {
      typename Patches<T>::Position position = patches->position(first_step);
      T* to = target;
      for (Index p = 0; p < depth; ++p, to += Width, patches->advance(position)) {
        const T* from = patches->pixel(position, r, s) + channel;
        if (count == Width)
          std::memcpy(to, from, Width * sizeof(T));
        else
          std::copy_n(from, count, to);
      }
      target += count;
    });
  }
};

/// Weights (K, R, S, C) with the inputs c as lines and, as their steps, (r, s, k).
template <class T>
struct InputWeights {
  const T* weight;
  Index outputs, taps, channels;  // K, R S, C

  template <int Width>
  void pack(Index first_line, Index valid, Index first_step, Index depth, T* target) const {
    Index tap = first_step / outputs;
    for (Index output = first_step % outputs; depth > 0; output = 0, ++tap) {
      const Index part = std::min(outputs - output, depth);
      const T* source = weight + (output * taps + tap) * channels + first_line;
      pack_steps<T, Width>([&](Index p) { return source + p * taps * channels; }, valid, part, target);
      target += part * Width;
      depth -= part;
    }
  }
};

}  // namespace eigengrad::ops::kernels
