// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/even_split.hpp>
#include <eigengrad/ops/kernels/packet.hpp>

// The positions of a convolution in bands of rows, each with a copy of the pixels that it sees: with the padding in
// memory, a loop over positions needs no question about borders.
//   const Bands<T> bands(problem, rows_in_a_band);
//   bands.copy(x.data(), band, copy);                  // copy[row * row_step() + col * col_step() + offsets()[tap]]

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Bands of rows of positions, and the copy of the pixels under one of them: its rows one after another, as wide as
/// the window reaches, with zeros beside the image.
template <class T>
class Bands {
 public:
  Bands(const ConvProblem& problem, Index most_rows)
      : window_(problem.window),
        image_rows_(problem.x[1]),
        image_cols_(problem.x[2]),
        channels_(problem.x[3]),
        row_count_(problem.y[1]),
        cols_(problem.y[2]),
        rows_(EvenSplit::of_at_most(row_count_, std::max<Index>(1, most_rows))),
        count_(problem.y[0] * rows_.count),
        width_((cols_ - 1) * window_.stride.width + window_.extent().width) {}

  Index count() const { return count_; }
  Index rows(Index band) const { return rows_.length(band % rows_.count); }
  Index cols() const { return cols_; }
  Index most_positions() const { return rows_.longest() * cols_; }
  /// The first position of a band among those of all images.
  Index position(Index band) const {
    return (band / rows_.count * row_count_ + rows_.begin(band % rows_.count)) * cols_;
  }

  /// Elements of the copy, from one of its rows to the next, and from one position to the next in a row and below.
  Index elements() const { return round_up(copied_rows(rows_.longest()) * row_elements(), kLanes<T>); }
  Index row_elements() const { return width_ * channels_; }
  Index col_step() const { return window_.stride.width * channels_; }
  Index row_step() const { return window_.stride.height * row_elements(); }

  /// If the numbers under the window are, from the first of them on, in the order (r, s, c).
  Tensor<Index> offsets() const {
    Tensor<Index> result({window_.kernel.height, window_.kernel.width, channels_});
    Index* offset = result.mutable_data();
    for (Index r = 0; r < window_.kernel.height; ++r) {
      for (Index s = 0; s < window_.kernel.width; ++s) {
        for (Index c = 0; c < channels_; ++c)
          *offset++ = r * window_.dilation.height * row_elements() + s * window_.dilation.width * channels_ + c;
      }
    }
    return result;
  }

  void copy(const T* x, Index band, T* to) const {
    const T* image = x + band / rows_.count * image_rows_ * image_cols_ * channels_;
    const Index first = rows_.begin(band % rows_.count) * window_.stride.height - window_.padding.height;
    const Index left = std::min(window_.padding.width, width_);
    const Index inside = std::min(width_ - left, image_cols_);
    for (Index row = first; row < first + copied_rows(rows(band)); ++row, to += row_elements()) {
      const bool is_inside = row >= 0 && row < image_rows_;
      std::fill_n(to, (is_inside ? left : width_) * channels_, T(0));
      if (!is_inside) continue;
      std::copy_n(image + row * image_cols_ * channels_, inside * channels_, to + left * channels_);
      std::fill(to + (left + inside) * channels_, to + row_elements(), T(0));
    }
  }

 private:
  Index copied_rows(Index rows) const { return (rows - 1) * window_.stride.height + window_.extent().height; }

  Window window_;
  Index image_rows_, image_cols_, channels_;
  Index row_count_, cols_;  // of an image's positions
  EvenSplit rows_;
  Index count_;
  Index width_;  // of the copy, in pixels
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
