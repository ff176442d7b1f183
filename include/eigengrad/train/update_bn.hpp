// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <eigengrad/data/loader.hpp>
#include <eigengrad/nn/state.hpp>

// train::update_bn(net, train_set);                          // after the weights have been changed by other than steps
// train::update_bn(net, train_set, {.batch_size = 200, .max_batches = 50});

namespace eigengrad::EIGENGRAD_ISA::train {

struct UpdateBnOptions {
  Index batch_size = 128;
  Index max_batches = data::kEndless;  ///< or fewer, if the data set ends first
};

/// Computes the running statistics of batch norm anew: they become the means over batches of the data set, in an order
/// drawn from a fixed seed, as torch.optim.swa_utils.update_bn. Parameters and random streams are left as they are. A
/// network that shows no Momentum in its visit is not run at all.
/// Errors   ValueError for a batch_size or max_batches below 1 or a data set without samples; those of forward
template <class Net, data::Dataset D>
void update_bn(Net& net, const D& dataset, const UpdateBnOptions& options = {}) {
  namespace check = eigengrad::detail::check;
  check::above_zero("update_bn", "batch_size", options.batch_size);
  check::above_zero("update_bn", "max_batches", options.max_batches);

  /// Gives everything back, whatever ends the pass.
  struct Pass {
    Net& net;
    std::vector<std::pair<Momentum*, Momentum>> momenta = {};
    nn::RandomStreams streams = {};

    explicit Pass(Net& network) : net(network), streams(nn::random_streams(network)) {
      visit(net, {.momentum = [this](std::string_view, Momentum& m) { momenta.emplace_back(&m, m); }});
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() {
      for (const auto& [place, before] : momenta) *place = before;
      nn::load_random_streams(net, streams);
    }
  } pass(net);

  if (pass.momenta.empty()) return;
  const Index batch_size = std::min(options.batch_size, std::max(dataset.size(), Index{1}));
  data::Loader loader{dataset, {.batch_size = batch_size, .drop_last = true}};
  const Index batches = std::min(options.max_batches, loader.batches_per_epoch());
  for (Index i = 0; i < batches; ++i) {
    // The mean so far, of i batches, takes in the next one; the first replaces what was there.
    for (const auto& [place, before] : pass.momenta) place->value = 1.0 / static_cast<double>(i + 1);
    net.forward(std::move(loader.next()->inputs), Mode::train);
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::train
