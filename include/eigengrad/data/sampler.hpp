// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/random.hpp>
#include <eigengrad/core/tensor.hpp>

// Which samples make an epoch of a Loader, if it is not each once.
//   const data::WeightedRandomSampler balanced{data::balanced_weights(train.targets())};
//   data::Loader loader{train, {.batch_size = 32, .epochs = 10, .sampler = balanced}};

namespace eigengrad::EIGENGRAD_ISA::data {

/// An epoch is so many draws from all samples, with replacement: each draw takes a sample with a probability in
/// proportion to its weight, so a sample may come several times in an epoch, or not at all.
/// Source   as torch.utils.data.WeightedRandomSampler with replacement
struct WeightedRandomSampler {
  std::vector<double> weights;  ///< one for each sample, 0 or more, not all 0; they need not add up to 1
  Index num_samples = 0;        ///< draws in an epoch; 0 for as many as there are weights
};

/// Weights that make every label as frequent as the others: 1 / (number of samples with the same label).
/// Shapes   labels (N)
/// Errors   ShapeError for labels of another rank
EIGENGRAD_COLD inline std::vector<double> balanced_weights(const Tensor<Index>& labels) {
  detail::check::same_shape("balanced_weights", "labels", labels.shape(), {labels.numel()});
  std::vector<Index> sorted(labels.data(), labels.data() + labels.numel());
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> weights;
  for (const Index label : labels.span()) {
    const auto [begin, end] = std::equal_range(sorted.begin(), sorted.end(), label);
    weights.push_back(1.0 / static_cast<double>(end - begin));
  }
  return weights;
}

namespace detail {

/// How the samples of an epoch are drawn.
class Draws {
 public:
  Draws() = default;
  Draws(const Draws&) = delete;
  Draws& operator=(const Draws&) = delete;
  virtual ~Draws() = default;
  /// How many there are in an epoch of a data set with so many samples.
  /// Errors   ValueError if they cannot be drawn from so many
  virtual Index count(Index samples) const = 0;
  virtual void draw(std::vector<Index>& order, Rng& rng) const = 0;
  /// A number that tells them from others, and is not 0.
  virtual std::uint64_t fingerprint() const = 0;
};

class WeightedDraws final : public Draws {
 public:
  /// Errors   ValueError for a weight that is negative or not finite, a sum that is not finite or 0, a negative
  ///          num_samples
  EIGENGRAD_COLD explicit WeightedDraws(const WeightedRandomSampler& sampler) : num_samples_(sampler.num_samples) {
    check::at_least(kName, "num_samples", num_samples_, Index{0});
    double sum = 0.0;
    for (const double weight : sampler.weights) {
      check::at_least(kName, "weight", weight, 0.0);
      sums_.push_back(sum += weight);
    }
    check::above_zero(kName, "sum of the weights", sum);
  }

  Index count(Index samples) const override {
    if (static_cast<Index>(sums_.size()) != samples)
      throw ValueError(error_text(kName, ": ", sums_.size(), " weights for ", samples, " samples"));
    return num_samples_ == 0 ? samples : num_samples_;
  }

  void draw(std::vector<Index>& order, Rng& rng) const override {
    const double total = sums_.back();
    for (Index& sample : order) {
      auto found = std::upper_bound(sums_.begin(), sums_.end(), rng.uniform() * total);
      // The product may be rounded up to the total: then it is the last sample that has a weight.
      if (found == sums_.end()) found = std::lower_bound(sums_.begin(), sums_.end(), total);
      sample = found - sums_.begin();
    }
  }

  /// Source   Fowler, Noll & Vo, FNV-1a
  std::uint64_t fingerprint() const override {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const double sum : sums_) {
      const auto bits = std::bit_cast<std::uint64_t>(sum);
      for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ (bits >> shift & 0xFFU)) * 0x100000001B3U;
    }
    return hash == 0 ? 1 : hash;
  }

 private:
  static constexpr const char* kName = "WeightedRandomSampler";

  std::vector<double> sums_;  // of the weights up to each
  Index num_samples_;
};

}  // namespace detail

/// What a Loader takes: a sampler or, by default, none. A program without one has no code for any. Copies share it.
class Sampler {
 public:
  Sampler() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a sampler is to be written where one is expected
  Sampler(const WeightedRandomSampler& sampler) : draws_(std::make_shared<detail::WeightedDraws>(sampler)) {}

  explicit operator bool() const { return draws_ != nullptr; }
  const detail::Draws* operator->() const { return draws_.get(); }

 private:
  std::shared_ptr<const detail::Draws> draws_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
