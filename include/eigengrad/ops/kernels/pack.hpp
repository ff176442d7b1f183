// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <eigengrad/ops/kernels/packet.hpp>

// Packing: the operands of a matrix product are copied into panels that the inner loop reads from end to end.
// A panel of width w holds, for every step along the summed axis, the w elements of its lines one after
// another.

namespace eigengrad::ops::kernels {

/// A matrix anywhere in memory: element (i, j) is data[i * row_stride + j * col_stride].
template <class T>
struct View {
  T* data;
  Index rows;
  Index cols;
  Index row_stride;
  Index col_stride;

  View transposed() const { return {data, cols, rows, col_stride, row_stride}; }
};

/// A view of contiguous row-major elements.
template <class T>
View<T> row_major(T* data, Index rows, Index cols) {
  return {data, rows, cols, cols, 1};
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet drops its alignment as a template argument
#endif

/// Writes the panel of Width lines to target, Width * depth elements. The lines from `valid` on are zeros.
/// Element p of line i is source[i * line_stride + p * step_stride].
template <class T, int Width>
EIGENGRAD_FLATTEN void pack_panel(const T* source, Index line_stride, Index step_stride, Index valid, Index depth,
                                  T* target) {
  const auto copy_steps = [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) {
      for (Index i = 0; i < Width; ++i) {
        target[p * Width + i] = i < valid ? source[i * line_stride + p * step_stride] : T(0);
      }
    }
  };
  if (line_stride == 1 && valid == Width) {
    for (Index p = 0; p < depth; ++p) std::memcpy(target + p * Width, source + p * step_stride, Width * sizeof(T));
    return;
  }
  if (step_stride != 1) return copy_steps(0, depth);

  // The steps of a line are contiguous: transpose squares of Lanes x Lanes in registers.
  constexpr int Lanes = kLanes<T>;
  constexpr int Blocks = (Width + Lanes - 1) / Lanes;
  const Index whole = depth - depth % Lanes;
  for (Index p = 0; p < whole; p += Lanes) {
    unroll<Blocks>([&](auto block) EIGENGRAD_INLINE_LAMBDA {
      constexpr int First = block * Lanes;
      constexpr int Lines = std::min(Lanes, Width - First);
      packet::PacketBlock<Packet<T>, Lanes> square;
      unroll<Lanes>([&](auto i) EIGENGRAD_INLINE_LAMBDA {
        const Index line = First + i;
        square.packet[i] = i < Lines && line < valid ? packet::ploadu<Packet<T>>(source + line * line_stride + p)
                                                     : packet::pset1<Packet<T>>(T(0));
      });
      packet::ptranspose(square);
      unroll<Lanes>([&](auto q) EIGENGRAD_INLINE_LAMBDA {
        T* place = target + (p + q) * Width + First;
        if constexpr (Lines == Lanes) {
          packet::pstoreu(place, square.packet[q]);
        } else {
          alignas(64) T lines[Lanes];
          packet::pstoreu(lines, square.packet[q]);
          std::memcpy(place, lines, Lines * sizeof(T));
        }
      });
    });
  }
  copy_steps(whole, depth);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

template <class T>
using PackPanel = void (*)(const T*, Index, Index, Index, Index, T*);

/// pack_panel for the widths 1, ..., N, to be chosen by a width known at run time.
template <class T, int N>
inline constexpr auto kPackPanel = []<std::size_t... W>(std::index_sequence<W...>) {
  return std::array<PackPanel<T>, N>{pack_panel<T, static_cast<int>(W) + 1>...};
}
(std::make_index_sequence<N>{});

}  // namespace eigengrad::ops::kernels
