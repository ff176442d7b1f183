// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/window.hpp>
#include <eigengrad/ops/kernels/tile.hpp>
#include <eigengrad/ops/kernels/winograd_range.hpp>
#include <eigengrad/ops/kernels/winograd_transform.hpp>

// What Winograd's products read and write: tiles of images, transformed, a packet of channels at a time.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd {

/// The points of the algorithm: element-wise products of a tile.
inline constexpr int points(int m) { return (m + 2) * (m + 2); }

/// Transformed operands: for each point of the algorithm a matrix of `lines` (tiles, or channels of the weights) by
/// channels, cut into panels kTileCols channels wide, line after line.
template <class T>
struct Planes {
  T* data = nullptr;
  Index lines = 0;
  Index panels = 0;

  static Index panels_of(Index channels) { return ceil_div(channels, kTileCols<T>); }
  /// One packet more than needed: or the points of a tile would all lie on the same lines of the cache.
  Index point_stride() const { return panels * panel_stride() + kLanes<T>; }
  Index panel_stride() const { return lines * kTileCols<T>; }
  static Index elements(int points, Index lines, Index panels) {
    return points * Planes{nullptr, lines, panels}.point_stride();
  }

  T* at(Index point, Index panel, Index line) const {
    return data + point * point_stride() + panel * panel_stride() + line * kTileCols<T>;
  }
  /// The place of one packet of channels at the first point.
  T* packet(Index line, Index channel) const { return at(0, channel / kTileCols<T>, line) + channel % kTileCols<T>; }
};

/// Images (count, height, width, channels); from one pixel to the next it is pixel_stride elements.
template <class T>
struct Images {
  T* data;
  Index height, width, channels, pixel_stride;
};

/// A tile: its image, and the first of its pixels, which may lie before the image.
struct Tile {
  Index image, row, col;
};

/// The tiles of m x m outputs that cover an image of height x width of them, row by row; those of the next image
/// follow.
struct TileGrid {
  int m;
  Index images, height, width;
  Index high, wide;

  static TileGrid of(int m, Index images, Index height, Index width) {
    return {m, images, height, width, ceil_div(height, m), ceil_div(width, m)};
  }
  Index count() const { return images * high * wide; }

  /// With the pixels from (m i - margin, m j - margin) on for tile (i, j).
  Tile tile(Index number, Size2d margin) const {
    return {number / (high * wide), number / wide % high * m - margin.height, number % wide * m - margin.width};
  }
  /// How many of a tile's outputs there are.
  Size2d outputs(const Tile& tile, Size2d margin) const {
    return {std::min<Index>(m, height - tile.row - margin.height), std::min<Index>(m, width - tile.col - margin.width)};
  }
};

/// If the side x side pixels of a tile lie; `outside` beside the image.
template <class T>
EIGEN_ALWAYS_INLINE void locate(const Images<T>& images, const Tile& tile, int side, T* outside,
                                TilePixels<T>& pixels) {
  const Index corner = (tile.image * images.height + tile.row) * images.width + tile.col;
  for (int i = 0; i < side; ++i) {
    const bool row_inside = tile.row + i >= 0 && tile.row + i < images.height;
    for (int j = 0; j < side; ++j) {
      const bool inside = row_inside && tile.col + j >= 0 && tile.col + j < images.width;
      pixels[i][j] = inside ? images.data + (corner + i * images.width + j) * images.pixel_stride : outside;
    }
  }
}

/// Calls f(channel, load, store) for each packet of channels in [first, last): load(pointer) and store(pointer, value)
/// touch no channel from `last` on.
template <class T, class F>
EIGEN_ALWAYS_INLINE void for_each_channel_packet(Index first, Index last, const F& f) {
  for (Index c = first; c < last; c += kLanes<T>) {
    const ChannelPacket<T> part(last - c);
    f(
        c, [=](const T* from) EIGENGRAD_INLINE_LAMBDA { return part.load(from); },
        [=](T* to, Vector<T> value) EIGENGRAD_INLINE_LAMBDA { part.store(to, value); });
  }
}

