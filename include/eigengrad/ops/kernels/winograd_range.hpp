// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/window.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/packet.hpp>

// Winograd's transforms mix all numbers of a tile and take them apart again. So each output is rounded as if the
// largest pixel of its tile were under its window, and a pixel that is not finite is in all of them. Tiles in which
// that matters are found as they are transformed and computed by the definition afterwards, alone: what is found
// depends on the tile and on nothing else. The same goes for the taps of the weights.
// While a tile is transformed the squares of its pixels are added up, and by themselves those of four of them: these
// tell of nearly every tile that its range is usual. Only of the others the maxima are taken.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd {

/// How many times the largest pixel under a window another one of its tile may be. The error of an output is about
/// 100 eps times the largest pixel of its tile in F(4x4, 3x3), which has factors of 8 in A and 5 in B (less in
/// F(2x2, 3x3)); with this it stays below a tenth of the largest pixel of its own window, and is a hundred times
/// smaller in what is usual.
template <class T>
inline constexpr T kWidestRange = T(1e-3) / std::numeric_limits<T>::epsilon();

/// True if the squares of the numbers that make a tile, `all` in sum, are of usual size and not beyond the range of
/// those of a part of it.
template <class T>
bool is_usual(T all, T part) {
  constexpr T kLargest = std::numeric_limits<T>::max() / (kWidestRange<T> * kWidestRange<T>);
  return all <= kLargest && all <= part * (kWidestRange<T> * kWidestRange<T>);  // false for NaN
}

/// The largest magnitude of `count` numbers; NaN if one is.
template <class T>
T largest_of(const T* numbers, Index count) {
  return ConstRowMap<T>(numbers, count).abs().template maxCoeff<Eigen::PropagateNaN>();
}

/// The sides of a tile at most.
inline constexpr int kMostSide = 6;
/// If the pixels of a tile begin, row by row; the first few of each row for a smaller tile.
template <class T>
using TilePixels = T* [kMostSide][kMostSide];

/// The largest magnitudes in a square of pixels that begin at the given places; 0 for those that are null.
template <class T>
struct PixelMaxima {
  T of[kMostSide][kMostSide];
  T largest = T(0);

  PixelMaxima(const TilePixels<const T>& pixels, int side, Index channels) {
    bool finite = true;
    for (int i = 0; i < side; ++i) {
      for (int j = 0; j < side; ++j) {
        of[i][j] = pixels[i][j] == nullptr ? T(0) : largest_of(pixels[i][j], channels);
        finite = finite && of[i][j] <= std::numeric_limits<T>::max();
        largest = std::max(largest, of[i][j]);
      }
    }
    if (!finite) largest = std::numeric_limits<T>::infinity();
  }

  bool is_finite() const { return largest <= std::numeric_limits<T>::max(); }
  /// The largest of the part of that size from (row, col) on; NaN if one is.
  T part(Index row, Index col, const Size2d& size) const {
    T result(0);
    for (Index i = row; i < row + size.height; ++i) {
      for (Index j = col; j < col + size.width; ++j) {
        if (of[i][j] > result || std::isnan(of[i][j])) result = of[i][j];
      }
    }
    return result;
  }
  /// True if this part of the square is so small that the largest number is in its rounding.
  bool drowns(T part) const { return !is_finite() || part * kWidestRange<T> < largest; }
};

/// Tiles that have been found to be computed by the definition.
class WideTiles {
 public:
  explicit WideTiles(Index tiles) : marks_(Tensor<std::uint8_t>::zeros({tiles})), data_(marks_.mutable_data()) {}

  void mark(Index tile) { data_[tile] = 1; }
  bool marked(Index tile) const { return data_[tile] != 0; }

  /// True if they are more than an eighth: to compute them one by one would take longer than all in another way.
  bool are_many() const { return count() > marks_.numel() / 8; }

