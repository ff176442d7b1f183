// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <span>

#include <eigengrad/data/loader.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/sgd.hpp>

// A library that trains, as host.cpp loads and unloads it.

namespace {

using namespace eigengrad;

struct Samples {
  Index size() const { return 64; }
  data::Batch<float> batch(std::span<const Index> samples, Index = 0) const {
    const auto count = static_cast<Index>(samples.size());
    return {Tensor<float>::ones({count, 50}), Tensor<Index>::zeros({count})};
  }
};

/// Computes once more when the library ends.
struct Last {
  Tensor<float> x = Tensor<float>::ones({1000});
  ~Last() {
    float* to = x.mutable_data();
    parallel_for(1000, 10, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) to[i] += 1.0F;
    });
    if (x.array().sum() != 2000.0F) std::abort();
  }
};
Last last;

}  // namespace

/// Trains for a few steps; true if all is well.
extern "C" __attribute__((visibility("default"))) bool train(int threads) {
  set_num_threads(threads);
  nn::Sequential net{nn::Linear{50, 70}, nn::ReLU{}, nn::Linear{70, 10}};
  nn::SoftmaxCrossEntropy loss;
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.1}};
  double first = 0.0, now = 0.0;
  for (const auto& [x, labels] : data::Loader{Samples{}, {.batch_size = 32, .epochs = 5, .prefetch = true}}) {
    now = loss.forward(net.forward(x), labels);
    if (first == 0.0) first = now;
    net.backward_parameters(loss.backward());
    sgd.step();
  }
  parallel_for(8, 1, [](Index, Index) {});  // the workers are awake
  return now < first;
}
