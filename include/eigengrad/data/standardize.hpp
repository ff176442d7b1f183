// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/parallel.hpp>

// Features, or targets, with mean 0 and standard deviation 1. It is a layer with two buffers: in front of a network it
// is saved with it, and the network takes the numbers as they were measured; alone it is saved like a network.
//   nn::Sequential net{data::Standardize{inputs}, nn::Linear{8, 64}, nn::ReLU{}, nn::Linear{64, 1}};
//   data::Standardize price{targets};
//   data::TensorDataset houses{inputs, price(targets)};
//   auto predicted = price.inverse(net.forward(new_inputs, Mode::inference));
// For images of bytes there is data/normalize.hpp.

namespace eigengrad::EIGENGRAD_ISA::data {

namespace detail {

/// Of each column, in double: the mean, and the deviation with all rows in the denominator. Both are exact for a column
/// that never changes: its own value, and 0.
struct ColumnFigures {
  std::vector<double> mean, deviation;
};

/// Errors   ValueError naming row and column of a number that is not finite, or the column if squares are too large
template <class T>
[[noreturn]] EIGENGRAD_COLD void refuse_column(const Tensor<T>& data, Index column) {
  const auto numbers = data.matrix();
  for (Index row = 0; row < numbers.rows(); ++row) {
    if (check::finite(numbers(row, column))) continue;
    throw ValueError(error_text("Standardize: row ", row, ", column ", column, " is ", numbers(row, column),
                                ", expected a finite number"));
  }
  throw ValueError(error_text("Standardize: column ", column, " has numbers too large for their variance"));
}

template <class T>
ColumnFigures column_figures(const Tensor<T>& data) {
  const Index rows = data.shape().rows();
  const auto features = static_cast<std::size_t>(data.shape().cols());
  const auto count = static_cast<double>(rows);
  const std::vector<double> first(data.data(), data.data() + features);
  std::vector<double> sums(features, 0.0), mean(features), deviation(features);
  const T* x = data.data();
  for (Index row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < features; ++i) sums[i] += static_cast<double>(*x++) - first[i];
  }
  for (std::size_t i = 0; i < features; ++i) mean[i] = first[i] + sums[i] / count;
  std::fill(sums.begin(), sums.end(), 0.0);
  x = data.data();
  for (Index row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < features; ++i) {
      const double difference = static_cast<double>(*x++) - mean[i];
      sums[i] += difference * difference;
    }
  }
  for (std::size_t i = 0; i < features; ++i) {
    if (!check::finite(sums[i])) refuse_column(data, static_cast<Index>(i));
    deviation[i] = std::sqrt(sums[i] / count);
  }
  return {std::move(mean), std::move(deviation)};
}

}  // namespace detail

/// y = (x - mean) / deviation for every feature by itself, with the figures of the data that it was made from, as
/// scikit-learn's StandardScaler. A feature that never changes there has the deviation 1, so it is only shifted. NaN
/// in what it is applied to stays NaN.
/// Shapes   x, y (N, features), or any axes before the features
/// Units    y in standard deviations, which are those of all the data, not of a sample: divided by N
/// Errors   ShapeError for another number of features, for data without a row or without an axis of rows; ValueError
///          naming row and column if data are not finite, or the column if squares of a deviation are not
template <class T = float>
class Standardize {
 public:
  /// Learns the figures: those of the training part are for all parts.
  explicit Standardize(const Tensor<T>& data) : Standardize(features_of(data.shape())) {
    const detail::ColumnFigures figures = detail::column_figures(data);
    for (Index i = 0; i < features_; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const T scale = static_cast<T>(figures.deviation[at]);
      mean.mutable_data()[i] = static_cast<T>(figures.mean[at]);
      if (scale > T(0)) deviation.mutable_data()[i] = scale;
    }
  }
  /// Changes nothing until it is loaded.
  /// Errors   ValueError for no features
  explicit Standardize(Index features) : features_(features) {
    detail::check::above_zero("Standardize", "features", features);
    mean = Tensor<T>::zeros({features});
    deviation = Tensor<T>::ones({features});
  }

  Tensor<T> operator()(Tensor<T> x) const {
    return apply(std::move(x), [](T value, T center, T scale) { return (value - center) / scale; });
  }
  /// Back to the units of the data: of predictions, if the targets were standardised.
  Tensor<T> inverse(Tensor<T> y) const {
    return apply(std::move(y), [](T value, T center, T scale) { return value * scale + center; });
  }

  EIGENGRAD_CALLED Shape output_shape(const Shape& x) const {
    detail::check::last_axis(*this, "features", x, features_);
    return x;
  }
  Tensor<T> forward(Tensor<T> x, Mode mode) {
    kept_.reset();
    Tensor<T> y = (*this)(std::move(x));
    if (remembers(mode)) kept_ = y.shape();
    return y;
  }
  Tensor<T> backward(Tensor<T> dy) {
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), *kept_);
    return apply(std::move(dy), [](T gradient, T, T scale) { return gradient / scale; });
  }
  void visit(auto&& f) {
    f("mean", mean);
    f("deviation", deviation);
  }
  EIGENGRAD_COLD std::string description() const { return error_text("Standardize ", features_); }

  Tensor<T> mean;       ///< (features)
  Tensor<T> deviation;  ///< (features), not 0

 private:
  static Index features_of(const Shape& data) {
    if (data.rank() >= 2 && data.numel() > 0) return data[-1];
    throw ShapeError(error_text("Standardize: data have shape ", data, ", expected (N, features) with a row"));
  }

  /// f(element, mean, deviation) for each element.
  template <class F>
  Tensor<T> apply(Tensor<T> x, const F& f) const {
    output_shape(x.shape());
    detail::check::state(*this, "mean", mean.shape(), {features_});
    detail::check::state(*this, "deviation", deviation.shape(), {features_});
    const T* const centers = mean.data();
    const T* const scales = deviation.data();
    T* const to = x.mutable_data();
    constexpr Index kElements = 1 << 14;
    parallel_for(x.empty() ? 0 : x.shape().rows(), kElements / features_, [&](Index begin, Index end) {
      for (Index row = begin; row < end; ++row) {
        T* const values = to + row * features_;
        for (Index i = 0; i < features_; ++i) values[i] = f(values[i], centers[i], scales[i]);
      }
    });
    return x;
  }

  Index features_;
  Kept<Shape> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
