// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

#include <eigengrad/ops/kernels/tile.hpp>

// Packing: the operands of a matrix product are copied into panels that the inner loop reads from end to end.
// A panel of width w holds, for every step along the summed axis, the w elements of its lines one after
// another.
//
// An operand is a matrix of lines and steps that can pack any part of itself:
//   void pack(Index first_line, Index valid, Index width, Index first_step, Index depth, T* target) const
// writes width * depth elements; the lines from `valid` on are zeros. An operand whose lines are contiguous in memory,
// or in long runs, may say so, and its lines need no rearranging to become the rows of a tile (RowsAreLines in
// tile.hpp):
//   bool lines_are_contiguous() const
//   void copy_lines(Index first_line, Index lines, Index first_step, Index depth, T* target) const
// A View is one in memory; those of a
// convolution (conv_operands.hpp) stand nowhere as a whole.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a packet drops its alignment as a template argument
#endif

/// If a packet of a panel goes whose last elements may lie beyond the line of its step. They are overwritten by the
/// next step, which is why steps are packed in order; only at the end of the panel they must stay away.
template <class T>
class PanelPlace {
 public:
  PanelPlace(T* panel, Index width, Index depth) : panel_(panel), end_(panel + width * depth), width_(width) {}

  EIGEN_ALWAYS_INLINE void store(const Vector<T>& elements, Index step, Index first) const {
    T* place = panel_ + step * width_ + first;
    if (place + kLanes<T> <= end_)
      elements.store(place);
    else
      elements.store(place, std::min<Index>(kLanes<T>, width_ - first));
  }

 private:
  T* panel_;
  T* end_;
  Index width_;
};

/// Packs lines whose steps are contiguous: element p of line i is lines[i][p]. Squares of Lanes x Lanes are
/// transposed in registers.
template <class T>
EIGENGRAD_FLATTEN void pack_lines(const T* const* lines, Index valid, Index width, Index depth, T* target) {
  if (width == 1) {
    std::copy_n(lines[0], depth, target);
    return;
  }
  constexpr int Lanes = kLanes<T>;
  const PanelPlace<T> place(target, width, depth);
  const Index whole = depth - depth % Lanes;
  const Index blocks = ceil_div(width, Lanes);
  for (Index p = 0; p < whole; p += Lanes) {
    for (Index block = 0; block < blocks; ++block) {
      // If the last packets of the steps have too much they come first: it belongs to others.
      const Index first = (width % Lanes == 0 ? block : blocks - 1 - block) * Lanes;
      packet::PacketBlock<Packet<T>, Lanes> square;
      EIGENGRAD_UNROLL
      for (int i = 0; i < Lanes; ++i) {
        square.packet[i] =
            first + i < valid ? packet::ploadu<Packet<T>>(lines[first + i] + p) : packet::pset1<Packet<T>>(T(0));
      }
      packet::ptranspose(square);
      if (width - first >= Lanes) {
        T* to = target + p * width + first;
        EIGENGRAD_UNROLL
        for (int q = 0; q < Lanes; ++q, to += width) packet::pstoreu(to, square.packet[q]);
      } else {
        EIGENGRAD_UNROLL
        for (int q = 0; q < Lanes; ++q) place.store(Vector<T>(square.packet[q]), p + q, first);
      }
    }
  }
  for (Index p = whole; p < depth; ++p) {
    for (Index i = 0; i < width; ++i) target[p * width + i] = i < valid ? lines[i][p] : T(0);
  }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Packs lines that lie side by side: element i of step p is at step(p)[i].
template <class T, class F>
void pack_steps(const F& step, Index valid, Index width, Index depth, T* target) {
  if (valid == kTileCols<T>) {
    for (Index p = 0; p < depth; ++p) std::memcpy(target + p * kTileCols<T>, step(p), kTileCols<T> * sizeof(T));
    return;
  }
  const PanelPlace<T> place(target, width, depth);
  for (Index p = 0; p < depth; ++p) {
    const T* from = step(p);
    for (Index first = 0; first < width; first += kLanes<T>) {
      const Index count = std::clamp<Index>(valid - first, 0, kLanes<T>);
      place.store(count == kLanes<T> ? Vector<T>::load(from + first) : Vector<T>::load(from + first, count), p, first);
    }
  }
}

/// Copies elements of one line, from the given step on, to its place in a panel of RowsAreLines: chunks of kTileCols
/// steps that hold all lines of the panel one after another.
template <class T>
void copy_to_chunks(const T* from, Index step, Index count, Index lines, T* line) {
  constexpr Index kChunk = kTileCols<T>;
  while (count > 0) {
    const Index part = std::min(kChunk - step % kChunk, count);
    T* to = line + step / kChunk * lines * kChunk + step % kChunk;
    if (part == kChunk)
      std::memcpy(to, from, kChunk * sizeof(T));
    else
      std::copy_n(from, part, to);
    from += part;
    step += part;
    count -= part;
  }
}

/// A matrix anywhere in memory: element (i, j) is data[i * row_stride + j * col_stride]. As an operand its
/// rows are the lines.
template <class T>
struct View {
  T* data;
  Index rows;
  Index cols;
  Index row_stride;
  Index col_stride;

  View transposed() const { return {data, cols, rows, col_stride, row_stride}; }

  bool lines_are_contiguous() const { return col_stride == 1; }
  void copy_lines(Index first_line, Index lines, Index first_step, Index depth, std::remove_const_t<T>* target) const {
    using Element = std::remove_const_t<T>;
    for (Index i = 0; i < lines; ++i) {
      copy_to_chunks<Element>(data + (first_line + i) * row_stride + first_step, 0, depth, lines,
                              target + i * kTileCols<Element>);
    }
  }

  void set_zero() const {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) data[i * row_stride + j * col_stride] = T(0);
    }
  }

  void pack(Index first_line, Index valid, Index width, Index first_step, Index depth,
            std::remove_const_t<T>* target) const {
    using Element = std::remove_const_t<T>;
    const T* source = data + first_line * row_stride + first_step * col_stride;
    if (row_stride == 1) {
      pack_steps<Element>([&](Index p) { return source + p * col_stride; }, valid, width, depth, target);
    } else if (col_stride == 1) {
      std::array<const Element*, array_size(kPanelLines<Element>)> lines;
      for (Index i = 0; i < valid; ++i) lines[static_cast<std::size_t>(i)] = source + i * row_stride;
      pack_lines<Element>(lines.data(), valid, width, depth, target);
    } else {
      for (Index p = 0; p < depth; ++p) {
        for (Index i = 0; i < width; ++i) {
          *target++ = i < valid ? source[i * row_stride + p * col_stride] : Element(0);
        }
      }
    }
  }
};

/// A view of contiguous row-major elements.
template <class T>
View<T> row_major(T* data, Index rows, Index cols) {
  return {data, rows, cols, cols, 1};
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