  /// Their numbers, in order.
  Tensor<Index> list() const {
    Tensor<Index> result(Shape{count()});
    Index* next = result.mutable_data();
    for (Index tile = 0; !result.empty() && tile < marks_.numel(); ++tile) {
      if (marked(tile)) *next++ = tile;
    }
    return result;
  }

 private:
  Index count() const { return std::count(data_, data_ + marks_.numel(), std::uint8_t{1}); }

  Tensor<std::uint8_t> marks_;
  std::uint8_t* data_;
};

/// The squares of the pixels of a tile, and of four samples of them, summed over the channels.
template <class T>
class TileSquares {
 public:
  EIGEN_ALWAYS_INLINE explicit TileSquares(const T* const (&samples)[4]) {
    EIGENGRAD_UNROLL
    for (int i = 0; i < 4; ++i) {
      samples_[i] = samples[i];
      of_sample_[i] = Vector<T>(0);
    }
  }

  /// A packet of channels of a pixel, any number of whose rows may be added at a time.
  EIGEN_ALWAYS_INLINE Vector<T> add(int row, Vector<T> pixel) {
    Vector<T>& sum = of_rows_[row % 2];  // two chains: each alone would be as long as the transform itself
    sum = Vector<T>::multiply_add(pixel, pixel, sum);
    return pixel;
  }
  /// The samples' channels from c on.
  template <class Load>
  EIGEN_ALWAYS_INLINE void add_samples(const Load& load, Index c) {
    EIGENGRAD_UNROLL
    for (int i = 0; i < 4; ++i) {
      const Vector<T> pixel = load(samples_[i] + c);
      of_sample_[i] = Vector<T>::multiply_add(pixel, pixel, of_sample_[i]);
    }
  }

  T all() const { return (of_rows_[0] + of_rows_[1]).sum(); }
  T least_sample() const {
    return least([](T) { return true; });
  }
  T least_sample_above_zero() const {
    return least([](T squares) { return squares != T(0); });
  }

 private:
  template <class Counts>
  T least(const Counts& counts) const {
    T result = std::numeric_limits<T>::max();
    for (const auto& sample : of_sample_) {
      if (const T squares = sample.sum(); counts(squares)) result = std::min(result, squares);
    }
    return result;
  }

  const T* samples_[4];
  Vector<T> of_sample_[4];
  Vector<T> of_rows_[2] = {Vector<T>(0), Vector<T>(0)};
};

/// The squares of the weights under each of the nine taps, summed lane by lane: of outputs over the inputs, or the
/// other way round.
template <class T>
struct TapSquares {
  Vector<T> of[9];

  EIGEN_ALWAYS_INLINE TapSquares() {
    EIGENGRAD_UNROLL
    for (int tap = 0; tap < 9; ++tap) of[tap] = Vector<T>(0);
  }
  EIGEN_ALWAYS_INLINE Vector<T> add(int tap, Vector<T> weight) {
    of[tap] = Vector<T>::multiply_add(weight, weight, of[tap]);
    return weight;
  }

  /// True if in each lane the taps that are not 0 are of one range.
  bool are_usual() const {
    alignas(64) T squares[9][array_size(kLanes<T>)];
    for (int tap = 0; tap < 9; ++tap) of[tap].store(squares[tap]);
    for (int lane = 0; lane < kLanes<T>; ++lane) {
      T all(0), least = std::numeric_limits<T>::max();
      for (int tap = 0; tap < 9; ++tap) {
        all += squares[tap][lane];
        if (squares[tap][lane] > T(0)) least = std::min(least, squares[tap][lane]);
      }
      if (!is_usual(all, least)) return false;
    }
    return true;
  }
};

/// True if one of the taps, whose largest weights these are, is beyond the range of another that is not 0.
template <class T>
bool taps_are_wide(const T (&largest)[9]) {
  T all(0), least = std::numeric_limits<T>::infinity();
  for (const T tap : largest) {
    if (!(tap <= std::numeric_limits<T>::max())) return true;
    all = std::max(all, tap);
    if (tap > T(0)) least = std::min(least, tap);
  }
  return least * kWidestRange<T> < all;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd
