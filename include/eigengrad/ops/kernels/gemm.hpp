// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/precision.hpp>
#include <eigengrad/core/scratch.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/bf16.hpp>
#include <eigengrad/ops/kernels/even_split.hpp>
#include <eigengrad/ops/kernels/few_rows.hpp>
#include <eigengrad/ops/kernels/operand.hpp>
#include <eigengrad/ops/kernels/tile.hpp>

// The matrix product c = a b. Both operands are packed into panels; the smaller one whole and once for all
// threads, the larger one block by block by the thread that multiplies the block.
//
// The summed axis is cut into blocks of at most kDepth steps, a cut that depends on its length alone, and
// each element of c adds its blocks in order. So neither the number of threads nor the shape of the tiles,
// which are chosen by both, changes a single bit.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Steps of the summed axis in one pass: a panel of this depth stays in the first-level cache.
inline constexpr Index kDepth = 256;
/// Elements of an operand's block that a thread packs and keeps in its second-level cache.
inline constexpr Index kBlockElements = 48 * 1024;
/// Products of fewer multiply-adds than this run on one thread.
inline constexpr Index kSerialWork = Index{1} << 19;

/// The tiles of a product for rows in either layout.
template <class T>
struct ProductTiles {
  const MultiplyTiles<T>* interleaved;
  const MultiplyTiles<T>* rows_are_lines;

  /// Those to which a step of both operands adds what Step does.
  template <class Step>
  static ProductTiles of() {
    return {&kMultiplyTile<T, Interleaved<T>, Step>, &kMultiplyTile<T, RowsAreLines<T>, Step>};
  }
};

/// One product, oriented so that packets run along the columns of c.
template <class T>
class Product {
 public:
  Product(const OperandRef<T>& a, const OperandRef<T>& b, Index steps, const ResultRef<T>& c, bool add,
          const ProductTiles<T>& tiles)
      : a_(a),
        b_(b),
        result_(c),
        c_(c.view()),
        add_(add),
        lines_(a.copies_lines()),
        tiles_(lines_ ? tiles.rows_are_lines : tiles.interleaved),
        row_panels_(c_.rows, kTileRows),
        col_panels_(ceil_div(c_.cols, kTileCols<T>)),
        padded_cols_(round_up(c_.cols, kLanes<T>)),
        steps_(steps),
        depths_(EvenSplit::of_at_most(steps, kDepth)) {}

  void run() {
    const bool serial = c_.rows * c_.cols <= kSerialWork / std::max<Index>(steps_, 1);
    const bool few_results = c_.rows + c_.cols <= kSmallSides && c_.rows * c_.cols <= kSmallResult;
    if (!serial && few_results && depths_.count >= kManyDepths)
      split_depth();
    else
      split_lines(serial);
  }

 private:
  static constexpr Index kSmallSides = 512;
  static constexpr Index kSmallResult = 32 * 1024;
  static constexpr Index kManyDepths = 4;
  static constexpr Index kDepthParts = 8;

  /// For a small c and a long summed axis: every part of that axis makes a c of its own, which are then added
  /// in order. No thread reads what another has packed.
  void split_depth() {
    const EvenSplit parts{depths_.count, std::min(depths_.count, kDepthParts)};
    const Index c_elements = c_.rows * padded_cols_;
    const Index a_elements = round_up(c_.rows * row_length(depths_.longest()), kLanes<T>);
    const Index ab_elements = a_elements + col_panels_ * kTileCols<T> * depths_.longest();
    Tensor<T> sums({parts.count, c_elements});
    const Scratch<T> packed(ab_elements);
    T* sums_data = sums.mutable_data();
    parallel_for(parts.count, 1, [&](Index part, Index, Index slot) {
      T* a = packed.of(slot);
      const Index first = parts.begin(part);
      for (Index block = first; block < first + parts.length(part); ++block) {
        T* b = a + a_elements;
        pack_rows(0, row_panels_.count, block, a);
        pack_cols(0, col_panels_, block, b);
        for (Index j = 0; j < col_panels_; ++j) {
          for (Index i = 0; i < row_panels_.count; ++i) {
            tile(i, j, block, {0, 0}, a, b, {sums_data + part * c_elements, padded_cols_}, block > first);
          }
        }
      }
    });
    using Row = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
    using ConstRow = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;
    constexpr Index kRows = 8;
    parallel_for(c_.rows, kRows, [&](Index begin, Index end) {
      for (Index part = 1; part < parts.count; ++part) {
        const Index offset = begin * padded_cols_;
        const Index count = (end - begin) * padded_cols_;
        Row(sums_data + offset, count) += ConstRow(sums_data + part * c_elements + offset, count);
      }
      write({sums_data + begin * padded_cols_, padded_cols_}, begin, end - begin, 0, c_.cols);
    });
  }

