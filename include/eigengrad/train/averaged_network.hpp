// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/train/update_bn.hpp>

// What fit does about optimisers that average weights.

namespace eigengrad::EIGENGRAD_ISA::train::detail {

template <class Optimizer>
concept AveragesWeights = requires(Optimizer& optimizer) {
  optimizer.eval();
  optimizer.train();
  { optimizer.averaged() } -> std::convertible_to<bool>;
};

/// A network that an optimiser trains, and between enter() and leave() the one with the averaged weights.
template <class Net, class Optimizer, class D>
class AveragedNetwork {
 public:
  AveragedNetwork(Net& net, Optimizer& optimizer, const data::Loader<D>& loader)
      : net_(net), optimizer_(optimizer), loader_(loader) {}

  void enter([[maybe_unused]] Index step) {
    if constexpr (AveragesWeights<Optimizer>) {
      optimizer_.eval();
      if (!optimizer_.averaged()) return;
      trained_ = buffers();
      if (step == step_)
        set_buffers(averaged_);
      else
        update_bn(net_, loader_.dataset(), {.batch_size = loader_.batch_size(), .max_batches = kBatches});
      step_ = step;
    }
  }

  void leave() {
    if constexpr (AveragesWeights<Optimizer>) {
      if (!optimizer_.averaged()) return;
      optimizer_.train();
      averaged_ = buffers();
      set_buffers(trained_);
    }
  }

 private:
  /// Of the data, for the statistics of batch norm: enough for them, and a small part of an epoch.
  static constexpr Index kBatches = 100;
  using T = scalar_of<Net>;

  std::vector<Tensor<T>> buffers() {
    std::vector<Tensor<T>> found;
    visit(net_, {.buffer = [&](std::string_view, Tensor<T>& buffer) { found.push_back(buffer); }});
    return found;
  }
  /// To those of buffers(), if there were any.
  void set_buffers(const std::vector<Tensor<T>>& values) {
    std::size_t i = 0;
    visit(net_, {.buffer = [&](std::string_view, Tensor<T>& buffer) {
            if (i < values.size()) buffer = values[i++];
          }});
  }

  Net& net_;
  Optimizer& optimizer_;
  const data::Loader<D>& loader_;
  std::vector<Tensor<T>> trained_ = {};   // the buffers of the trained network, while the other one is there
  std::vector<Tensor<T>> averaged_ = {};  // those of the averaged one after step_
  Index step_ = -1;
};

}  // namespace eigengrad::EIGENGRAD_ISA::train::detail
