// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <eigengrad/core/random.hpp>
#include <eigengrad/data/dataset.hpp>

// Loader: a data set as a sequence of shuffled batches.
//   for (const auto& [images, labels] : data::Loader{train, {.batch_size = 200, .epochs = 5}}) { ... }

namespace eigengrad::data {

struct LoaderOptions {
  Index batch_size = 32;
  Index epochs = 1;        ///< passes over the data set; kEndless for no end
  bool shuffle = true;     ///< a new order every epoch
  bool drop_last = false;  ///< leave out the last batch of an epoch where it would be smaller
  std::uint64_t seed = 0;  ///< of the orders: the same seed gives the same batches
};

inline constexpr Index kEndless = std::numeric_limits<Index>::max();

/// Every sample once an epoch. The last batch of an epoch has what is left, unless drop_last.
/// Errors   ValueError for a batch_size or a number of epochs below 1, or where an epoch would have no batch
template <Dataset D>
class Loader {
 public:
  using BatchType = decltype(std::declval<const D&>().batch(std::span<const Index>()));

  explicit Loader(D dataset, const LoaderOptions& options = {})
      : dataset_(std::move(dataset)), options_(options), order_(static_cast<std::size_t>(dataset_.size())) {
    check::above_zero("Loader", "batch_size", options.batch_size);
    check::above_zero("Loader", "epochs", options.epochs);
    check::above_zero("Loader", "number of batches in an epoch", batches_per_epoch());
    begin_epoch();
  }

  Index batches_per_epoch() const {
    const Index whole = dataset_.size() / options_.batch_size;
    const bool smaller_one = dataset_.size() % options_.batch_size != 0 && !options_.drop_last;
    return whole + (smaller_one ? 1 : 0);
  }

  /// True if the batches never end.
  bool endless() const { return options_.epochs == kEndless; }

  /// After the end of a pass: begins another over as many epochs, in new orders. Else does nothing.
  void begin_pass() {
    if (batch_ == batches_per_epoch() && epoch_ + 1 == last_epoch_) last_epoch_ += options_.epochs;
  }

  /// The next batch; nothing after the last epoch of the pass.
  std::optional<BatchType> next() {
    if (batch_ == batches_per_epoch()) {
      if (epoch_ + 1 >= last_epoch_) return std::nullopt;
      ++epoch_;
      begin_epoch();
    }
    const Index begin = batch_ * options_.batch_size;
    const Index count = std::min(options_.batch_size, dataset_.size() - begin);
    BatchType batch = dataset_.batch(
        std::span<const Index>(order_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)));
    ++batch_;
    return batch;
  }

  /// Goes through what next() returns.
  class Iterator {
   public:
    using value_type = BatchType;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Loader& loader) : loader_(&loader), batch_(loader.next()) {}
    const BatchType& operator*() const { return *batch_; }
    Iterator& operator++() {
      batch_.reset();  // its memory serves the next one
      batch_ = loader_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !batch_; }

   private:
    Loader* loader_;
    std::optional<BatchType> batch_;
  };

  /// The rest of this pass or, after its end, the next one.
  Iterator begin() {
    begin_pass();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  void begin_epoch() {
    batch_ = 0;
    std::iota(order_.begin(), order_.end(), Index{0});
    if (!options_.shuffle) return;
    Rng rng(options_.seed, kLoaderStreams + static_cast<std::uint64_t>(epoch_));
    eigengrad::shuffle(order_, rng);
  }

  D dataset_;
  LoaderOptions options_;
  std::vector<Index> order_;
  Index epoch_ = 0;
  Index last_epoch_ = options_.epochs;  // where the pass ends
  Index batch_ = 0;                     // the next one in this epoch
};

}  // namespace eigengrad::data
