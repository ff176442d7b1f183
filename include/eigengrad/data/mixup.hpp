// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <eigengrad/core/random.hpp>
#include <eigengrad/data/dataset.hpp>

// Mixup: every sample is blended with another one, and its target with that of the other.
//   data::MixUp train{split.train, /*seed=*/42, {.alpha = 0.2, .num_classes = 10}};
//   nn::SoftmaxCrossEntropy loss;                       // takes the blended targets, class probabilities

namespace eigengrad::EIGENGRAD_ISA::data {

namespace detail {

/// The logarithm of a number that is gamma distributed with that shape, a > 0, and scale 1; for a small shape the
/// number itself would be 0.
/// Source   Marsaglia & Tsang, A simple method for generating gamma variables, 2000
inline double log_gamma_number(double a, Rng& rng) {
  double boost = 0.0;
  if (a < 1.0) {  // one of shape a + 1, times u^(1/a)
    boost = exact_log(1.0 - rng.uniform()) / a;
    a += 1.0;
  }
  // Explicit fused multiply-adds: every compiler shall compare and return the same bits.
  const double d = a - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    const double x = rng.normal();
    const double root = std::fma(c, x, 1.0);
    if (root <= 0.0) continue;
    const double v = root * root * root;
    const double log_v = exact_log(v);
    if (exact_log(1.0 - rng.uniform()) < std::fma(0.5 * x, x, d * (1.0 - v + log_v))) {
      return exact_log(d) + log_v + boost;
    }
  }
}

/// A number from 0 to 1 that is Beta(a, a) distributed, a > 0: the share of one of two gamma distributed numbers.
inline double beta_number(double a, Rng& rng) {
  const double one = log_gamma_number(a, rng);
  const double other = log_gamma_number(a, rng);
  constexpr double kLargest = 700.0;
  if (other - one > kLargest) return 0.0;
  if (one - other > kLargest) return 1.0;
  return 1.0 / (1.0 + exact_exp(other - one));
}

}  // namespace detail

struct MixUpOptions {
  double alpha = 1.0;     ///< the share of the sample is Beta(alpha, alpha) distributed: small, mostly near 0 or 1
  Index num_classes = 0;  ///< of the data set; must be given
};

/// A data set of blends: l x_i + (1 - l) x_j is the input for sample i, and the target has l at the class of i and the
/// rest at that of j. What l is, and which sample j, any of the data set, depends on the seed, the epoch and the number
/// of the sample alone. batch(samples) without an epoch is of epoch 0. The data set makes twice as many samples.
/// Shapes   inputs as the data set's; targets (N, C)
/// Source   Zhang, Cisse, Dauphin & Lopez-Paz, mixup: beyond empirical risk minimization, 2018
/// Errors   ValueError for options out of range or a data set without samples; batch: ValueError for a label outside
///          0 ... num_classes - 1, and what the data set throws
template <Dataset D>
class MixUp {
 public:
  using Scalar = typename decltype(batch_of<D>::inputs)::Scalar;
  using BatchType = Batch<Scalar, Scalar>;
  static_assert(std::same_as<decltype(batch_of<D>::targets), Tensor<Index>>, "MixUp needs a data set with labels");
  static_assert(std::floating_point<Scalar>, "MixUp needs inputs that are floating-point numbers");

  EIGENGRAD_COLD MixUp(D dataset, std::uint64_t seed, const MixUpOptions& options)
      : dataset_(std::move(dataset)), seed_(seed), options_(options) {
    detail::check::above_zero("MixUp", "alpha", options.alpha);
    detail::check::above_zero("MixUp", "num_classes", options.num_classes);
    detail::check::above_zero("MixUp", "number of samples", dataset_.size());
  }

  Index size() const { return dataset_.size(); }
  Shape input_shape(Index count) const requires HasInputShape<D> { return dataset_.input_shape(count); }
  /// The data set as it is, not blended.
  const D& dataset() const { return dataset_; }

  BatchType batch(std::span<const Index> samples, Index epoch = 0, BatchType storage = {}) const {
    std::vector<Index> partners;
    std::vector<double> shares;
    for (const Index sample : samples) {
      Rng rng(seed_, kMixUpStreams + detail::stream_of(epoch, sample));
      partners.push_back(rng.below(size()));
      shares.push_back(detail::beta_number(options_.alpha, rng));
    }
    batch_of<D> own_storage{};
    own_storage.inputs = std::move(storage.inputs);
    batch_of<D> own = make_batch(dataset_, samples, epoch, std::move(own_storage));
    const batch_of<D> other = make_batch(dataset_, partners, epoch);
    detail::check::same_shape("MixUp", "inputs of the other samples", other.inputs.shape(), own.inputs.shape());
    blend(own.inputs, other.inputs, shares);
    return {std::move(own.inputs), targets(own.targets, other.targets, shares, std::move(storage.targets))};
  }

 private:
  static void blend(Tensor<Scalar>& own, const Tensor<Scalar>& other, const std::vector<double>& shares) {
    if (own.empty()) return;
    const auto count = static_cast<Index>(shares.size());
    const Index numbers = own.numel() / count;
    Scalar* x = own.mutable_data();
    constexpr Index kSamples = 8;
    parallel_for(count, kSamples, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const auto share = static_cast<Scalar>(shares[static_cast<std::size_t>(i)]);
        Scalar* to = x + i * numbers;
        const Scalar* from = other.data() + i * numbers;
        for (Index k = 0; k < numbers; ++k) to[k] = share * to[k] + (Scalar(1) - share) * from[k];
      }
    });
  }

  Tensor<Scalar> targets(const Tensor<Index>& own, const Tensor<Index>& other, const std::vector<double>& shares,
                         Tensor<Scalar> storage) const {
    const auto count = static_cast<Index>(shares.size());
    const Index classes = options_.num_classes;
    const Shape labels{count};
    detail::check::same_shape("MixUp", "labels", own.shape(), labels);
    detail::check::same_shape("MixUp", "labels", other.shape(), labels);
    Tensor<Scalar> result = recycle(std::move(storage), {count, classes});
    result.mutable_array().setZero();
    Scalar* row = result.mutable_data();
    for (Index i = 0; i < count; ++i, row += classes) {
      const auto share = static_cast<Scalar>(shares[static_cast<std::size_t>(i)]);
      row[checked_label(own.data()[i])] += share;
      row[checked_label(other.data()[i])] += Scalar(1) - share;
    }
    return result;
  }

  Index checked_label(Index label) const {
    if (label >= 0 && label < options_.num_classes) return label;
    throw ValueError(error_text("MixUp: label ", label, ", expected 0 to ", options_.num_classes - 1));
  }

  D dataset_;
  std::uint64_t seed_;
  MixUpOptions options_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
