// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <eigengrad/core/inlining.hpp>
#include <eigengrad/core/parallel.hpp>
#include <eigengrad/core/sum_of.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/ops/kernels/array_math.hpp>
#include <eigengrad/ops/kernels/block.hpp>

// Loops over elements, written as Eigen array expressions. Elements are computed in blocks, the last of which is filled
// up: equal elements have equal results, to the last bit, wherever they stand. Eigen alone would compute what does not
// fill a vector by other functions, or rounding otherwise.

namespace eigengrad::EIGENGRAD_ISA::ops::detail {

/// Elements in one piece of a parallel elementwise loop.
inline constexpr Index kElementGrain = 16 * 1024;
/// Rows in one piece of a parallel loop over rows of the given length.
inline Index row_grain(Index cols) { return std::max<Index>(1, kElementGrain / std::max<Index>(cols, 1)); }

/// Calls body(begin, end) for the rows of a tensor of this shape, on several threads; not at all if it has no elements,
/// however many rows that may be.
template <class F>
void parallel_rows(const Shape& shape, F&& body) {
  if (shape.numel() > 0) parallel_for(shape.rows(), row_grain(shape.cols()), body);
}

/// Numbers in a row, as those of a pixel or of a matrix row, wherever they begin.
template <class T>
using RowMap = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstRowMap = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

/// A block in memory, wherever it begins.
template <class T>
using Block = Eigen::Map<Eigen::Array<T, static_cast<int>(kBlock<T>), 1>>;
template <class T>
using ConstBlock = Eigen::Map<const Eigen::Array<T, static_cast<int>(kBlock<T>), 1>>;

/// A copy of the first elements of a block, with zeros for the others.
template <class T>
struct PaddedBlock {
  alignas(64) std::array<T, detail::array_size(kBlock<T>)> elements;

  PaddedBlock() = default;
  PaddedBlock(const T* from, Index count) { detail::load_part(count, from, elements.data()); }
};

/// to[i] = f(from[i], ...) in whole blocks. Never inlined, so that the blocks of an array and the last one, filled up,
/// are computed by the same instructions.
template <class T, class F, class... From>
EIGENGRAD_NOINLINE void map_blocks(Index count, T* to, F f, const From*... from) {
  for (Index i = 0; i < count; i += kBlock<T>) Block<T>(to + i) = f(ConstBlock<From>(from + i)...);
}

/// x itself if nobody shares its memory, so that a result can be written over it; else a new tensor of its
/// shape.
template <class T>
Tensor<T> reuse(Tensor<T>& x) {
  return x.unique() ? std::move(x) : Tensor<T>(x.shape());
}

/// to[i] = f(from[i], ...) for `count` elements, on the calling thread; `to` may be one of `from`. f takes and returns
/// Eigen array expressions and is copied.
template <class T, class F, class... From>
void map_row(Index count, T* to, const F& f, const From*... from) {
  const Index whole = count / kBlock<T> * kBlock<T>;
  if (whole > 0) detail::map_blocks(whole, to, f, from...);
  if (whole == count) return;
  detail::PaddedBlock<T> last;
  detail::map_blocks(kBlock<T>, last.elements.data(), f,
                     detail::PaddedBlock<From>(from + whole, count - whole).elements.data()...);
  detail::copy_part(count - whole, last.elements.data(), to + whole);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail
