// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <limits>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/pack.hpp>
#include <eigengrad/ops/kernels/tile.hpp>

// The matrix product c = a b. Both operands are packed into panels; the smaller one whole and once for all
// threads, the larger one block by block by the thread that multiplies the block.
//
// The summed axis is cut into blocks of at most kDepth steps, a cut that depends on its length alone, and
// each element of c adds its blocks in order. So neither the number of threads nor the shape of the tiles,
// which are chosen by both, changes a single bit.

namespace eigengrad::ops::kernels {

/// Steps of the summed axis in one pass: a panel of this depth stays in the first-level cache.
inline constexpr Index kDepth = 256;
/// Elements of an operand's block that a thread packs and keeps in its second-level cache.
inline constexpr Index kBlockElements = 48 * 1024;
/// Products of fewer multiply-adds than this run on one thread.
inline constexpr Index kSerialWork = Index{1} << 19;

/// [0, size) cut into `count` parts whose lengths differ by at most one.
struct EvenSplit {
  Index size;
  Index count;

  static EvenSplit of_at_most(Index size, Index largest) { return {size, (size + largest - 1) / largest}; }
  Index begin(Index part) const { return part * size / count; }
  Index length(Index part) const { return begin(part + 1) - begin(part); }
  Index longest() const { return (size + count - 1) / count; }
};

namespace detail {

inline Index round_up(Index n, Index step) { return (n + step - 1) / step * step; }

/// One product, oriented so that packets run along the columns of c.
template <class T>
class Product {
 public:
  Product(View<const T> a, View<const T> b, View<T> c, bool add)
      : a_(a),
        b_(b),
        c_(c),
        add_(add),
        row_panels_(EvenSplit::of_at_most(c.rows, kTileRows)),
        col_panels_((c.cols + kTileCols<T> - 1) / kTileCols<T>),
        depths_(EvenSplit::of_at_most(a.cols, kDepth)) {}

  void run() {
    const bool split_rows = c_.rows >= c_.cols;
    const Index panels = split_rows ? row_panels_.count : col_panels_;
    const Index other_panels = split_rows ? col_panels_ : row_panels_.count;
    const Index other_lines = split_rows ? round_up(c_.cols, kLanes<T>) : c_.rows;
    const bool serial = c_.rows * c_.cols <= kSerialWork / std::max<Index>(a_.cols, 1);

    // The operand that is not split is packed whole, by all threads.
    Tensor<T> whole({other_lines * a_.cols});
    T* whole_data = whole.mutable_data();
    parallel_for(other_panels, serial ? other_panels : std::max<Index>(1, other_panels / (4 * num_threads())),
                 [&](Index begin, Index end) {
                   for (Index block = 0; block < depths_.count; ++block) {
                     T* target = whole_data + depths_.begin(block) * other_lines;
                     if (split_rows)
                       pack_cols(begin, end, block, target);
                     else
                       pack_rows(begin, end, block, target);
                   }
                 });

    // The other one is cut into runs of panels: few enough elements for the cache, enough runs for the
    // threads.
    const Index panel_elements = depths_.longest() * (split_rows ? Index{kTileRows} : Index{kTileCols<T>});
    const Index cached = std::max<Index>(1, kBlockElements / panel_elements);
    const Index shared = std::max<Index>(1, panels / (3 * num_threads()));
    const Index grain = serial ? std::min(panels, cached) : std::min(shared, cached);
    const Index slots = serial ? 1 : num_threads();
    Tensor<T> blocks({slots * grain * panel_elements});
    T* blocks_data = blocks.mutable_data();
    const auto multiply_run = [&](Index begin, Index end, Index slot) {
      T* own = blocks_data + slot * grain * panel_elements;
      for (Index block = 0; block < depths_.count; ++block) {
        const T* other = whole_data + depths_.begin(block) * other_lines;
        if (split_rows) {
          pack_rows(begin, end, block, own - row_panels_.begin(begin) * depths_.length(block));
          for (Index j = 0; j < col_panels_; ++j) {
            for (Index i = begin; i < end; ++i) tile(i, j, block, own, row_panels_.begin(begin), other, 0);
          }
        } else {
          pack_cols(begin, end, block, own - begin * kTileCols<T> * depths_.length(block));
          for (Index i = 0; i < row_panels_.count; ++i) {
            for (Index j = begin; j < end; ++j) tile(i, j, block, other, 0, own, begin * kTileCols<T>);
          }
        }
      }
    };
    if (serial) {
      for (Index begin = 0; begin < panels; begin += grain)
        multiply_run(begin, std::min(begin + grain, panels), 0);
    } else {
      parallel_for(panels, grain, multiply_run);
    }
  }