/// Transforms In x In elements, which load(i, j) gives, into the points of one packet of channels, from `to` on.
template <int M, int In, class T, class Transform, class Load>
EIGEN_ALWAYS_INLINE void into_points(const Planes<T>& planes, T* to, const Transform& transform, const Load& load) {
  constexpr int Side = M + 2;
  transform_tile<Vector<T>, In, Side>(transform, load, [&](int i, int j, Vector<T> value) EIGENGRAD_INLINE_LAMBDA {
    value.store(to + (i * Side + j) * planes.point_stride());
  });
}
/// Transforms the points of one packet of channels, from `from` on, into Out x Out elements for store(i, j, value).
template <int M, int Out, class T, class Transform, class Store>
EIGEN_ALWAYS_INLINE void from_points(const Planes<T>& planes, const T* from, const Transform& transform,
                                     const Store& store) {
  constexpr int Side = M + 2;
  transform_tile<Vector<T>, Side, Out>(
      transform,
      [&](int i, int j)
          EIGENGRAD_INLINE_LAMBDA { return Vector<T>::load(from + (i * Side + j) * planes.point_stride()); },
      store);
}

/// The parts of a tile that a result is summed over: count.height x count.width of them, a pixel apart. In forward they
/// are the windows of its outputs, and zeros alone give 0; for the gradient of the weights they are what each tap lies
/// on, and zeros alone add nothing to a larger sum.
struct TileParts {
  Size2d count, size;
  bool zeros_count;

  static TileParts windows(const Size2d& outputs) { return {outputs, 3, true}; }
  static TileParts taps(const Size2d& outputs) { return {3, outputs, false}; }
};

/// Two places along an axis of a tile, or one twice, one of which each part has, on the image if there are such.
struct Middle {
  Index first = 0, last = 0;
  bool exists = true;

  static Middle of(Index count, Index size, Index origin) {
    if (count > 2 * size) return {.exists = false};
    if (count > size) return {size - 1, count - 1};
    const Index place = std::clamp(-origin, count - 1, size - 1);
    return {place, place};
  }
};

/// The largest magnitudes of side x side pixels of a tile.
template <class T>
PixelMaxima<T> maxima_of(const Images<const T>& images, const Tile& tile, int side) {
  TilePixels<const T> pixels;
  locate(images, tile, side, static_cast<const T*>(nullptr), pixels);
  return {pixels, side, images.channels};
}

/// True if a part of a tile is beyond the range of the largest of its pixels.
template <class T>
EIGEN_DONT_INLINE bool parts_are_wide(const Images<const T>& images, const Tile& tile, int side,
                                      const TileParts& parts) {
  const PixelMaxima<T> maxima = maxima_of(images, tile, side);
  if (!maxima.is_finite()) return true;
  for (Index i = 0; i < parts.count.height; ++i) {
    for (Index j = 0; j < parts.count.width; ++j) {
      const T part = maxima.part(i, j, parts.size);
      if (maxima.drowns(part) && (part > T(0) || parts.zeros_count)) return true;
    }
  }
  return false;
}

/// True if the pixels of a tile are beyond the range of the smallest that is not 0.
template <class T>
EIGEN_DONT_INLINE bool pixels_are_wide(const Images<const T>& images, const Tile& tile, int side) {
  const PixelMaxima<T> maxima = maxima_of(images, tile, side);
  T least = std::numeric_limits<T>::max();
  for (int i = 0; i < side; ++i) {
    for (int j = 0; j < side; ++j) {
      if (maxima.of[i][j] > T(0)) least = std::min(least, maxima.of[i][j]);
    }
  }
  return maxima.drowns(least);
}

