// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>

#include <eigengrad/ops/elementwise.hpp>
#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/tap_table.hpp>

// Convolution by its definition, product by product: what lies beside the image is in no sum. The fast ways multiply it
// as zeros, which is the same as long as the other factor is finite. Where it is not, 0 times infinity would spread to
// outputs that it has nothing to do with: whether it has is seen in a few results, and they are computed anew here.

namespace eigengrad::ops::kernels::definition {

template <class T>
bool are_finite(const T* numbers, Index count) {
  return std::all_of(numbers, numbers + count, [](T x) { return std::isfinite(x); });
}
template <class T>
bool is_finite(const Tensor<T>& x) {
  return are_finite(x.data(), x.numel());
}

/// True if nothing that is not finite has been multiplied with zeros beside the image in y = x * W or, with a stride, in dx.
/// Looks at the first and the last pixel of those that are a stride apart: each tap that lies beside the image anywhere
/// does so at one of them.
template <class T>
bool is_finite_at_corners(const Tensor<T>& images, const Size2d& stride = 1) {
  const Index height = images.size(1), width = images.size(2), channels = images.size(3);
  const auto pixel_is_finite = [&](Index h, Index w) {
    return are_finite(images.data() + (h * width + w) * channels, channels);
  };
  for (Index h = 0; h < std::min(stride.height, height); ++h) {
    for (Index w = 0; w < std::min(stride.width, width); ++w) {
      const Index last_h = h + (height - 1 - h) / stride.height * stride.height;
      const Index last_w = w + (width - 1 - w) / stride.width * stride.width;
      if (!pixel_is_finite(h, w) || !pixel_is_finite(last_h, last_w)) return false;
    }
  }
  return true;
}

/// The same for dW, in which zeros beside the image are multiplied for all inputs alike: looks at the first.
template <class T>
bool is_finite_at_first_input(const Tensor<T>& dw) {
  const Index inputs = dw.size(3);
  for (Index i = 0; i < dw.numel(); i += inputs) {
    if (!std::isfinite(dw.data()[i])) return false;
  }
  return true;
}

/// True if zeros between merged groups have met nothing that is not finite in images of `merged` channels a group: each of
/// these has channels of a group that only zeros lead to then, and thus NaN, first or last.
template <class T>
bool is_number_in_merged_groups(const Tensor<T>& images, Index groups) {
  const Index channels = images.size(3) / groups;
  const T* numbers = images.data();
  std::atomic<bool> result = true;
  parallel_for(images.numel() / channels, row_grain(channels), [&](Index begin, Index end) {
    bool found = false;
    for (Index i = begin; i < end; ++i)
      found |= std::isnan(numbers[i * channels]) || std::isnan(numbers[(i + 1) * channels - 1]);
    if (found) result = false;
  });
  return result;
}

/// Calls f(pixel row, pixel column, tap) for the taps that lie on a pixel.
template <class F>
void for_each_tap_on_pixel(const TapTables& taps, Index row, Index col, const F& f) {
  for (Index r = 0; r < taps.rows.taps(); ++r) {
    for (Index s = 0; s < taps.cols.taps(); ++s) {
      const Index h = taps.rows.at(row)[r], w = taps.cols.at(col)[s];
      if (h != TapTable::kOutside && w != TapTable::kOutside) f(h, w, r * taps.cols.taps() + s);
    }
  }
}

/// y = x * W
template <class T>
void forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, Tensor<T>& y) {
  const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
  const Shape &in = problem.x, &out = problem.y;
  const Index inputs = problem.group_inputs();
  T* to = y.mutable_data();
  parallel_for(out[0] * out[1], 1, [&](Index row, Index) {
    for (Index q = 0; q < out[2]; ++q) {
      for (Index k = 0; k < out[3]; ++k) {
        const T* group = x.data() + k / problem.group_outputs() * inputs;
        T sum(0);
        for_each_tap_on_pixel(taps, row % out[1], q, [&](Index h, Index w, Index tap) {
          const T* pixel = group + ((row / out[1] * in[1] + h) * in[2] + w) * in[3];
          const T* weights = weight.data() + (k * problem.taps() + tap) * inputs;
          sum += (ConstRowMap<T>(pixel, inputs) * ConstRowMap<T>(weights, inputs)).sum();
        });
        to[(row * out[2] + q) * out[3] + k] = sum;
      }
    }
  });
}

/// dx from dy.
template <class T>
void backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
  const auto taps = TapTables::of_pixel(problem.window, problem.x, problem.y);
  const Shape &in = problem.x, &out = problem.y;
  const Index inputs = problem.group_inputs();
  T* to = dx.mutable_data();
  parallel_for(in[0] * in[1], 1, [&](Index row, Index) {
    for (Index w = 0; w < in[2]; ++w) {
      T* pixel = to + (row * in[2] + w) * in[3];
      std::fill_n(pixel, in[3], T(0));
      for_each_tap_on_pixel(taps, row % in[1], w, [&](Index p, Index q, Index tap) {
        const T* gradient = dy.data() + ((row / in[1] * out[1] + p) * out[2] + q) * out[3];
        for (Index k = 0; k < out[3]; ++k) {
          const T* weights = weight.data() + (k * problem.taps() + tap) * inputs;
          RowMap<T>(pixel + k / problem.group_outputs() * inputs, inputs) +=
              gradient[k] * ConstRowMap<T>(weights, inputs);
        }
      });
    }
  });
}

/// dW from dy and x.
template <class T>
void backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
  const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
  const Shape &in = problem.x, &out = problem.y;
  const Index inputs = problem.group_inputs();
  T* to = dw.mutable_data();
  parallel_for(out[3], 1, [&](Index k, Index) {
    T* weights = to + k * problem.taps() * inputs;
    const T* group = x.data() + k / problem.group_outputs() * inputs;
    std::fill_n(weights, problem.taps() * inputs, T(0));
    for (Index row = 0; row < out[0] * out[1]; ++row) {
      for (Index q = 0; q < out[2]; ++q) {
        const T gradient = dy.data()[(row * out[2] + q) * out[3] + k];
        for_each_tap_on_pixel(taps, row % out[1], q, [&](Index h, Index w, Index tap) {
          const T* pixel = group + ((row / out[1] * in[1] + h) * in[2] + w) * in[3];
          RowMap<T>(weights + tap * inputs, inputs) += gradient * ConstRowMap<T>(pixel, inputs);
        });
      }
    }
  });
}

}  // namespace eigengrad::ops::kernels::definition
