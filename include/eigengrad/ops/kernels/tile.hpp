// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <utility>

#include <eigengrad/ops/kernels/packet.hpp>

// The innermost loop of every matrix product: a tile of the result is kept in registers while the packed
// panels of both operands stream past it. All other code of the product only feeds this loop.

namespace eigengrad::ops::kernels {

/// Rows of the largest tile: with two packets a row its sums fill three quarters of the registers; the rest
/// hold the operands.
inline constexpr int kTileRows = kRegisters >= 32 ? 12 : (kRegisters >= 16 ? 6 : 2);
/// Packets a row of the largest tile.
inline constexpr int kTilePackets = 2;
/// Columns of the largest tile.
template <class T>
inline constexpr int kTileCols = kTilePackets* kLanes<T>;

/// c = a b, or c += a b: a is a panel of Rows lines, b one of Packets packets; c has rows c_stride apart.
/// Every element is summed step by step in order, so its bits do not depend on the tile it lies in.
template <class T, int Rows, int Packets>
void multiply_tile(Index depth, const T* a, const T* b, T* c, Index c_stride, bool add) {
  constexpr int Lanes = kLanes<T>;
  Packet<T> sum[Rows * Packets];
  unroll<Rows * Packets>([&](auto i) EIGENGRAD_INLINE_LAMBDA { sum[i] = packet::pset1<Packet<T>>(T(0)); });
  for (Index p = 0; p < depth; ++p) {
    Packet<T> line[Packets];
    unroll<Packets>([&](auto j) EIGENGRAD_INLINE_LAMBDA { line[j] = packet::pload<Packet<T>>(b + j * Lanes); });
    unroll<Rows>([&](auto i) EIGENGRAD_INLINE_LAMBDA {
      const Packet<T> element = packet::pset1<Packet<T>>(a[i]);
      unroll<Packets>([&](auto j) EIGENGRAD_INLINE_LAMBDA {
        constexpr int At = i * Packets + j;
        sum[At] = packet::pmadd(element, line[j], sum[At]);
      });
    });
    a += Rows;
    b += Packets * Lanes;
  }
  unroll<Rows * Packets>([&](auto at) EIGENGRAD_INLINE_LAMBDA {
    T* place = c + (at / Packets) * c_stride + (at % Packets) * Lanes;
    packet::pstoreu(place, add ? packet::padd(packet::ploadu<Packet<T>>(place), sum[at]) : sum[at]);
  });
}

template <class T>
using MultiplyTile = void (*)(Index, const T*, const T*, T*, Index, bool);

/// multiply_tile for 1, ..., kTileRows rows (the first index counts packets, the second rows, both from one
/// less).
template <class T, int Packets>
inline constexpr auto kTileOfPackets = []<std::size_t... R>(std::index_sequence<R...>) {
  return std::array<MultiplyTile<T>, sizeof...(R)>{multiply_tile<T, static_cast<int>(R) + 1, Packets>...};
}
(std::make_index_sequence<kTileRows>{});
template <class T>
inline constexpr std::array<std::array<MultiplyTile<T>, kTileRows>, kTilePackets> kMultiplyTile{kTileOfPackets<T, 1>,
                                                                                                kTileOfPackets<T, 2>};

}  // namespace eigengrad::ops::kernels