  /// The smaller operand is packed whole, by all threads; the other is cut into runs of panels, each packed
  /// by the thread that multiplies it: few enough elements for its cache, enough runs for all threads.
  void split_lines(bool serial) {
    const bool split_rows = c_.rows >= c_.cols;
    const Index panels = split_rows ? row_panels_.count : col_panels_;
    const Index other_panels = split_rows ? col_panels_ : row_panels_.count;
    const Index other_lines = split_rows ? col_panels_ * kTileCols<T> : c_.rows;
    const Index threads = serial ? 1 : num_threads();

    // What one line of either operand takes in one block of the summed axis.
    const Index row_elements = row_length(depths_.longest());
    const Index col_elements = depths_.longest();
    Tensor<T> whole({depths_.count, round_up(other_lines * (split_rows ? col_elements : row_elements), kLanes<T>)});
    T* whole_data = whole.mutable_data();
    const auto pack_whole = [&](Index begin, Index end) {
      for (Index block = 0; block < depths_.count; ++block) {
        T* target = whole_data + block * whole.size(1);
        if (split_rows)
          pack_cols(begin, end, block, target + begin * kTileCols<T> * depths_.length(block));
        else
          pack_rows(begin, end, block, target + row_panels_.begin(begin) * row_length(depths_.length(block)));
      }
    };
    if (serial)
      pack_whole(0, other_panels);
    else
      parallel_for(other_panels, std::max<Index>(1, other_panels / (4 * threads)), pack_whole);

    const Index panel_elements = split_rows ? row_elements * kTileRows : col_elements * kTileCols<T>;
    const Index cached = std::max<Index>(1, kBlockElements / panel_elements);
    const Index shared = serial ? panels : std::max<Index>(1, panels / (3 * threads));
    const Index grain = std::min(shared, cached);
    // Packets of c go straight to their place, unless they would cross its edge or lie against its grain.
    const bool direct = result_.in_memory() && c_.col_stride == 1 && c_.cols == padded_cols_;
    const Index sums_elements =
        direct ? 0 : (split_rows ? grain * kTileRows * padded_cols_ : c_.rows * grain * kTileCols<T>);
    const Index own_elements = round_up(grain * panel_elements, kLanes<T>);
    const Scratch<T> scratch(own_elements + sums_elements, threads);
    const auto multiply_run = [&](Index begin, Index end, Index slot) {
      T* packed = scratch.of(slot);
      const Index row = split_rows ? row_panels_.begin(begin) : 0;
      const Index col = split_rows ? 0 : begin * kTileCols<T>;
      const Index rows = split_rows ? row_panels_.begin(end) - row : c_.rows;
      const Index cols = split_rows ? c_.cols : std::min(end * kTileCols<T>, c_.cols) - col;
      Target sums{packed + own_elements, round_up(cols, kLanes<T>)};
      if (direct) sums = {c_.data + row * c_.row_stride + col, c_.row_stride};
      for (Index block = 0; block < depths_.count; ++block) {
        const T* other = whole_data + block * whole.size(1);
        const bool add = block > 0 || (direct && add_);
        if (split_rows) {
          pack_rows(begin, end, block, packed);
          for (Index j = 0; j < col_panels_; ++j) {
            for (Index i = begin; i < end; ++i) tile(i, j, block, {row, 0}, packed, other, sums, add);
          }
        } else {
          pack_cols(begin, end, block, packed);
          for (Index i = 0; i < row_panels_.count; ++i) {
            for (Index j = begin; j < end; ++j) tile(i, j, block, {0, col}, other, packed, sums, add);
          }
        }
      }
      if (!direct) write(sums, row, rows, col, cols);
    };
    if (serial) {
      for (Index begin = 0; begin < panels; begin += grain) multiply_run(begin, std::min(begin + grain, panels), 0);
    } else {
      parallel_for(panels, grain, multiply_run);
    }
  }