/// V = B^T d B of the tiles [first, first + count) of images that `margin` pixels of zeros surround. Marks those whose
/// parts, TileParts::windows or taps, are of too many sizes.
template <int M, class T>
void transform_input(const Images<const T>& images, const TileGrid& grid, Size2d margin, const T* zeros, Index first,
                     Index count, const Planes<T>& v, Index first_line, TileParts (*parts_of)(const Size2d&),
                     WideTiles& wide) {
  constexpr int Side = M + 2;
  for (Index t = 0; t < count; ++t) {
    const Tile tile = grid.tile(first + t, margin);
    TilePixels<const T> pixels;
    locate(images, tile, Side, zeros, pixels);
    const TileParts parts = parts_of(grid.outputs(tile, margin));
    const Middle row = Middle::of(parts.count.height, parts.size.height, tile.row);
    const Middle col = Middle::of(parts.count.width, parts.size.width, tile.col);
    const T* const middle[4] = {pixels[row.first][col.first], pixels[row.first][col.last], pixels[row.last][col.first],
                                pixels[row.last][col.last]};
    TileSquares<T> squares(middle);
    for_each_channel_packet<T>(0, images.channels, [&](Index c, const auto& load, const auto&) EIGENGRAD_INLINE_LAMBDA {
      into_points<M, Side>(
          v, v.packet(first_line + t, c),
          [](const auto& d, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::input(d, out); },
          [&](int i, int j) EIGENGRAD_INLINE_LAMBDA { return squares.add(i, load(pixels[i][j] + c)); });
      squares.add_samples(load, c);
    });
    const bool usual = row.exists && col.exists && is_usual(squares.all(), squares.least_sample());
    if (!usual && parts_are_wide(images, tile, Side, parts)) wide.mark(first + t);
  }
}

/// A dy A^T of the tiles [first, first + count). Marks those whose pixels are of too many sizes.
template <int M, class T>
void transform_output_gradient(const Images<const T>& images, const TileGrid& grid, const T* zeros, Index first,
                               Index count, const Planes<T>& m, Index first_line, WideTiles& wide) {
  for (Index t = 0; t < count; ++t) {
    const Tile tile = grid.tile(first + t, 0);
    TilePixels<const T> pixels;
    locate(images, tile, M, zeros, pixels);
    const Size2d last{grid.outputs(tile, 0).height - 1, grid.outputs(tile, 0).width - 1};
    const T* const corners[4] = {pixels[0][0], pixels[0][last.width], pixels[last.height][0],
                                 pixels[last.height][last.width]};
    TileSquares<T> squares(corners);
    for_each_channel_packet<T>(0, images.channels, [&](Index c, const auto& load, const auto&) EIGENGRAD_INLINE_LAMBDA {
      into_points<M, M>(
          m, m.packet(first_line + t, c),
          [](const auto& dy, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::output_gradient(dy, out); },
          [&](int i, int j) EIGENGRAD_INLINE_LAMBDA { return squares.add(i, load(pixels[i][j] + c)); });
      squares.add_samples(load, c);
    });
    if (!is_usual(squares.all(), squares.least_sample_above_zero()) && pixels_are_wide(images, tile, M))
      wide.mark(first + t);
  }
}

/// What becomes of every output as it is written: scale y + shift, and of that nothing below zero with relu.
template <class T>
struct Epilogue {
  const T* scale = nullptr;  ///< (channels), or null for 1
  const T* shift = nullptr;  ///< (channels), or null for 0
  bool relu = false;

  T operator()(T y, Index channel) const {
    if (scale != nullptr) y *= scale[channel];
    if (shift != nullptr) y += shift[channel];
    return relu && y < T(0) ? T(0) : y;  // NaN stays
  }
};

/// y = A^T m A and then the epilogue, for the tiles [first, first + count) and channels [begin, end); m has the
/// channels from `begin` on.
template <int M, class T>
void transform_output(const Planes<T>& m, const Images<T>& images, const TileGrid& grid, const Epilogue<T>& epilogue,
                      Index first, Index count, Index begin, Index end) {
  for (Index t = 0; t < count; ++t) {
    TilePixels<T> pixels;
    locate(images, grid.tile(first + t, 0), M, static_cast<T*>(nullptr), pixels);
    for_each_channel_packet<T>(begin, end, [&](Index c, const auto& load, const auto& store) EIGENGRAD_INLINE_LAMBDA {
      const Vector<T> scale = epilogue.scale == nullptr ? Vector<T>(1) : load(epilogue.scale + c);
      const Vector<T> shift = epilogue.shift == nullptr ? Vector<T>(0) : load(epilogue.shift + c);
      from_points<M, M>(
          m, m.packet(t, c - begin),
          [](const auto& in, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::output(in, out); },
          [&](int i, int j, Vector<T> value) EIGENGRAD_INLINE_LAMBDA {
            if (pixels[i][j] == nullptr) return;
            const Vector<T> y = Vector<T>::multiply_add(value, scale, shift);
            store(pixels[i][j] + c, epilogue.relu ? y.not_below_zero() : y);
          });
    });
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd
