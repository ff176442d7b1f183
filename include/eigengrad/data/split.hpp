// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigengrad/core/random.hpp>
#include <eigengrad/data/dataset.hpp>

// Parts of a data set, which share its memory.
//   auto [train, validation] = data::split(dataset, {0.8, 0.2}, /*seed=*/1);
//   auto [train, validation, test] = data::split(dataset, {0.7, 0.15, 0.15}, 1, {.stratified = true});
//   data::Subset first{dataset, {0, 1, 2}};

namespace eigengrad::EIGENGRAD_ISA::data {

/// Some samples of a data set, which are numbered anew from 0.
/// Errors   ValueError for a sample that the data set has not
template <Dataset D>
class Subset {
 public:
  Subset(D dataset, std::vector<Index> samples) : dataset_(std::move(dataset)), samples_(std::move(samples)) {
    detail::check_samples("Subset", samples_, dataset_.size());
    if constexpr (kHasTargets) targets_ = detail::gather(dataset_.targets(), samples_, {});
  }

  /// The whole data set, and which samples of it these are.
  const D& dataset() const { return dataset_; }
  const std::vector<Index>& samples() const { return samples_; }

  Index size() const { return static_cast<Index>(samples_.size()); }
  Shape input_shape(Index count) const requires HasInputShape<D> { return dataset_.input_shape(count); }
  const auto& targets() const requires requires(const D& dataset) { dataset.targets(); }
  { return targets_; }

  batch_of<D> batch(std::span<const Index> samples, Index epoch = 0) const {
    return make_batch(dataset_, of_dataset(samples), epoch);
  }
  batch_of<D> batch(std::span<const Index> samples, Index epoch, batch_of<D> storage) const requires TakesStorage<D> {
    return make_batch(dataset_, of_dataset(samples), epoch, std::move(storage));
  }

 private:
  static constexpr bool kHasTargets = requires(const D& dataset) { dataset.targets(); };
  struct Nothing {};
  template <class Set, bool kHas>
  struct TargetsOf {
    using type = Nothing;
  };
  template <class Set>
  struct TargetsOf<Set, true> {
    using type = std::remove_cvref_t<decltype(std::declval<const Set&>().targets())>;
  };

  std::vector<Index> of_dataset(std::span<const Index> samples) const {
    detail::check_samples("Subset", samples, size());
    std::vector<Index> result;
    result.reserve(samples.size());
    for (const Index sample : samples) result.push_back(samples_[static_cast<std::size_t>(sample)]);
    return result;
  }

  D dataset_;
  std::vector<Index> samples_;
  [[no_unique_address]] typename TargetsOf<D, kHasTargets>::type targets_;
};

struct SplitOptions {
  bool stratified = false;  ///< every label has its share in every part; needs a data set with labels as targets()
};

namespace detail {

/// Cuts the samples at the shares, rounded to whole samples, so that no sample is in two parts or in none that should
/// be in one.
EIGENGRAD_COLD inline void cut(const std::vector<Index>& samples, std::span<const double> shares,
                               std::span<std::vector<Index>> parts) {
  double end = 0.0;
  std::size_t begin = 0;
  for (std::size_t part = 0; part < shares.size(); ++part) {
    end += shares[part];
    const auto until =
        std::min(static_cast<std::size_t>(std::llround(end * static_cast<double>(samples.size()))), samples.size());
    for (; begin < until; ++begin) parts[part].push_back(samples[begin]);
  }
}

EIGENGRAD_COLD inline void check_shares(std::span<const double> shares) {
  double sum = 0.0;
  for (const double share : shares) {
    check::between("split", "share", share, 0.0, 1.0);
    sum += share;
  }
  if (sum > 1.0 + 1e-9) throw ValueError(error_text("split: the shares are ", sum, " together, expected at most 1"));
}

}  // namespace detail

/// Parts of a data set that hold those shares of its samples, chosen at random: the same seed, the same parts. What the
/// shares leave over is in no part.
/// Errors   ValueError for a share that is not between 0 and 1, for shares of more than 1 together, or a part that
///          would have no sample
template <Dataset D, std::size_t N>
EIGENGRAD_COLD std::array<Subset<D>, N> split(const D& dataset, const double (&shares)[N], std::uint64_t seed,
                                              const SplitOptions& options = {}) {
  detail::check_shares(shares);
  Rng rng(seed, kSplitStreams);
  std::array<std::vector<Index>, N> parts;
  std::map<Index, std::vector<Index>> strata;
  const auto stratum_of = [&]([[maybe_unused]] Index sample) -> Index {
    if (!options.stratified) return 0;
    if constexpr (requires {
                    { dataset.targets() } -> std::convertible_to<const Tensor<Index>&>;
                  })
      return dataset.targets().data()[sample];
    throw ValueError("split: stratified needs a data set with labels as its targets()");
  };
  for (Index sample = 0; sample < dataset.size(); ++sample) strata[stratum_of(sample)].push_back(sample);
  for (auto& [label, samples] : strata) {
    shuffle(samples, rng);
    detail::cut(samples, shares, parts);
  }
  for (std::size_t part = 0; part < N; ++part) {
    if (parts[part].empty())
      throw ValueError(error_text("split: part ", part, " has no sample: ", shares[part], " of ", dataset.size()));
    std::sort(parts[part].begin(), parts[part].end());  // in the order of the memory
  }
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<Subset<D>, N>{Subset<D>(dataset, std::move(parts[I]))...};
  }
  (std::make_index_sequence<N>{});
}

}  // namespace eigengrad::EIGENGRAD_ISA::data