  /// If sums are written: rows of packets, row_stride apart.
  struct Target {
    T* data;
    Index row_stride;
  };

  /// The first row and column of c that packed panels and sums begin with.
  struct Origin {
    Index row;
    Index col;
  };

  /// Packs the panels [begin, end) of a, or of b, over one block of the summed axis, one after another.
  void pack_rows(Index begin, Index end, Index block, T* target) const {
    const Index depth = depths_.length(block);
    for (Index i = begin; i < end; ++i) {
      const Index height = row_panels_.length(i);
      const Index line = row_panels_.begin(i);
      if (lines_)
        a_.copy_lines(line, height, depths_.begin(block), depth, target);
      else
        a_.pack_rows(line, height, depths_.begin(block), depth, target);
      target += height * row_length(depth);
    }
  }
  void pack_cols(Index begin, Index end, Index block, T* target) const {
    const Index depth = depths_.length(block);
    for (Index j = begin; j < end; ++j) {
      b_.pack_cols(j * kTileCols<T>, panel_width(j), depths_.begin(block), depth, target);
      target += kTileCols<T> * depth;
    }
  }

  Index panel_width(Index j) const { return std::min<Index>(kTileCols<T>, c_.cols - j * kTileCols<T>); }

  /// Tile (i, j) of c over one block of the summed axis. The panels of a, those of b and the sums begin at the
  /// origin; a panel is as many elements from there as the lines before it have.
  void tile(Index i, Index j, Index block, Origin origin, const T* a, const T* b, Target sums, bool add) const {
    const Index depth = depths_.length(block);
    const Index row = row_panels_.begin(i) - origin.row;
    const Index col = j * kTileCols<T> - origin.col;
    const std::size_t packets = panel_width(j) > kLanes<T> ? 2 : 1;
    const Index rows = row_panels_.length(i);
    (*tiles_)[packets - 1][static_cast<std::size_t>(rows - 1)](depth, a + row * row_length(depth), rows * kTileCols<T>,
                                                               b + col * depth, sums.data + row * sums.row_stride + col,
                                                               sums.row_stride, add);
  }

  /// Elements of a row of a over a block of the summed axis: whole chunks if rows are lines.
  Index row_length(Index depth) const { return lines_ ? round_up(depth, kTileCols<T>) : depth; }

  /// Sums of the given rows and columns to their place in c.
  void write(Target sums, Index row, Index rows, Index col, Index cols) const {
    const typename ResultRef<T>::Sums from(sums.data, rows, cols, Eigen::OuterStride<>(sums.row_stride));
    result_.write(from, row, col, add_);
  }

  OperandRef<T> a_;
  OperandRef<T> b_;
  ResultRef<T> result_;
  View<T> c_;  // the sizes and strides of the result
  bool add_;
  bool lines_;  // a is packed as RowsAreLines, else Interleaved
  const MultiplyTiles<T>* tiles_;
  TileSplit row_panels_;
  Index col_panels_;
  Index padded_cols_;
  Index steps_;
  EvenSplit depths_;
};