 private:
  // Panel i of a begins at target + (its first row) * depth, panel j of b at target + (its first column) *
  // depth.
  void pack_rows(Index begin, Index end, Index block, T* target) const {
    const Index depth = depths_.length(block);
    for (Index i = begin; i < end; ++i) {
      const Index row = row_panels_.begin(i);
      const Index height = row_panels_.length(i);
      const T* source = a_.data + row * a_.row_stride + depths_.begin(block) * a_.col_stride;
      kPackPanel<T, kTileRows>[static_cast<std::size_t>(height - 1)](source, a_.row_stride, a_.col_stride,
                                                                     height, depth, target + row * depth);
    }
  }

  void pack_cols(Index begin, Index end, Index block, T* target) const {
    const Index depth = depths_.length(block);
    for (Index j = begin; j < end; ++j) {
      const Index col = j * kTileCols<T>;
      const Index width = std::min<Index>(kTileCols<T>, b_.cols - col);
      const T* source = b_.data + col * b_.col_stride + depths_.begin(block) * b_.row_stride;
      const auto pack = width > kLanes<T> ? pack_panel<T, kTileCols<T>> : pack_panel<T, kLanes<T>>;
      pack(source, b_.col_stride, b_.row_stride, width, depth, target + col * depth);
    }
  }

  /// Tile (i, j) of c over one block of the summed axis; the panels of a start at row a_first, of b at
  /// b_first.
  void tile(Index i, Index j, Index block, const T* a_panels, Index a_first, const T* b_panels,
            Index b_first) const {
    const Index depth = depths_.length(block);
    const Index row = row_panels_.begin(i);
    const Index height = row_panels_.length(i);
    const Index col = j * kTileCols<T>;
    const Index width = std::min<Index>(kTileCols<T>, c_.cols - col);
    const int packets = width > kLanes<T> ? 2 : 1;
    const T* a = a_panels + (row - a_first) * depth;
    const T* b = b_panels + (col - b_first) * depth;
    const bool add = add_ || block > 0;
    const auto multiply =
        kMultiplyTile<T>[static_cast<std::size_t>(packets - 1)][static_cast<std::size_t>(height - 1)];
    T* c = c_.data + row * c_.row_stride + col * c_.col_stride;
    if (c_.col_stride == 1 && width == packets * kLanes<T>)
      return multiply(depth, a, b, c, c_.row_stride, add);

    alignas(64) T sums[kTileRows * kTileCols<T>];
    multiply(depth, a, b, sums, kTileCols<T>, false);
    if (c_.col_stride == 1) {
      for (Index r = 0; r < height; ++r)
        write(sums + r * kTileCols<T>, 1, width, c + r * c_.row_stride, 1, add);
    } else {
      for (Index s = 0; s < width; ++s) {
        write(sums + s, kTileCols<T>, height, c + s * c_.col_stride, c_.row_stride, add);
      }
    }
  }

  static void write(const T* from, Index from_stride, Index count, T* to, Index to_stride, bool add) {
    if (add) {
      for (Index i = 0; i < count; ++i) to[i * to_stride] += from[i * from_stride];
    } else {
      for (Index i = 0; i < count; ++i) to[i * to_stride] = from[i * from_stride];
    }
  }

  View<const T> a_;
  View<const T> b_;
  View<T> c_;
  bool add_;
  EvenSplit row_panels_;
  Index col_panels_;
  EvenSplit depths_;
};

/// The share of useful lanes when packets run along `lines` lines.
template <class T>
double filled(Index lines) {
  return static_cast<double>(lines) / static_cast<double>(round_up(lines, kLanes<T>));
}

}  // namespace detail

/// c = a b, or c += a b with add. Sizes must fit; a, b and c must not overlap.
template <class T>
void gemm(View<const T> a, View<const T> b, View<T> c, bool add = false) {
  if (c.rows == 0 || c.cols == 0) return;
  if (a.cols == 0) {
    if (add) return;
    for (Index i = 0; i < c.rows; ++i) {
      for (Index j = 0; j < c.cols; ++j) c.data[i * c.row_stride + j * c.col_stride] = T(0);
    }
    return;
  }
  // Packets may run along the columns or, by transposing everything, along the rows. Fewer idle lanes win;
  // writing a tile against the grain of c costs a few per cent.
  constexpr double kAgainstTheGrain = 0.95;
  const double along_cols = detail::filled<T>(c.cols) * (c.col_stride == 1 ? 1.0 : kAgainstTheGrain);
  const double along_rows = detail::filled<T>(c.rows) * (c.row_stride == 1 ? 1.0 : kAgainstTheGrain);
  if (along_cols >= along_rows)
    detail::Product<T>(a, b, c, add).run();
  else
    detail::Product<T>(b.transposed(), a.transposed(), c.transposed(), add).run();
}

}  // namespace eigengrad::ops::kernels
