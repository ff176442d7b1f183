// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <numeric>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <eigengrad/core/fork.hpp>
#include <eigengrad/core/random.hpp>
#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/prefetch.hpp>
#include <eigengrad/data/sampler.hpp>

// What a Loader is made of: the orders of the samples, the making of batches, and their memory.

namespace eigengrad::EIGENGRAD_ISA::data::detail {

/// The last batches that were handed out. One that nobody else holds any more is storage for another.
template <class B>
class KeptBatches {
 public:
  /// A free batch of that many samples; if there is none, a new one in the shape of the last. Nothing before the
  /// first.
  EIGENGRAD_CALLED std::optional<B> take(Index count) {
    if (inputs_.rank() == 0 || targets_.rank() == 0) return std::nullopt;
    const Shape inputs = inputs_.with(0, count);
    for (std::optional<B>& batch : kept_) {
      if (!batch || !batch->inputs.unique() || !batch->targets.unique() || batch->inputs.shape() != inputs) continue;
      return std::exchange(batch, std::nullopt);
    }
    B fresh{};
    fresh.inputs = decltype(fresh.inputs)(inputs);
    fresh.targets = decltype(fresh.targets)(targets_.with(0, count));
    return fresh;
  }

  /// Keeps a batch, in the place of one that the caller has held for long if there is no free place.
  EIGENGRAD_CALLED void keep(const B& batch) {
    inputs_ = batch.inputs.shape();
    targets_ = batch.targets.shape();
    for (std::optional<B>& place : kept_) {
      if (place) continue;
      place = batch;
      return;
    }
    kept_[next_] = batch;
    next_ = (next_ + 1) % kept_.size();
  }

 private:
  // A network holds a batch until it has the next one, and a third is made: three of a size, or two each of two sizes.
  std::array<std::optional<B>, 4> kept_;
  Shape inputs_;  // of the last one
  Shape targets_;
  std::size_t next_ = 0;
};

/// Some samples of an epoch's order, one after the other.
struct Slice {
  Index epoch;
  Index begin;
  Index count;
};

/// Makes the batches of a loader, when they are asked for or ahead of that.
template <Dataset D>
class BatchMaker {
 public:
  using BatchType = batch_of<D>;

  /// What a sampler draws takes the place of the order, shuffled or not.
  BatchMaker(D dataset, bool shuffle, std::uint64_t seed, const Sampler& sampler)
      : dataset_(std::move(dataset)),
        shuffle_(shuffle),
        seed_(seed),
        sampler_(sampler),
        order_(static_cast<std::size_t>(sampler ? sampler->count(dataset_.size()) : dataset_.size())),
        background_(Make{this}) {}

  const D& dataset() const { return dataset_; }
  /// How many samples an epoch has.
  Index epoch_size() const { return static_cast<Index>(order_.size()); }

  /// Begins to make a batch that the next get() asks for. If memory is short get() makes it, and says so.
  void begin(const Slice& slice) {
    try {
      choose(slice);
      begun_ = background_.begin();
    } catch (const MemoryError&) {
    } catch (const std::bad_alloc&) {
    }
  }

  /// Drops the batch that begin() has begun.
  void forget() {
    if (!std::exchange(begun_, false)) return;
    try {
      background_.take();
    } catch (...) {  // an error of a batch that nobody asks for
    }
  }

  BatchType get(const Slice& slice) {
    if (std::exchange(begun_, false)) return kept(background_.take());
    choose(slice);
    // A fork of another thread waits for it, as for one that is made ahead: the data set may hold a lock.
    const detail::BackgroundWork::Scope not_torn_by_a_fork(detail::background_work);
    return kept(make());
  }

 private:
  struct Make {
    BatchMaker* maker;
    BatchType operator()() const { return maker->make(); }
  };

  // The caller finds the storage, not the thread: what is free, in a loader and in the pool, depends on the moment, and
  // so would the memory that a run takes.
  void choose(const Slice& slice) {
    slice_ = slice;
    if constexpr (TakesStorage<D>) storage_ = kept_.take(slice.count);
  }

  BatchType kept(BatchType batch) {
    if constexpr (TakesStorage<D>) kept_.keep(batch);
    return batch;
  }

  EIGENGRAD_CALLED BatchType make() {
    if (order_epoch_ != slice_.epoch) reorder(slice_.epoch);
    const auto samples = std::span<const Index>(order_).subspan(static_cast<std::size_t>(slice_.begin),
                                                                static_cast<std::size_t>(slice_.count));
    return make_batch(dataset_, samples, slice_.epoch, std::exchange(storage_, std::nullopt));
  }

  EIGENGRAD_CALLED void reorder(Index epoch) {
    order_epoch_ = epoch;
    Rng rng(seed_, kLoaderStreams + static_cast<std::uint64_t>(epoch));
    if (sampler_) return sampler_->draw(order_, rng);
    std::iota(order_.begin(), order_.end(), Index{0});
    if (shuffle_) eigengrad::shuffle(order_, rng);
  }

  struct Nothing {};

  D dataset_;
  bool shuffle_;
  std::uint64_t seed_;
  Sampler sampler_;
  std::vector<Index> order_;  // of the samples, in order_epoch_
  Index order_epoch_ = -1;
  Slice slice_{};
  std::optional<BatchType> storage_;
  std::conditional_t<TakesStorage<D>, KeptBatches<BatchType>, Nothing> kept_;
  bool begun_ = false;
  Background<Make> background_;  // ends first
};

}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
