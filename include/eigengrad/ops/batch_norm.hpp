// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <utility>

#include <eigengrad/ops/reduce_rows.hpp>

// Batch normalisation of every channel, the last axis, over all others: y = gamma (x - mean) inv_std + beta with
// inv_std = 1 / sqrt(var + eps). gamma and beta are called weight and bias, as in PyTorch.
//   auto [mean, var] = batch_norm_statistics(x);
//   Tensor<T> inv_std = batch_norm_inv_std(var, eps);
//   Tensor<T> y = batch_norm(x, mean, inv_std, weight, bias);
// Source   Ioffe & Szegedy 2015, algorithm 1

namespace eigengrad::ops {

/// Mean and biased variance of each channel: what training normalises with.
template <class T>
struct BatchNormStatistics {
  Tensor<T> mean;  ///< (C)
  Tensor<T> var;   ///< (C), the mean square distance from the mean
};

namespace detail {

/// Sum of squares about the mean, and the mean, of `count` values.
struct Moments {
  double count = 0.0;
  double mean = 0.0;
  double squares = 0.0;

  /// Source   Chan, Golub, LeVeque 1979
  void add(const Moments& other) {
    const double total = count + other.count;
    const double distance = other.mean - mean;
    mean += distance * other.count / total;
    squares += other.squares + distance * distance * count * other.count / total;
    count = total;
  }
};

}  // namespace detail

/// Shapes   x (..., C), at least one row
/// Errors   ShapeError for a scalar or no rows
/// Cost     one pass over x. A run of rows is read twice while it is in cache, once for its mean and once for the
///          squares about it, so that nothing cancels where the mean is large against the deviation
template <class T>
BatchNormStatistics<T> batch_norm_statistics(const Tensor<T>& x) {
  check::rank_at_least("batch_norm_statistics", x.shape(), 1);
  const Index rows = x.shape().rows();
  const Index channels = x.shape().cols();
  if (rows == 0) throw ShapeError("batch_norm_statistics: no rows, and the mean of none is not defined");
  const Index grain = reduction_grain(channels);
  const Index runs = (rows + grain - 1) / grain;
  Tensor<T> parts({runs, 3, channels});  // of each run: a mean, what is missing from it, the sum of squares
  T* data = parts.mutable_data();
  parallel_for(rows, grain, [&](Index begin, Index end) {
    RowMap<T> mean(data + begin / grain * 3 * channels, channels);
    RowMap<T> rest(mean.data() + channels, channels);
    RowMap<T> squares(rest.data() + channels, channels);
    const auto row = [&](Index i) { return ConstRowMap<T>(x.data() + i * channels, channels); };
    mean.setZero();
    for (Index i = begin; i < end; ++i) mean += row(i);
    mean /= static_cast<T>(end - begin);
    rest.setZero();
    squares.setZero();
    for (Index i = begin; i < end; ++i) {
      rest += row(i) - mean;  // 0 but for the rounding of the first sum
      squares += (row(i) - mean).square();
    }
  });

  BatchNormStatistics<T> result{Tensor<T>({channels}), Tensor<T>({channels})};
  T* means = result.mean.mutable_data();
  T* vars = result.var.mutable_data();
  for (Index c = 0; c < channels; ++c) {
    detail::Moments all;
    for (Index run = 0; run < runs; ++run) {
      const T* part = data + run * 3 * channels + c;
      const auto count = static_cast<double>(std::min(grain, rows - run * grain));
      const double rest = static_cast<double>(part[channels]) / count;
      all.add(
          {count, static_cast<double>(part[0]) + rest, static_cast<double>(part[2 * channels]) - rest * rest * count});
    }
    means[c] = static_cast<T>(all.mean);
    vars[c] = static_cast<T>(all.squares / all.count);
  }
  return result;
}

/// 1 / sqrt(var + eps)
/// Shapes   var, result (C)
/// Units    eps in units of x squared
template <class T>
Tensor<T> batch_norm_inv_std(const Tensor<T>& var, double eps) {
  Tensor<T> inv_std(var.shape());
  inv_std.mutable_array() = (var.array() + static_cast<T>(eps)).sqrt().inverse();
  return inv_std;
}

/// y = weight (x - mean) inv_std + bias
/// Shapes   x, y (..., C); mean, inv_std (C); weight, bias (C), or empty for 1 and 0
/// Errors   ShapeError where C differs
/// Memory   none if x is the only holder of its elements, else one tensor
template <class T>
Tensor<T> batch_norm(Tensor<T> x, const Tensor<T>& mean, const Tensor<T>& inv_std, const Tensor<T>& weight = {},
                     const Tensor<T>& bias = {}) {
  const Index channels = mean.numel();
  check::last_axis("batch_norm", "channels", x.shape(), channels);
  check::same_shape("batch_norm", "inv_std", inv_std.shape(), {channels});
  if (!weight.empty()) check::same_shape("batch_norm", "weight", weight.shape(), {channels});
  if (!bias.empty()) check::same_shape("batch_norm", "bias", bias.shape(), {channels});
  Tensor<T> scale = inv_std;
  if (!weight.empty()) scale.mutable_array() *= weight.array();
  const Tensor<T> shift = bias.empty() ? Tensor<T>::zeros({channels}) : bias;
  const T* from = x.data();
  Tensor<T> y = detail::reuse(x);
  T* to = y.mutable_data();
  parallel_for(y.shape().rows(), row_grain(channels), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      RowMap<T>(to + i * channels, channels) =
          (ConstRowMap<T>(from + i * channels, channels) - mean.array()) * scale.array() + shift.array();
    }
  });
  return y;
}

