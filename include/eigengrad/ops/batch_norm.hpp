// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <utility>

#include <eigengrad/ops/kernels/batch_norm.hpp>
#include <eigengrad/ops/kernels/reduce_rows.hpp>
#include <eigengrad/ops/map.hpp>

// Batch normalisation of every channel, the last axis, over all others: y = gamma (x - mean) inv_std + beta with
// inv_std = 1 / sqrt(var + eps). gamma and beta are called weight and bias, as in PyTorch.
//   auto [mean, var] = batch_norm_statistics(x);
//   Tensor<T> inv_std = batch_norm_inv_std(var, eps);
//   Tensor<T> y = batch_norm(x, mean, inv_std, weight, bias);
// Source   Ioffe & Szegedy 2015, algorithm 1

namespace eigengrad::EIGENGRAD_ISA::ops {

/// Mean and biased variance of each channel: what training normalises with.
template <class T>
struct BatchNormStatistics {
  Tensor<T> mean;  ///< (C)
  Tensor<T> var;   ///< (C), the mean square distance from the mean
};

namespace detail {

/// Calls f(access, packets, c) for groups of channels.
template <class T, class F>
void for_channels(Index channels, const F& f) {
  detail::for_each_vector_group<T, detail::batch_norm::kChannelGroup>(channels, f);
}

/// Mean and variance of all rows from those of runs of `grain` rows, added from first to last.
/// Shapes   parts (runs, 3, C): of each run a mean, the sum of what is missing from it, the sum of squares about it
/// Source   Chan, Golub, LeVeque 1979
template <class T>
EIGENGRAD_CALLED BatchNormStatistics<T> joined_moments(const Tensor<T>& parts, Index rows, Index grain) {
  const Index channels = parts.size(2);
  Tensor<double> mean = Tensor<double>::zeros({channels});
  Tensor<double> squares = Tensor<double>::zeros({channels});
  double* m = mean.mutable_data();
  double* s = squares.mutable_data();
  for (Index run = 0; run < parts.size(0); ++run) {
    const T* part = parts.data() + run * 3 * channels;
    const auto before = static_cast<double>(run * grain);
    const auto count = static_cast<double>(std::min(grain, rows - run * grain));
    const double per_row = 1.0 / count;
    const double share = count / (before + count);
    for (Index c = 0; c < channels; ++c) {
      const double rest = static_cast<double>(part[channels + c]) * per_row;
      const double distance = static_cast<double>(part[c]) + rest - m[c];
      s[c] += static_cast<double>(part[2 * channels + c]) - rest * rest * count + distance * distance * before * share;
      m[c] += distance * share;
    }
  }
  for (Index c = 0; c < channels; ++c) s[c] /= static_cast<double>(rows);
  return {mean.template cast<T>(), squares.template cast<T>()};
}

/// What y = weight (x - mean) inv_std multiplies x by.
/// Shapes   inv_std (C); weight (C), or empty for 1
template <class T>
EIGENGRAD_CALLED Tensor<T> batch_norm_scale(Tensor<T> inv_std, const Tensor<T>& weight) {
  if (weight.empty()) return inv_std;
  T* scale = inv_std.mutable_data();
  for (Index c = 0; c < weight.numel(); ++c) scale[c] *= weight.data()[c];
  return inv_std;
}

}  // namespace detail

/// Shapes   x (..., C), at least one row
/// Errors   ShapeError for a scalar or no rows
/// Cost     one pass over x. A run of rows is read twice while it is in cache, once for its mean and once for the
///          squares about it, so that nothing cancels if the mean is large against the deviation
template <class T>
BatchNormStatistics<T> batch_norm_statistics(const Tensor<T>& x) {
  detail::check::rank_at_least("batch_norm_statistics", x.shape(), 1);
  const Index rows = x.shape().rows();
  const Index channels = x.shape().cols();
  if (rows == 0) throw ShapeError("batch_norm_statistics: no rows, and the mean of none is not defined");
  if (channels == 0) return {};
  const Index grain = detail::reduction_grain(channels);
  const Index runs = detail::ceil_div(rows, grain);
  Tensor<T> parts({runs, 3, channels});
  T* data = parts.mutable_data();
  parallel_for(rows, grain, [&](Index begin, Index end) {
    T* part = data + begin / grain * 3 * channels;
    detail::for_channels<T>(channels, [&](const auto& access, auto packets, Index c) {
      detail::batch_norm::column_moments<packets>(access, x.data() + begin * channels + c, end - begin, channels,
                                                  part + c);
    });
  });

  return detail::joined_moments(parts, rows, grain);
}

/// 1 / sqrt(var + eps)
/// Shapes   var, result (C)
/// Units    eps in units of x squared
template <class T>
Tensor<T> batch_norm_inv_std(const Tensor<T>& var, double eps) {
  const T shift = static_cast<T>(eps);
  return map(var, [shift](const auto& v) { return T(1) / detail::sqrt(v + shift); });
}

/// y = weight (x - mean) inv_std + bias
/// Shapes   x, y (..., C); mean, inv_std (C); weight, bias (C), or empty for 1 and 0
/// Errors   ShapeError if C differs
/// Memory   none if x is the only holder of its elements, else one tensor
template <class T>
Tensor<T> batch_norm(Tensor<T> x, const Tensor<T>& mean, const Tensor<T>& inv_std, const Tensor<T>& weight = {},
                     const Tensor<T>& bias = {}) {
  const Index channels = mean.numel();
  detail::check::channels("batch_norm", x.shape(), channels);
  detail::check::same_shape("batch_norm", "inv_std", inv_std.shape(), {channels});
  if (!weight.empty()) detail::check::same_shape("batch_norm", "weight", weight.shape(), {channels});
  if (!bias.empty()) detail::check::same_shape("batch_norm", "bias", bias.shape(), {channels});
  const Tensor<T> scale = detail::batch_norm_scale(inv_std, weight);
  const Tensor<T> shift = bias.empty() ? Tensor<T>::zeros({channels}) : bias;
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  detail::parallel_rows(y.shape(), [&](Index begin, Index end) {
    const Index start = begin * channels;
    detail::for_channels<T>(channels, [&](const auto& access, auto packets, Index c) {
      detail::batch_norm::normalize_rows<packets>(access, from + start + c, end - begin, channels, mean.data() + c,
                                                  scale.data() + c, shift.data() + c, to + start + c);
    });
  });
  return y;
}

template <class T>
struct BatchNormGradients {
  Tensor<T> dx;       ///< (..., C)
  Tensor<T> dweight;  ///< (C)
  Tensor<T> dbias;    ///< (C)
};

/// If mean and inv_std in batch_norm come from, which decides whether they depend on x.
enum class BatchNormSource {
  batch,    ///< from x itself, with batch_norm_statistics: training
  running,  ///< from elsewhere, so they are constants: evaluation
};

/// With m rows and x^ = (x - mean) inv_std: dbias = sum dy, dweight = sum dy x^, and
///   batch:    dx = weight inv_std (dy - dbias / m - x^ dweight / m)
///   running:  dx = weight inv_std dy
/// Shapes   dy, x, dx (..., C); mean, inv_std (C); weight (C), or empty for 1
/// Errors   ShapeError if shapes differ
/// Memory   dx takes the place of dy if nobody else holds it
/// Source   derived in docs/derivations.md
template <class T>
BatchNormGradients<T> batch_norm_backward(Tensor<T> dy, const Tensor<T>& x, const Tensor<T>& mean,
                                          const Tensor<T>& inv_std, const Tensor<T>& weight, BatchNormSource source) {
  detail::check::same_shape("batch_norm_backward", "gradient of the output", dy.shape(), x.shape());
  const Index rows = x.shape().rows();
  const Index channels = mean.numel();
  detail::check::channels("batch_norm_backward", x.shape(), channels);
  detail::check::same_shape("batch_norm_backward", "inv_std", inv_std.shape(), {channels});
  if (!weight.empty()) detail::check::same_shape("batch_norm_backward", "weight", weight.shape(), {channels});
  const Tensor<T> sums = detail::reduce_rows<T>(rows, channels, 2 * channels, [&](Index begin, Index end, T* to) {
    const Index start = begin * channels;
    detail::for_channels<T>(channels, [&](const auto& access, auto packets, Index c) {
      detail::batch_norm::gradient_sums<packets>(access, dy.data() + start + c, x.data() + start + c, end - begin,
                                                 channels, mean.data() + c, to + c);
    });
  });
  BatchNormGradients<T> result{{}, Tensor<T>({channels}), Tensor<T>({channels})};
  T* dweight = result.dweight.mutable_data();
  T* dbias = result.dbias.mutable_data();
  const Tensor<T> scale = detail::batch_norm_scale(inv_std, weight);  // of dy
  Tensor<T> slope({channels});                                        // dx = scale dy + slope (x - mean) + offset
  Tensor<T> offset({channels});
  T* slopes = slope.mutable_data();
  T* offsets = offset.mutable_data();
  const T share = T(1) / static_cast<T>(rows);
  const bool constant = source == BatchNormSource::running;
  for (Index c = 0; c < channels; ++c) {
    const T factor = inv_std.data()[c];
    dbias[c] = sums.data()[c];
    dweight[c] = sums.data()[channels + c] * factor;
    slopes[c] = constant ? T(0) : -scale.data()[c] * dweight[c] * factor * share;
    offsets[c] = constant ? T(0) : -scale.data()[c] * dbias[c] * share;
  }
  const detail::batch_norm::GradientFactors<T> factors{mean.data(), scale.data(), slope.data(), offset.data()};
  const T* from = dy.data();
  Tensor<T> dx = detail::reuse(dy);
  T* to = dx.mutable_data();
  detail::parallel_rows(dx.shape(), [&](Index begin, Index end) {
    const Index start = begin * channels;
    detail::for_channels<T>(channels, [&](const auto& access, auto packets, Index c) {
      detail::batch_norm::input_gradient_rows<packets>(access, from + start, x.data() + start, end - begin, channels,
                                                       factors, c, to + start);
    });
  });
  result.dx = std::move(dx);
  return result;
}

}  // namespace eigengrad::EIGENGRAD_ISA::ops
