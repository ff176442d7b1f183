// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>

#include <eigengrad/ops/kernels/conv_problem.hpp>
#include <eigengrad/ops/kernels/elementwise.hpp>
#include <eigengrad/ops/kernels/tap_table.hpp>

// Convolution by its definition, product by product: what lies beside the image is in no sum. The fast ways multiply it
// as zeros, which is the same as long as the other factor is finite. If it is not, 0 times infinity would spread to
// outputs that it has nothing to do with: whether it has is seen in a few results. Those that it can have reached are
// computed anew here. What is NaN either way is left as it is, or a network whose weights are NaN would be far slower.

namespace eigengrad::EIGENGRAD_ISA::ops::detail::definition {

template <class T>
bool are_finite(const T* numbers, Index count) {
  return std::all_of(numbers, numbers + count, [](T x) { return std::isfinite(x); });
}
template <class T>
bool is_finite(const Tensor<T>& x) {
  return are_finite(x.data(), x.numel());
}

/// True if nothing that is not finite has been multiplied with zeros beside the image in y = x * W or, with a stride,
/// in dx. Looks at the first and the last pixel of those that are a stride apart: each tap that lies beside the image
/// anywhere does so at one of them.
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

/// True if zeros between merged groups have met nothing that is not finite in images of `merged` channels a group: each
/// of these has channels of a group that only zeros lead to then, and thus NaN, first or last.
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

/// True if every tap lies on a pixel.
inline bool all_taps_on_pixels(const TapTables& taps, Index row, Index col) {
  const auto lie_on_pixels = [](const TapTable& table, Index position) {
    return std::count(table.at(position), table.at(position) + table.taps(), TapTable::kOutside) == 0;
  };
  return lie_on_pixels(taps.rows, row) && lie_on_pixels(taps.cols, col);
}

/// The weights of an output under a tap.
enum class Weights : std::uint8_t {
  finite,
  bad,  ///< one is not finite
  nan   ///< so that every sum that they are in is NaN
};

/// Those of each output and tap, (K, R S). The weights of all inputs are in one sum in y, each in one of its own in dx.
template <class T>
Tensor<Weights> weights_of_taps(const ConvProblem& problem, const Tensor<T>& weight, bool in_one_sum) {
  const Index inputs = problem.group_inputs();
  Tensor<Weights> result({problem.y[3], problem.taps()});
  Weights* to = result.mutable_data();
  parallel_for(result.numel(), row_grain(inputs), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T* first = weight.data() + i * inputs;
      to[i] = Weights::finite;
      if (are_finite(first, inputs)) continue;
      const Index nans = std::count_if(first, first + inputs, [](T x) { return std::isnan(x); });
      to[i] = nans >= (in_one_sum ? 1 : inputs) ? Weights::nan : Weights::bad;
    }
  });
  return result;
}

/// True if zeros beside the image have met a weight that is not finite in sums which are not NaN anyway.
inline bool are_spoilt(const TapTables& taps, Index row, Index col, const Weights* weights) {
  bool result = false;
  for (Index r = 0; r < taps.rows.taps(); ++r) {
    const bool outside = taps.rows.at(row)[r] == TapTable::kOutside;
    for (Index s = 0; s < taps.cols.taps(); ++s) {
      const Weights here = weights[r * taps.cols.taps() + s];
      if (outside || taps.cols.at(col)[s] == TapTable::kOutside)
        result = result || here != Weights::finite;
      else if (here == Weights::nan)
        return false;
    }
  }
  return result;
}