template <class T>
struct BatchNormGradients {
  Tensor<T> dx;       ///< (..., C)
  Tensor<T> dweight;  ///< (C)
  Tensor<T> dbias;    ///< (C)
};

/// Where mean and inv_std in batch_norm come from, which decides whether they depend on x.
enum class BatchNormSource {
  batch,    ///< from x itself, with batch_norm_statistics: training
  running,  ///< from elsewhere, so they are constants: evaluation
};

/// With m rows and x^ = (x - mean) inv_std: dbias = sum dy, dweight = sum dy x^, and
///   batch:    dx = weight inv_std (dy - dbias / m - x^ dweight / m)
///   running:  dx = weight inv_std dy
/// Shapes   dy, x, dx (..., C); mean, inv_std (C); weight (C), or empty for 1
/// Errors   ShapeError where shapes differ
/// Memory   dx takes the place of dy if nobody else holds it
/// Source   derived in docs/derivations.md
template <class T>
BatchNormGradients<T> batch_norm_backward(Tensor<T> dy, const Tensor<T>& x, const Tensor<T>& mean,
                                          const Tensor<T>& inv_std, const Tensor<T>& weight, BatchNormSource source) {
  check::same_shape("batch_norm_backward", "gradient of the output", dy.shape(), x.shape());
  const Index rows = x.shape().rows();
  const Index channels = mean.numel();
  check::last_axis("batch_norm_backward", "channels", x.shape(), channels);
  check::same_shape("batch_norm_backward", "inv_std", inv_std.shape(), {channels});
  if (!weight.empty()) check::same_shape("batch_norm_backward", "weight", weight.shape(), {channels});
  const auto gradient = [&](Index i) { return ConstRowMap<T>(dy.data() + i * channels, channels); };
  const auto centred = [&](Index i) { return ConstRowMap<T>(x.data() + i * channels, channels) - mean.array(); };
  const Tensor<T> sums = reduce_rows<T>(rows, channels, 2 * channels, [&](Index begin, Index end, T* to) {
    RowMap<T> sum(to, channels);
    RowMap<T> product(to + channels, channels);
    for (Index i = begin; i < end; ++i) {
      sum += gradient(i);
      product += gradient(i) * centred(i);
    }
  });
  BatchNormGradients<T> result{{}, Tensor<T>({channels}), Tensor<T>({channels})};
  result.dbias.mutable_array() = sums.array().head(channels);
  result.dweight.mutable_array() = sums.array().tail(channels) * inv_std.array();

  Tensor<T> scale = inv_std;  // of dy
  if (!weight.empty()) scale.mutable_array() *= weight.array();
  Tensor<T> offset = Tensor<T>::zeros({channels});  // dx = scale dy - offset - slope (x - mean)
  Tensor<T> slope = Tensor<T>::zeros({channels});
  if (source == BatchNormSource::batch) {
    const T share = T(1) / static_cast<T>(rows);
    offset.mutable_array() = scale.array() * result.dbias.array() * share;
    slope.mutable_array() = scale.array() * result.dweight.array() * inv_std.array() * share;
  }
  const T* from = dy.data();
  Tensor<T> dx = detail::reuse(dy);
  T* to = dx.mutable_data();
  parallel_for(rows, row_grain(channels), [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      RowMap<T>(to + i * channels, channels) =
          ConstRowMap<T>(from + i * channels, channels) * scale.array() - offset.array() - centred(i) * slope.array();
    }
  });
  result.dx = std::move(dx);
  return result;
}

}  // namespace eigengrad::ops
