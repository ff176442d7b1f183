// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <type_traits>

#include <eigengrad/core/check.hpp>
#include <eigengrad/ops/kernels/copy_strided.hpp>

// Elements put before and after those of each axis, or, with negative numbers, taken away.
//   pad(x, {{0, 0}, {1, 2}});              // one column of zeros before, two after
//   pad(images, {{0, 0}, {4, 4}, {4, 4}, {0, 0}});
//   pad(x, {{-1, 0}, {0, 0}});             // without the first row

namespace eigengrad::EIGENGRAD_ISA::ops {

/// How many elements go before and after an axis.
struct PadWidth {
  Index before;
  Index after;
};

/// A PadWidth for each axis.
class Padding {
 public:
  /// Errors   ShapeError for more than Shape::kMaxRank axes
  Padding(std::initializer_list<PadWidth> widths) : Padding(std::span<const PadWidth>(widths.begin(), widths.size())) {}
  explicit Padding(std::span<const PadWidth> widths) : rank_(static_cast<int>(widths.size())) {
    if (rank_ > Shape::kMaxRank)
      throw ShapeError(error_text("pad: ", rank_, " axes, expected at most ", Shape::kMaxRank));
    std::copy(widths.begin(), widths.end(), widths_.begin());
  }

  int rank() const { return rank_; }
  const PadWidth& operator[](int axis) const { return widths_[static_cast<std::size_t>(axis)]; }
  /// Takes away what this puts there, and the reverse.
  Padding operator-() const {
    Padding result = *this;
    const auto negative = [](Index width) { return -std::max(width, -detail::kLargestIndex); };
    for (PadWidth& width : result.widths_) width = {negative(width.before), negative(width.after)};
    return result;
  }

 private:
  std::array<PadWidth, Shape::kMaxRank> widths_{};
  int rank_;
};

/// The shape with the padding.
/// Errors   ShapeError if the numbers of axes differ or an axis gets a size below 0 or beyond Index
inline Shape padded_shape(const Shape& x, const Padding& padding) {
  if (padding.rank() != x.rank()) {
    throw ShapeError(error_text("pad: widths for ", padding.rank(), " axes, expected ", x.rank(), "; shape ", x));
  }
  std::array<Index, Shape::kMaxRank> sizes{};
  for (int axis = 0; axis < x.rank(); ++axis) {
    const Index with_before = detail::check::sum("pad", x[axis], padding[axis].before);
    const Index size = detail::check::sum("pad", with_before, padding[axis].after);
    if (size < 0 || with_before < 0 || padding[axis].after < -x[axis]) {
      throw ShapeError(error_text("pad: widths ", padding[axis].before, " and ", padding[axis].after, " on axis ", axis,
                                  " take more than there is; shape ", x));
    }
    sizes[static_cast<std::size_t>(axis)] = size;
  }
  return Shape({sizes.data(), static_cast<std::size_t>(x.rank())});
}

/// x with `value` before and after it on each axis; negative widths take elements away, as in torch's pad.
/// Shapes   x any; y has before + size + after on each axis
/// Memory   none if all widths are 0
/// Errors   ShapeError if the number of widths is not the rank of x or an axis gets a size below 0
template <class T>
Tensor<T> pad(const Tensor<T>& x, const Padding& padding, std::type_identity_t<T> value = T(0)) {
  Tensor<T> y(padded_shape(x.shape(), padding));
  // The axes from the last one with a width on are one row in both.
  int last = x.rank() - 1;
  while (last >= 0 && padding[last].before == 0 && padding[last].after == 0) --last;
  if (last < 0) return x;
  if (y.empty()) return y;
  const Index unit = detail::numel_between(x.shape(), last + 1, x.rank());
  const Index before = std::max<Index>(padding[last].before, 0) * unit;
  const Index skipped = std::max<Index>(-padding[last].before, 0) * unit;
  const Index length = y.size(last) * unit;
  const Index kept = length - before - std::max<Index>(padding[last].after, 0) * unit;
  const detail::Strides x_strides = detail::strides_of(x.shape());
  T* data = y.mutable_data();
  parallel_for(y.numel() / length, detail::row_grain(length), [&](Index begin, Index end) {
    detail::Walk<0> walk(y.shape().begin(), last, {});
    walk.seek(begin);
    for (; begin < end; ++begin, walk.next()) {
      // Leading axes: position p of y is position p - before of x, if x has it.
      bool inside = kept > 0;
      Index from = skipped;
      for (int axis = 0; inside && axis < last; ++axis) {
        const Index at = walk.at(static_cast<std::size_t>(axis)) - padding[axis].before;
        inside = at >= 0 && at < x.shape().begin()[axis];
        if (inside) from += at * x_strides[static_cast<std::size_t>(axis)];
      }
      T* row = data + begin * length;
      if (!inside) {
        detail::fill_run(row, length, value);
        continue;
      }
      detail::fill_run(row, before, value);
      detail::copy_run(x.data() + from, kept, row + before);
      detail::fill_run(row + before + kept, length - before - kept, value);
    }
  });
  return y;
}

/// dx = dy without the padding, and 0 for what the padding has taken away
/// Shapes   dy as the padded x; dx as x
template <class X>
X pad_backward(const X& dy, const Padding& padding) {
  return pad(dy, -padding);
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
