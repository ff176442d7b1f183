// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/tensor.hpp>

namespace eigengrad::EIGENGRAD_ISA {

/// What happens to every channel, the last axis, by itself: y = scale x + shift, or max(scale x + shift, 0) with relu.
/// In inference a convolution takes what follows it in this form and applies it as it writes.
template <class T>
struct ChannelMap {
  Tensor<T> scale;  ///< (C), or empty for 1
  Tensor<T> shift;  ///< (C), or empty for 0
  bool relu = false;

  bool changes_nothing() const { return scale.empty() && shift.empty() && !relu; }

  /// The shift, if the map begins with it: sums may begin with it instead. Else empty; and what the map is after it.
  Tensor<T> bias() const { return scale.empty() ? shift : Tensor<T>(); }
  ChannelMap after_bias() const { return {scale, scale.empty() ? Tensor<T>() : shift, relu}; }

  /// Afterwards, y = more_scale y + more_shift. The map must not end with a ReLU.
  /// Shapes   more_scale, more_shift (C)
  /// Errors   ShapeError if they, or what is there, have another C
  EIGENGRAD_CALLED void then(Tensor<T> more_scale, Tensor<T> more_shift) {
    check_channels(more_scale.shape());
    detail::check::same_shape("ChannelMap", "shift", more_shift.shape(), more_scale.shape());
    if (!shift.empty()) more_shift.mutable_array() += shift.array() * more_scale.array();
    if (!scale.empty()) more_scale.mutable_array() *= scale.array();
    scale = std::move(more_scale);
    shift = std::move(more_shift);
  }

  /// Before the map, x = x + offset.
  /// Shapes   offset (C), or empty for 0
  /// Errors   ShapeError if it, or what is there, has another C
  EIGENGRAD_CALLED void after_adding(Tensor<T> offset) {
    if (offset.empty()) return;
    check_channels(offset.shape());
    if (!scale.empty()) offset.mutable_array() *= scale.array();
    if (!shift.empty()) offset.mutable_array() += shift.array();
    shift = std::move(offset);
  }

 private:
  void check_channels(const Shape& channels) const {
    if (!scale.empty()) detail::check::same_shape("ChannelMap", "scale", scale.shape(), channels);
    if (!shift.empty()) detail::check::same_shape("ChannelMap", "shift", shift.shape(), channels);
  }
};

}  // namespace eigengrad::EIGENGRAD_ISA
