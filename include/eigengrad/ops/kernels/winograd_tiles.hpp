// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/ops/kernels/tile.hpp>
#include <eigengrad/ops/kernels/winograd_transform.hpp>
#include <eigengrad/ops/window.hpp>

// What Winograd's products read and write: tiles of images, transformed, a packet of channels at a time.

namespace eigengrad::ops::kernels::winograd {

/// The points of the algorithm: element-wise products of a tile.
inline constexpr int points(int m) { return (m + 2) * (m + 2); }

/// Transformed operands: for each point of the algorithm a matrix of `lines` (tiles, or channels of the weights) by
/// channels, cut into panels kTileCols channels wide, line after line.
template <class T>
struct Planes {
  T* data = nullptr;
  Index lines = 0;
  Index panels = 0;

  static Index panels_of(Index channels) { return (channels + kTileCols<T> - 1) / kTileCols<T>; }
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

/// The tiles of m x m pixels that cover an image, row by row; those of the next image follow.
struct TileGrid {
  Index images, high, wide;

  static TileGrid of(int m, Index images, Index height, Index width) {
    return {images, (height + m - 1) / m, (width + m - 1) / m};
  }
  Index count() const { return images * high * wide; }
};

/// Where the Side x Side pixels from (m i - margin, m j - margin) of tile (i, j) lie; `outside` beside the image.
template <int Side, class T>
EIGEN_ALWAYS_INLINE void locate(const Images<T>& images, const TileGrid& grid, Index tile, int m, Size2d margin,
                                T* outside, T* (&pixels)[array_size(Side)][array_size(Side)]) {
  const Index image = tile / (grid.high * grid.wide);
  const Index row = tile / grid.wide % grid.high * m - margin.height;
  const Index col = tile % grid.wide * m - margin.width;
  const Index corner = (image * images.height + row) * images.width + col;  // it may lie before the image
  for (Index i = 0; i < Side; ++i) {
    const bool row_inside = row + i >= 0 && row + i < images.height;
    for (Index j = 0; j < Side; ++j) {
      const bool inside = row_inside && col + j >= 0 && col + j < images.width;
      pixels[i][j] = inside ? images.data + (corner + i * images.width + j) * images.pixel_stride : outside;
    }
  }
}

/// Calls f(channel, load, store) for each packet of channels in [first, last): load(pointer) and store(pointer, value)
/// touch no channel from `last` on. They ask at each packet whether it is whole: the transforms are long, and two copies
/// of them would double what the compiler has to do.
template <class T, class F>
EIGEN_ALWAYS_INLINE void for_each_channel_packet(Index first, Index last, const F& f) {
  for (Index c = first; c < last; c += kLanes<T>) {
    const Index count = last - c;
    const bool whole = count >= kLanes<T>;
    f(
        c,
        [=](const T* from)
            EIGENGRAD_INLINE_LAMBDA { return whole ? Vector<T>::load(from) : Vector<T>::load(from, count); },
        [=](T* to, Vector<T> value) EIGENGRAD_INLINE_LAMBDA { whole ? value.store(to) : value.store(to, count); });
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

/// V = B^T d B of the tiles [first, first + count) of images that `margin` pixels of zeros surround.
template <int M, class T>
void transform_input(const Images<const T>& images, const TileGrid& grid, Size2d margin, const T* zeros, Index first,
                     Index count, const Planes<T>& v, Index first_line) {
  constexpr int Side = M + 2;
  for (Index t = 0; t < count; ++t) {
    const T* pixels[array_size(Side)][array_size(Side)];
    locate<Side>(images, grid, first + t, M, margin, zeros, pixels);
    for_each_channel_packet<T>(0, images.channels, [&](Index c, const auto& load, const auto&) EIGENGRAD_INLINE_LAMBDA {
      into_points<M, Side>(
          v, v.packet(first_line + t, c),
          [](const auto& d, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::input(d, out); },
          [&](int i, int j) EIGENGRAD_INLINE_LAMBDA { return load(pixels[i][j] + c); });
    });
  }
}

/// A dy A^T of the tiles [first, first + count).
template <int M, class T>
void transform_output_gradient(const Images<const T>& images, const TileGrid& grid, const T* zeros, Index first,
                               Index count, const Planes<T>& m, Index first_line) {
  for (Index t = 0; t < count; ++t) {
    const T* pixels[array_size(M)][array_size(M)];
    locate<M>(images, grid, first + t, M, 0, zeros, pixels);
    for_each_channel_packet<T>(0, images.channels, [&](Index c, const auto& load, const auto&) EIGENGRAD_INLINE_LAMBDA {
      into_points<M, M>(
          m, m.packet(first_line + t, c),
          [](const auto& dy, auto& out) EIGENGRAD_INLINE_LAMBDA { Winograd<M>::output_gradient(dy, out); },
          [&](int i, int j) EIGENGRAD_INLINE_LAMBDA { return load(pixels[i][j] + c); });
    });
  }
}

/// What becomes of every output as it is written: scale y + shift, and of that nothing below zero with relu.
template <class T>
struct Epilogue {
  const T* scale = nullptr;  ///< (channels), or null for 1
  const T* shift = nullptr;  ///< (channels), or null for 0
  bool relu = false;
};

/// y = A^T m A and then the epilogue, for the tiles [first, first + count) and channels [begin, end); m has the channels
/// from `begin` on.
template <int M, class T>
void transform_output(const Planes<T>& m, const Images<T>& images, const TileGrid& grid, const Epilogue<T>& epilogue,
                      Index first, Index count, Index begin, Index end) {
  for (Index t = 0; t < count; ++t) {
    T* pixels[array_size(M)][array_size(M)];
    locate<M>(images, grid, first + t, M, 0, static_cast<T*>(nullptr), pixels);
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

}  // namespace eigengrad::ops::kernels::winograd
