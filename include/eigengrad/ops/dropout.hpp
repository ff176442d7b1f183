// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/random.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>

// Dropout: y = m x / (1 - p), where m is 0 with probability p and else 1, for each element by itself.
//   const Tensor<std::uint8_t> mask = dropout_mask(x.shape(), p, rng, pass);
//   Tensor<T> y = dropout(x, mask, p);
// p is rounded to a multiple of 2^-16, and the factor belongs to the rounded p, so that the expectation of y is x.

namespace eigengrad::EIGENGRAD_ISA::ops {

namespace detail {

/// Sixteen random bits decide an element: it is dropped if they are below this number.
inline std::uint32_t dropout_bound(double p) { return static_cast<std::uint32_t>(std::lround(p * 65536.0)); }

/// What the elements that are kept are multiplied by; 0 if none is.
inline double dropout_factor(double p) {
  const std::uint32_t bound = dropout_bound(p);
  return bound == 65536U ? 0.0 : 65536.0 / (65536.0 - bound);
}

/// Elements that one call of Rng::blocks decides, two for each word.
inline constexpr std::size_t kDropoutGroup = 2 * 4 * detail::kPhiloxLanes;
static_assert(detail::kElementGrain % static_cast<Index>(kDropoutGroup) == 0);

/// The mask of one group.
inline std::array<std::uint8_t, kDropoutGroup> dropout_group(const detail::PhiloxLanes& words, std::uint32_t bound) {
  std::array<std::uint8_t, kDropoutGroup> mask;
  std::uint8_t* to = mask.data();
  for (const auto& lanes : words) {
    for (const std::uint32_t word : lanes) *to++ = static_cast<std::uint8_t>((word & 0xFFFFU) >= bound);
    for (const std::uint32_t word : lanes) *to++ = static_cast<std::uint8_t>((word >> 16) >= bound);
  }
  return mask;
}

inline constexpr Index kDropoutPiece = 64;

/// `Count` elements, a constant so that a compiler uses vectors. By way of memory of its own, since `to` may be `from`,
/// which keeps a compiler from it as well.
template <std::size_t Count, class T>
void drop_piece(const T* from, const std::uint8_t* kept, T factor, T* to) {
  std::array<T, Count> piece;
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = from[i] * (factor * static_cast<T>(kept[i]));
  std::copy_n(piece.data(), Count, to);
}

}  // namespace detail

/// Which elements are kept, 1, and which are dropped, 0: a function of p, the generator, the number of the pass and
/// the position of the element alone.
/// Shapes   mask as given
/// Errors   ValueError for p outside 0 ... 1
inline Tensor<std::uint8_t> dropout_mask(const Shape& shape, double p, const Rng& rng, std::uint32_t pass) {
  detail::check::between("dropout", "p", p, 0.0, 1.0);
  const std::uint32_t bound = detail::dropout_bound(p);
  Tensor<std::uint8_t> mask(shape);
  std::uint8_t* to = mask.mutable_data();
  parallel_for(mask.numel(), detail::kElementGrain, [&](Index begin, Index end) {
    constexpr auto kGroup = static_cast<Index>(detail::kDropoutGroup);
    for (Index first = begin; first < end; first += kGroup) {
      const std::uint64_t block = (std::uint64_t{pass} << 32) + static_cast<std::uint64_t>(first / 8);
      const auto group = detail::dropout_group(rng.blocks(block), bound);
      std::copy_n(group.data(), std::min(kGroup, end - first), to + first);
    }
  });
  return mask;
}

/// y = m x / (1 - p); NaN and the infinities become NaN where they are dropped, as in PyTorch
/// Shapes   x, y any, the same as the mask m
/// Errors   ShapeError if they differ, ValueError for p outside 0 ... 1
/// Source   Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, with the factor in training
template <class T>
Tensor<T> dropout(Tensor<T> x, const Tensor<std::uint8_t>& mask, double p) {
  detail::check::between("dropout", "p", p, 0.0, 1.0);
  detail::check::same_shape("dropout", "mask", mask.shape(), x.shape());
  const T factor = static_cast<T>(detail::dropout_factor(p));
  const T* from = x.data();
  const std::uint8_t* kept = mask.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  parallel_for(y.numel(), detail::kElementGrain, [&](Index begin, Index end) {
    Index first = begin;
    for (; first + detail::kDropoutPiece <= end; first += detail::kDropoutPiece)
      detail::drop_piece<detail::kDropoutPiece>(from + first, kept + first, factor, to + first);
    for (; first < end; ++first) detail::drop_piece<1>(from + first, kept + first, factor, to + first);
  });
  return y;
}

/// dx = m dy / (1 - p)
/// Shapes   dy, dx any, the same as the mask m
/// Source   derived in docs/derivations.md
template <class T>
Tensor<T> dropout_backward(Tensor<T> dy, const Tensor<std::uint8_t>& mask, double p) {
  detail::check::same_shape("dropout_backward", "gradient of the output", dy.shape(), mask.shape());
  return dropout(std::move(dy), mask, p);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