/// What zeros have spoilt in y = x * W + b.
/// Shapes   bias (K), or empty for none
template <class T>
void mend_forward(const ConvProblem& problem, const Tensor<T>& x, const Tensor<T>& weight, const Tensor<T>& bias,
                  Tensor<T>& y) {
  if (problem.window.padding == Size2d(0) || is_finite_at_corners(y) || is_finite(weight)) return;
  const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
  const Shape &in = problem.x, &out = problem.y;
  const Index inputs = problem.group_inputs();
  const Tensor<Weights> weights_of = weights_of_taps(problem, weight, true);
  T* to = y.mutable_data();
  parallel_for(out[0] * out[1], 1, [&](Index row, Index) {
    for (Index q = 0; q < out[2]; ++q) {
      if (all_taps_on_pixels(taps, row % out[1], q)) continue;
      for (Index k = 0; k < out[3]; ++k) {
        if (!are_spoilt(taps, row % out[1], q, weights_of.data() + k * problem.taps())) continue;
        const T* group = x.data() + k / problem.group_outputs() * inputs;
        T sum = bias.empty() ? T(0) : bias.data()[k];
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

/// What zeros have spoilt in dx from dy.
template <class T>
void mend_backward_input(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& weight, Tensor<T>& dx) {
  if (is_finite_at_corners(dx, problem.window.stride) || is_finite(weight)) return;
  const auto taps = TapTables::of_pixel(problem.window, problem.x, problem.y);
  const Shape &in = problem.x, &out = problem.y;
  const Index inputs = problem.group_inputs(), outputs = problem.group_outputs();
  const Tensor<Weights> of_outputs = weights_of_taps(problem, weight, false);
  Tensor<Weights> of_groups = Tensor<Weights>::full({problem.groups, problem.taps()}, Weights::finite);
  Weights* worst = of_groups.mutable_data();
  for (Index i = 0; i < of_outputs.numel(); ++i) {
    Weights& of_group = worst[i / problem.taps() / outputs * problem.taps() + i % problem.taps()];
    of_group = std::max(of_group, of_outputs.data()[i]);
  }
  T* to = dx.mutable_data();
  parallel_for(in[0] * in[1], 1, [&](Index row, Index) {
    for (Index w = 0; w < in[2]; ++w) {
      for (Index g = 0; g < problem.groups; ++g) {
        if (!are_spoilt(taps, row % in[1], w, worst + g * problem.taps())) continue;
        RowMap<T> sums(to + (row * in[2] + w) * in[3] + g * inputs, inputs);
        sums.setZero();
        for_each_tap_on_pixel(taps, row % in[1], w, [&](Index p, Index q, Index tap) {
          const T* gradient = dy.data() + ((row / in[1] * out[1] + p) * out[2] + q) * out[3];
          for (Index k = g * outputs; k < (g + 1) * outputs; ++k)
            sums += gradient[k] * ConstRowMap<T>(weight.data() + (k * problem.taps() + tap) * inputs, inputs);
        });
      }
    }
  });
}

/// For each channel whether all its numbers are finite.
template <class T>
Tensor<std::uint8_t> finite_channels(const Tensor<T>& images) {
  const Index channels = images.size(3);
  auto result = Tensor<std::uint8_t>::full({channels}, 1);
  std::uint8_t* finite = result.mutable_data();
  for (const T* pixel = images.data(); pixel != images.data() + images.numel(); pixel += channels) {
    if (are_finite(pixel, channels)) continue;
    for (Index c = 0; c < channels; ++c) finite[c] &= static_cast<std::uint8_t>(std::isfinite(pixel[c]));
  }
  return result;
}

/// What zeros have spoilt in dW from dy and x.
template <class T>
void mend_backward_weight(const ConvProblem& problem, const Tensor<T>& dy, const Tensor<T>& x, Tensor<T>& dw) {
  if (problem.window.padding == Size2d(0) || is_finite_at_first_input(dw) || is_finite(dy)) return;
  const auto taps = TapTables::of_window(problem.window, problem.x, problem.y);
  const Shape &in = problem.x, &out = problem.y;
  const Index inputs = problem.group_inputs();
  T* to = dw.mutable_data();
  Tensor<std::uint8_t> met = Tensor<std::uint8_t>::zeros({out[3], problem.taps()});
  std::uint8_t* of_outputs = met.mutable_data();
  constexpr std::uint8_t kSpoilt = 1, kNan = 2;  // by what lies beside the image, and by what lies on it
  const Tensor<std::uint8_t> finite = finite_channels(dy);
  parallel_for(out[3], 1, [&](Index k, Index) {
    if (finite.data()[k] != 0) return;
    T* weights = to + k * problem.taps() * inputs;
    const T* group = x.data() + k / problem.group_outputs() * inputs;
    std::uint8_t* of_taps = of_outputs + k * problem.taps();
    const auto for_each_gradient = [&](const auto& f) {
      for (Index row = 0; row < out[0] * out[1]; ++row) {
        for (Index q = 0; q < out[2]; ++q) f(row, q, dy.data()[(row * out[2] + q) * out[3] + k]);
      }
    };
    bool all_nan = false;
    for_each_gradient([&](Index row, Index q, T gradient) {
      if (all_nan || std::isfinite(gradient)) return;
      for (Index tap = 0; tap < problem.taps(); ++tap) {
        const Index h = taps.rows.at(row % out[1])[tap / taps.cols.taps()];
        const Index w = taps.cols.at(q)[tap % taps.cols.taps()];
        if (h == TapTable::kOutside || w == TapTable::kOutside)
          of_taps[tap] |= kSpoilt;
        else if (std::isnan(gradient))
          of_taps[tap] |= kNan;
      }
      all_nan = std::all_of(of_taps, of_taps + problem.taps(), [&](std::uint8_t bits) { return bits >= kNan; });
    });
    if (std::count(of_taps, of_taps + problem.taps(), kSpoilt) == 0) return;
    for (Index tap = 0; tap < problem.taps(); ++tap) {
      if (of_taps[tap] == kSpoilt) std::fill_n(weights + tap * inputs, inputs, T(0));
    }
    for_each_gradient([&](Index row, Index q, T gradient) {
      for_each_tap_on_pixel(taps, row % out[1], q, [&](Index h, Index w, Index tap) {
        if (of_taps[tap] != kSpoilt) return;
        const T* pixel = group + ((row / out[1] * in[1] + h) * in[2] + w) * in[3];
        RowMap<T>(weights + tap * inputs, inputs) += gradient * ConstRowMap<T>(pixel, inputs);
      });
    });
  });
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::definition