/// An estimate of the time of a product whose packets run along `cols`: idle lanes of the last packet count as work;
/// lines that are contiguous become rows of a tile by copying, columns only by transposing, others the other way round;
/// a result whose columns are not contiguous is written element by element.
template <class T>
double cycles(const OperandRef<T>& a, const OperandRef<T>& b, Index steps, Index rows, Index cols, Index col_stride) {
  const auto packets = [](Index count) { return static_cast<double>(count) / static_cast<double>(kLanes<T>); };
  const double products = 0.5 * packets(round_up(cols, kLanes<T>)) * static_cast<double>(rows * steps);
  const double rows_packed = packets(rows * steps) * (a.copies_lines() ? 3.0 : 4.0);
  const double cols_packed = packets(cols * steps) * (b.copies_lines() ? 6.0 : 3.0);
  const double written = col_stride == 1 ? 0.0 : 3.0 * static_cast<double>(rows * cols);
  return products + rows_packed + cols_packed + written;
}

/// The product by panels: packets run along the columns of c or, by transposing everything, along its rows, which are
/// the columns of `transposed`.
template <class T>
void multiply_packed(const OperandRef<T>& a, const OperandRef<T>& b, Index steps, const ResultRef<T>& c,
                     const ResultRef<T>& transposed, bool add, const ProductTiles<T>& tiles) {
  const View<T>& sizes = c.view();
  const double along_cols = cycles<T>(a, b, steps, sizes.rows, sizes.cols, sizes.col_stride);
  const double along_rows = cycles<T>(b, a, steps, sizes.cols, sizes.rows, sizes.row_stride);
  if (along_cols <= along_rows)
    Product<T>(a, b, steps, c, add, tiles).run();
  else
    Product<T>(b, a, steps, transposed, add, tiles).run();
}

/// c = a b^T, or c += a b^T with add, for operands of as many lines as c has rows and columns, and of `steps`
/// steps each. None of them overlaps c: a View, or another target with its members that can
///   void write(const Matrix& sums, Index row, Index col, bool add) const     its part from (row, col) on
/// Products of float are as exact as float32_matmul_precision() says, except those with few rows: they wait for memory,
/// in which everything is float32.
template <class A, class B, class C>
void multiply(const A& a, const B& b, Index steps, const C& c, bool add = false) {
  using T = std::remove_pointer_t<decltype(c.data)>;
  if (c.rows == 0 || c.cols == 0) return;
  if (steps == 0) {
    if (!add) c.set_zero();
    return;
  }
  const OperandRef<T> a_ref(a);
  const OperandRef<T> b_ref(b);
  if constexpr (std::is_same_v<B, View<const T>> && std::is_same_v<C, View<T>>) {
    if (has_few_rows(b, steps, c.rows)) return multiply_few_rows(a_ref, b, steps, c, add);
  }
  if constexpr (std::is_same_v<A, View<const T>> && std::is_same_v<C, View<T>>) {
    if (has_few_rows(a, steps, c.cols)) return multiply_few_rows(b_ref, a, steps, c.transposed(), add);
  }
  const C transposed = c.transposed();
  const ResultRef<T> c_ref(c), transposed_ref(transposed);
  if constexpr (kHasBf16 && std::is_same_v<T, float>) {
    if (float32_matmul_precision() == Float32MatmulPrecision::medium) {
      const Bf16Pairs<T> a_pairs(a_ref, steps);
      const Bf16Pairs<T> b_pairs(b_ref, steps);
      return detail::multiply_packed<T>(OperandRef<T>(a_pairs), OperandRef<T>(b_pairs), a_pairs.pairs(), c_ref,
                                        transposed_ref, add, detail::ProductTiles<T>::template of<Bf16PairStep>());
    }
  }
  detail::multiply_packed<T>(a_ref, b_ref, steps, c_ref, transposed_ref, add,
                             detail::ProductTiles<T>::template of<OneStep<T>>());
}

/// c = a b, or c += a b with add. Sizes must fit; a, b and c must not overlap.
template <class T>
void gemm(View<const T> a, View<const T> b, View<T> c, bool add = false) {
  multiply(a, b.transposed(), a.cols, c, add);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
