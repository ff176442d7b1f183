// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include <eigengrad/data/batch_maker.hpp>

// Loader: a data set as a sequence of shuffled batches.
//   for (const auto& [images, labels] : data::Loader{train, {.batch_size = 200, .epochs = 5}}) { ... }

namespace eigengrad::EIGENGRAD_ISA::data {

struct LoaderOptions {
  Index batch_size = 32;
  Index epochs = 1;        ///< passes over the data set; kEndless for no end
  bool shuffle = true;     ///< a new order every epoch
  bool drop_last = false;  ///< leave out the last batch of an epoch if it would be smaller
  std::uint64_t seed = 0;  ///< of the orders: the same seed gives the same batches
  bool prefetch = false;   ///< prepare the next batch on another thread while this one is used; the same batches
  Sampler sampler = {};    ///< an epoch is its draws, instead of every sample once
};

/// Where a loader is, and what that means anything for.
struct LoaderState {
  Index epoch = 0;       ///< of the next batch
  Index batch = 0;       ///< the next one in its epoch
  Index last_epoch = 0;  ///< where the pass ends: the first epoch that is not part of it
  Index samples = 0;     ///< in an epoch
  Index batch_size = 0;
  bool shuffle = true;
  bool drop_last = false;
  std::uint64_t seed = 0;
  std::uint64_t sampler = 0;  ///< tells the weights of a sampler from others; 0 without one

  bool operator==(const LoaderState&) const = default;
};

inline constexpr Index kEndless = std::numeric_limits<Index>::max();

/// Every sample once an epoch, or what a sampler draws. The last batch of an epoch has what is left, unless drop_last.
/// With a data set that TakesStorage a batch is made in the memory of one that the caller has let go of: let go before
/// next(). The loader itself holds its last batches, so a caller that writes into one gets a copy.
/// A copy goes on from where the loader is; one that was moved from can be assigned to and destroyed.
/// Errors   ValueError for a batch_size or a number of epochs below 1, if an epoch would have no batch, for weights of
///          a sampler that do not fit the data set or cannot be drawn by, or a sampler with shuffle = false; next()
///          throws what the data set throws, and the next call asks for the same batch again
template <Dataset D>
class Loader {
 public:
  using BatchType = batch_of<D>;

  EIGENGRAD_COLD explicit Loader(D dataset, const LoaderOptions& options = {})
      : options_(options),
        maker_(std::make_unique<detail::BatchMaker<D>>(std::move(dataset), options.shuffle, options.seed,
                                                       options.sampler)),
        samples_(maker_->epoch_size()) {
    if (options.sampler && !options.shuffle)
      throw ValueError("Loader: shuffle is false, but a sampler always draws at random");
    detail::check::above_zero("Loader", "batch_size", options.batch_size);
    detail::check::above_zero("Loader", "epochs", options.epochs);
    detail::check::above_zero("Loader", "number of batches in an epoch", batches_per_epoch());
  }
  Loader(const Loader& other) : Loader(other.dataset(), other.options_) {
    epoch_ = other.epoch_;
    last_epoch_ = other.last_epoch_;
    batch_ = other.batch_;
  }
  Loader(Loader&&) noexcept = default;
  Loader& operator=(const Loader& other) { return *this = Loader(other); }
  Loader& operator=(Loader&&) noexcept = default;
  ~Loader() = default;

  const D& dataset() const { return maker_->dataset(); }

  Index batches_per_epoch() const {
    const Index whole = samples_ / options_.batch_size;
    const bool smaller_one = samples_ % options_.batch_size != 0 && !options_.drop_last;
    return whole + (smaller_one ? 1 : 0);
  }
  /// The number of samples in a batch: that of the options, or all samples of an epoch if they are fewer.
  Index batch_size() const { return std::min(options_.batch_size, samples_); }
  /// The number of samples in the last batch of an epoch, which may be smaller than batch_size().
  Index last_batch_size() const { return count_of(batches_per_epoch() - 1); }

  /// True if the batches never end.
  bool endless() const { return options_.epochs == kEndless; }

  /// After the end of a pass: begins another over as many epochs, in new orders. Else does nothing.
  void begin_pass() {
    if (pass_is_over()) last_epoch_ += options_.epochs;
  }

  /// The next batch becomes the one with that number in that epoch. The pass ends where one that began at epoch 0 and
  /// was followed by others would have ended.
  /// Errors   ValueError for an epoch or a batch that there is not
  void seek(Index epoch, Index batch = 0) {
    detail::check::between("Loader", "epoch", epoch, Index{0}, kEndless / 2);
    detail::check::between("Loader", "batch", batch, Index{0}, batches_per_epoch() - 1);
    maker_->forget();
    epoch_ = epoch;
    batch_ = batch;
    last_epoch_ = (epoch / options_.epochs + 1) * options_.epochs;
  }

  /// Where it is: a loader that is built the same way and loads this returns the same batches from here on.
  LoaderState state() const {
    return {epoch_,
            batch_,
            last_epoch_,
            samples_,
            options_.batch_size,
            options_.shuffle,
            options_.drop_last,
            options_.seed,
            options_.sampler ? options_.sampler->fingerprint() : 0};
  }
  /// Errors   ValueError naming what differs if the state is of a loader with other batches, or cannot be
  EIGENGRAD_COLD void load_state(const LoaderState& state) {
    const LoaderState own = this->state();
    const auto same = [](const char* name, auto theirs, auto ours) {
      if (theirs != ours)
        throw ValueError(error_text("Loader: load_state: the state is of ", name, " ", theirs, ", expected ", ours));
    };
    same("number of samples", state.samples, own.samples);
    same("batch_size", state.batch_size, own.batch_size);
    same("shuffle", state.shuffle, own.shuffle);
    same("drop_last", state.drop_last, own.drop_last);
    same("seed", state.seed, own.seed);
    if (state.sampler != own.sampler)
      throw ValueError(
          "Loader: load_state: the state is of a sampler with other weights, or of none where there is one");
    detail::check::between("Loader", "last_epoch", state.last_epoch, Index{1}, kEndless);
    detail::check::between("Loader", "epoch", state.epoch, Index{0}, state.last_epoch);
    seek(std::min(state.epoch, kEndless / 2), state.batch);
    last_epoch_ = state.last_epoch;
  }

  /// The next batch; nothing after the last epoch of the pass.
  std::optional<BatchType> next() {
    if (pass_is_over()) return std::nullopt;
    std::optional<BatchType> batch = maker_->get(slice());
    if (++batch_ == batches_per_epoch()) {
      batch_ = 0;
      ++epoch_;
    }
    if (options_.prefetch && !pass_is_over()) maker_->begin(slice());
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
  bool pass_is_over() const { return epoch_ == last_epoch_; }
  Index count_of(Index batch) const { return std::min(options_.batch_size, samples_ - batch * options_.batch_size); }
  detail::Slice slice() const { return {epoch_, batch_ * options_.batch_size, count_of(batch_)}; }

  LoaderOptions options_;
  std::unique_ptr<detail::BatchMaker<D>> maker_;  // stays where it is: its thread works with it
  Index samples_;                                 // in an epoch
  Index epoch_ = 0;                               // of the next batch
  Index last_epoch_ = options_.epochs;            // where the pass ends
  Index batch_ = 0;                               // the next one in its epoch
};

}  // namespace eigengrad::EIGENGRAD_ISA::data
