// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <eigengrad/ops/kernels/packet.hpp>

// Winograd's minimal filtering F(m x m, 3 x 3): m x m outputs of a 3x3 window from a tile of m + 2 pixels a side.
//   forward          y  = A^T [ (G g G^T) . (B^T d B) ] A          . multiplies element by element
//   weight gradient  dg = G^T [ (A dy A^T) . (B^T d B) ] G
// The element-wise products, summed over the channels (or the tiles), are (m + 2)^2 matrix products: 36 multiplications
// for 16 outputs where the window takes 144, or 16 for 4 instead of 36. Here stand the transforms, one axis at a time,
// for numbers of any type that adds and multiplies; tests check them against the window itself.
// Source   Winograd 1980; Lavin & Gray 2016, with the points 0, 1, -1, 2, -2 and infinity for m = 4

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

template <int M>
struct Winograd;

template <>
struct Winograd<2> {
  /// B^T d
  template <class V>
  EIGEN_ALWAYS_INLINE static void input(const V (&d)[4], V (&v)[4]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  /// G g
  template <class V>
  EIGEN_ALWAYS_INLINE static void weight(const V (&g)[3], V (&u)[4]) {
    const V half = V(0.5) * (g[0] + g[2]);
    u[0] = g[0];
    u[1] = half + V(0.5) * g[1];
    u[2] = half - V(0.5) * g[1];
    u[3] = g[2];
  }
  /// A^T m
  template <class V>
  EIGEN_ALWAYS_INLINE static void output(const V (&m)[4], V (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
  /// A dy
  template <class V>
  EIGEN_ALWAYS_INLINE static void output_gradient(const V (&dy)[2], V (&m)[4]) {
    m[0] = dy[0];
    m[1] = dy[0] + dy[1];
    m[2] = dy[0] - dy[1];
    m[3] = V(0) - dy[1];
  }
  /// G^T du
  template <class V>
  EIGEN_ALWAYS_INLINE static void weight_gradient(const V (&du)[4], V (&dg)[3]) {
    const V half = V(0.5) * (du[1] + du[2]);
    dg[0] = du[0] + half;
    dg[1] = V(0.5) * (du[1] - du[2]);
    dg[2] = half + du[3];
  }
};

template <>
struct Winograd<4> {
  /// B^T d
  template <class V>
  EIGEN_ALWAYS_INLINE static void input(const V (&d)[6], V (&v)[6]) {
    const V even = d[4] - V(4) * d[2];
    const V odd = d[3] - V(4) * d[1];
    const V even2 = d[4] - d[2];
    const V odd2 = d[3] - d[1];
    v[0] = V(4) * (d[0] - d[2]) + even2;
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = even2 + V(2) * odd2;
    v[4] = even2 - V(2) * odd2;
    v[5] = d[5] - d[3] - V(4) * odd2;
  }
  /// G g
  template <class V>
  EIGEN_ALWAYS_INLINE static void weight(const V (&g)[3], V (&u)[6]) {
    const V even = V(-1.0 / 6) * (g[0] + g[2]);
    const V even2 = V(1.0 / 24) * g[0] + V(1.0 / 6) * g[2];
    u[0] = V(1.0 / 4) * g[0];
    u[1] = even - V(1.0 / 6) * g[1];
    u[2] = even + V(1.0 / 6) * g[1];
    u[3] = even2 + V(1.0 / 12) * g[1];
    u[4] = even2 - V(1.0 / 12) * g[1];
    u[5] = g[2];
  }
  /// A^T m
  template <class V>
  EIGEN_ALWAYS_INLINE static void output(const V (&m)[6], V (&y)[4]) {
    const V even = m[1] + m[2];
    const V odd = m[1] - m[2];
    const V even2 = m[3] + m[4];
    const V odd2 = m[3] - m[4];
    y[0] = m[0] + even + even2;
    y[1] = odd + V(2) * odd2;
    y[2] = even + V(4) * even2;
    y[3] = odd + V(8) * odd2 + m[5];
  }
  /// A dy
  template <class V>
  EIGEN_ALWAYS_INLINE static void output_gradient(const V (&dy)[4], V (&m)[6]) {
    const V even = dy[0] + dy[2];
    const V odd = dy[1] + dy[3];
    const V even2 = dy[0] + V(4) * dy[2];
    const V odd2 = dy[1] + V(4) * dy[3];
    m[0] = dy[0];
    m[1] = even + odd;
    m[2] = even - odd;
    m[3] = even2 + V(2) * odd2;
    m[4] = even2 - V(2) * odd2;
    m[5] = dy[3];
  }
  /// G^T du
  template <class V>
  EIGEN_ALWAYS_INLINE static void weight_gradient(const V (&du)[6], V (&dg)[3]) {
    const V even = V(-1.0 / 6) * (du[1] + du[2]);
    const V even2 = du[3] + du[4];
    dg[0] = V(1.0 / 4) * du[0] + even + V(1.0 / 24) * even2;
    dg[1] = V(1.0 / 6) * (du[2] - du[1]) + V(1.0 / 12) * (du[3] - du[4]);
    dg[2] = even + V(1.0 / 6) * even2 + du[5];
  }
};

/// One transform along both axes of a tile: `load(i, j)` gives its elements, `store(i, j, value)` takes the result's.
template <class V, int In, int Out, class Transform, class Load, class Store>
EIGEN_ALWAYS_INLINE void transform_tile(const Transform& transform, const Load& load, const Store& store) {
  V columns_done[array_size(Out)][array_size(In)];
  EIGENGRAD_UNROLL
  for (int j = 0; j < In; ++j) {
    V column[array_size(In)];
    V result[array_size(Out)];
    EIGENGRAD_UNROLL
    for (int i = 0; i < In; ++i) column[i] = load(i, j);
    transform(column, result);
    EIGENGRAD_UNROLL
    for (int i = 0; i < Out; ++i) columns_done[i][j] = result[i];
  }
  EIGENGRAD_UNROLL
  for (int i = 0; i < Out; ++i) {
    V result[array_size(Out)];
    transform(columns_done[i], result);
    EIGENGRAD_UNROLL
    for (int j = 0; j < Out; ++j) store(i, j, result[j]);
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
