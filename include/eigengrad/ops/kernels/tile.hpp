// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <limits>

#include <eigengrad/ops/kernels/packet.hpp>
#include <eigengrad/ops/kernels/tile_split.hpp>

// The innermost loop of every matrix product: a tile of the result is kept in registers while the packed
// panels of both operands stream past it. All other code of the product only feeds this loop.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Rows of the largest tile: with two packets a row its sums fill three quarters of the registers; the rest
/// hold the operands.
inline constexpr int kTileRows = kRegisters >= 32 ? 12 : (kRegisters >= 16 ? 6 : 2);
/// Packets a row of the largest tile.
inline constexpr int kTilePackets = 2;
/// Columns of the largest tile.
template <class T>
inline constexpr int kTileCols = kTilePackets* kLanes<T>;
/// The most lines of an operand that are packed at a time: rows of a tile, or columns, whichever are more.
template <class T>
inline constexpr int kPanelLines = std::max(kTileRows, kTileCols<T>);

/// How the panel of a lies in memory: row i at step p is at i * kRow + p * step(rows), and after kChunk steps the next
/// chunk begins a jump further on. A step of b is always a line of kTileCols.
/// Here the rows of a step lie side by side.
template <class T>
struct Interleaved {
  static constexpr int kRow = 1;
  static constexpr Index kChunk = std::numeric_limits<Index>::max();
  static constexpr int step(int rows) { return rows; }
};
/// The rows are lines kTileCols long, the steps run along them: a chunk is the length of a line.
template <class T>
struct RowsAreLines {
  static constexpr int kRow = kTileCols<T>;
  static constexpr Index kChunk = kTileCols<T>;
  static constexpr int step(int) { return 1; }
};
/// The steps are lines kTileCols long, the rows lie side by side in them.
template <class T>
struct StepsAreLines {
  static constexpr int kRow = 1;
  static constexpr Index kChunk = std::numeric_limits<Index>::max();
  static constexpr int step(int) { return kTileCols<T>; }
};

/// What a step of the panels adds to a sum: one product. In bf16.hpp it is two.
template <class T>
struct OneStep {
  EIGEN_ALWAYS_INLINE static Packet<T> multiply_add(const Packet<T>& element, const Packet<T>& line,
                                                    const Packet<T>& sum) {
    return packet::pmadd(element, line, sum);
  }
};

/// c = a b, or c += a b: a is a panel of Rows lines, b one of Packets packets; c has rows c_stride apart.
/// Every element is summed step by step in order, so its bits do not depend on the tile it lies in.
template <class T, class Layout, class Step, int Rows, int Packets>
void multiply_tile(Index depth, const T* a, Index a_jump, const T* b, T* c, Index c_stride, bool add) {
  constexpr int Lanes = kLanes<T>;
  Packet<T> sum[array_size(Rows)][array_size(Packets)];
  EIGENGRAD_UNROLL
  for (int i = 0; i < Rows; ++i) {
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) sum[i][j] = packet::pset1<Packet<T>>(T(0));
  }
  for (; depth > 0; depth -= Layout::kChunk, a += a_jump) {
    const T* elements = a;
    const T* chunk_end = b + std::min(depth, Layout::kChunk) * kTileCols<T>;
    for (; b != chunk_end; b += kTileCols<T>, elements += Layout::step(Rows)) {
      Packet<T> line[array_size(Packets)];
      EIGENGRAD_UNROLL
      for (int j = 0; j < Packets; ++j) line[j] = packet::pload<Packet<T>>(b + j * Lanes);
      EIGENGRAD_UNROLL
      for (int i = 0; i < Rows; ++i) {
        const Packet<T> element = packet::pset1<Packet<T>>(elements[i * Layout::kRow]);
        EIGENGRAD_UNROLL
        for (int j = 0; j < Packets; ++j) sum[i][j] = Step::multiply_add(element, line[j], sum[i][j]);
      }
    }
  }
  EIGENGRAD_UNROLL
  for (int i = 0; i < Rows; ++i, c += c_stride) {
    EIGENGRAD_UNROLL
    for (int j = 0; j < Packets; ++j) {
      T* place = c + j * Lanes;
      packet::pstoreu(place, add ? packet::padd(packet::ploadu<Packet<T>>(place), sum[i][j]) : sum[i][j]);
    }
  }
}

template <class T>
using MultiplyTile = void (*)(Index, const T*, Index, const T*, T*, Index, bool);

/// multiply_tile for the rows that tiles have (tile_split.hpp), up to kTileRows, and 1 or 2 packets: the first index
/// counts packets, the second rows, both from one less.
template <class T>
using MultiplyTiles = std::array<std::array<MultiplyTile<T>, kTileRows>, kTilePackets>;
template <class T, class Layout = Interleaved<T>, class Step = OneStep<T>>
inline constexpr MultiplyTiles<T> kMultiplyTile{
    tile_table<MultiplyTile<T>, kTileRows>([]<int Rows>() { return multiply_tile<T, Layout, Step, Rows, 1>; }),
    tile_table<MultiplyTile<T>, kTileRows>([]<int Rows>() { return multiply_tile<T, Layout, Step, Rows, 2>; })};

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
