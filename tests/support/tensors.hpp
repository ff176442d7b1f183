// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/core/tensor.hpp>

// What tests of tensors share.

namespace eigengrad::EIGENGRAD_ISA::testing {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <class T>
Tensor<T> random(const Shape& shape, std::uint64_t seed) {
  Rng rng(seed);
  return Tensor<T>::randn(shape, rng);
}

/// The largest difference, relative to the largest magnitude of what is expected; NaN where an element differs by NaN.
template <class T>
double difference(const Tensor<T>& got, const Tensor<T>& expected) {
  if (got.shape() != expected.shape()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  double magnitude = 1e-300;
  for (Index i = 0; i < got.numel(); ++i) {
    const double error = std::abs(static_cast<double>(got.data()[i]) - static_cast<double>(expected.data()[i]));
    if (std::isnan(error)) return error;
    largest = std::max(largest, error);
    magnitude = std::max(magnitude, std::abs(static_cast<double>(expected.data()[i])));
  }
  return largest / magnitude;
}

/// Fills the pool's free blocks of a tensor's size with NaN: an operation that leaves an element of its
/// result unwritten shows it.
template <class T>
void poison(const Shape& shape) {
  Tensor<T> first = Tensor<T>::full(shape, std::numeric_limits<T>::quiet_NaN());
  Tensor<T> second = Tensor<T>::full(shape, std::numeric_limits<T>::quiet_NaN());
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
