// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/averaged_weights.hpp>
#include <eigengrad/optim/sgd.hpp>
#include <eigengrad/train/fit.hpp>
#include <eigengrad/train/keep_best.hpp>
#include <eigengrad/train/update_bn.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::train {
namespace averaged_network_test {

using Data = data::TensorDataset<float, float>;

/// A regression that a network with batch norm and dropout learns.
struct Job {
  Job() : inputs(testing::random<float>({40, 3}, 1)), targets(testing::random<float>({40, 2}, 2)) { manual_seed(3); }

  Data dataset() const { return {inputs, targets}; }
  data::Loader<Data> loader() const {
    return data::Loader{dataset(), {.batch_size = 10, .epochs = data::kEndless, .seed = 4}};
  }
  static nn::Sequential<> network() {
    manual_seed(5);
    return nn::Sequential{nn::Linear{3, 4}, nn::BatchNorm1d{4}, nn::Dropout{{.p = 0.2}}, nn::Linear{4, 2}};
  }
  static optim::SGD<> sgd(nn::Sequential<>& net) {
    return optim::SGD{net.parameters(), {.learning_rate = 0.05, .momentum = 0.5}};
  }

  Tensor<float> inputs, targets;
};

TEST(UpdateBn, TakesTheMeansOverTheBatches) {
  Job job;
  nn::Sequential<> net{nn::BatchNorm1d{3, {.momentum = 0.25}}};
  auto& norm = *net[0].get_if<nn::BatchNorm1d<>>();
  norm.running_mean = Tensor<float>({3}, {100, 100, 100});
  Tensor<double> mean = Tensor<double>::zeros({3}), var = Tensor<double>::zeros({3});
  for (const auto& batch : data::Loader{job.dataset(), {.batch_size = 10}}) {
    for (Index c = 0; c < 3; ++c) {
      double sum = 0.0, squares = 0.0;
      for (Index n = 0; n < 10; ++n) sum += static_cast<double>(batch.inputs(n, c));
      for (Index n = 0; n < 10; ++n) squares += std::pow(static_cast<double>(batch.inputs(n, c)) - sum / 10.0, 2);
      mean.mutable_data()[c] += sum / 10.0 / 4.0;
      var.mutable_data()[c] += squares / 9.0 / 4.0;
    }
  }
  update_bn(net, job.dataset(), {.batch_size = 10});
  EXPECT_LT(testing::difference(norm.running_mean.cast<double>(), mean), 1e-6);
  EXPECT_LT(testing::difference(norm.running_var.cast<double>(), var), 1e-6);

  // The momentum is the layer's own again.
  const Tensor<float> batch = Tensor<float>({2, 3}, {0, 0, 0, 2, 2, 2});
  norm.running_mean = Tensor<float>::zeros({3});
  net.forward(batch);
  EXPECT_FLOAT_EQ(norm.running_mean.data()[0], 0.25F);
}

TEST(UpdateBn, LeavesTheRestAsItIs) {
  Job job;
  nn::Sequential<> net = Job::network();
  auto before = nn::state(net);
  const auto streams = nn::random_streams(net);
  update_bn(net, job.dataset(), {.batch_size = 16, .max_batches = 1});
  auto after = nn::state(net);
  for (const char* name : {"0.weight", "3.bias"}) EXPECT_TRUE(equal(before.at(name), after.at(name))) << name;
  EXPECT_FALSE(equal(before.at("1.running_mean"), after.at("1.running_mean")));
  EXPECT_EQ(nn::random_streams(net), streams);
}

/// Counts its forwards.
struct Counting {
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) {
    ++*count;
    return x;
  }
  Tensor<float> backward(Tensor<float> dy) { return dy; }
  std::shared_ptr<int> count = std::make_shared<int>(0);
};

TEST(UpdateBn, RunsOnlyANetworkThatHasStatistics) {
  Job job;
  Counting counting;
  nn::Sequential<> without{counting}, with{counting, nn::BatchNorm1d{3}};
  update_bn(without, job.dataset());
  EXPECT_EQ(*counting.count, 0);
  update_bn(with, job.dataset(), {.batch_size = 10});
  EXPECT_EQ(*counting.count, 4);
  update_bn(with, job.dataset(), {.batch_size = 1000});  // all samples at once
  EXPECT_EQ(*counting.count, 5);
  EXPECT_NE(testing::message_of([&] { update_bn(with, job.dataset(), {.max_batches = 0}); }).find("max_batches is 0"),
            std::string::npos);
}

// The losses of the steps are those of training without an average; what is measured, kept and left is the average.
TEST(AveragedNetwork, IsWhatFitMeasuresKeepsAndLeaves) {
  Job job;
  constexpr Index kSteps = 9;
  std::vector<double> losses, averaged_losses;

  nn::Sequential<> plain = Job::network();
  auto sgd = Job::sgd(plain);
  auto batches = job.loader();
  fit(plain, nn::MSELoss<float>{}, sgd, batches, job.dataset(),
      {.max_steps = kSteps, .eval_freq = 3, .on_step = [&](Index, double loss) { losses.push_back(loss); }});

  nn::Sequential<> net = Job::network();
  optim::ExponentialMovingAverage ema{Job::sgd(net), {.decay = 0.7}};
  auto loader = job.loader();
  std::vector<Tensor<float>> weights_seen;
  const auto history =
      fit(net, nn::MSELoss<float>{}, ema, loader, job.dataset(),
          {.max_steps = kSteps,
           .eval_freq = 3,
           .on_step = [&](Index, double loss) { averaged_losses.push_back(loss); },
           .on_evaluation = [&](const Measurement&) { weights_seen.push_back(nn::state(net).at("0.weight")); }});
  EXPECT_EQ(losses, averaged_losses);
  ASSERT_EQ(weights_seen.size(), 3U);
  EXPECT_TRUE(ema.averaged());
  auto state = nn::state(net);
  EXPECT_TRUE(equal(weights_seen.back(), state.at("0.weight")));
  EXPECT_FALSE(equal(weights_seen.back(), nn::state(plain).at("0.weight")));
  EXPECT_EQ(evaluate(net, nn::MSELoss<float>{}, job.dataset()).loss, history.back().validation_loss);

  // The statistics are those of the averaged weights.
  nn::Sequential<> same = net;
  update_bn(same, job.dataset(), {.batch_size = 10});
  EXPECT_TRUE(equal(nn::state(same).at("1.running_mean"), state.at("1.running_mean")));

  ema.train();
  EXPECT_TRUE(equal(nn::state(net).at("0.weight"), nn::state(plain).at("0.weight")));
}

TEST(AveragedNetwork, ASecondFitGoesOnWithWhatIsTrained) {
  Job job;
  nn::Sequential<> plain = Job::network(), net = Job::network();
  auto sgd = Job::sgd(plain);
  optim::StochasticWeightAveraging swa{Job::sgd(net), {.start = 2}};
  auto batches = job.loader(), loader = job.loader();
  for (int run = 0; run < 2; ++run) {
    fit(plain, nn::MSELoss<float>{}, sgd, batches, job.dataset(), {.max_steps = 4, .eval_freq = 3});
    fit(net, nn::MSELoss<float>{}, swa, loader, job.dataset(), {.max_steps = 4, .eval_freq = 3});
  }
  swa.train();
  EXPECT_TRUE(equal(nn::state(net).at("3.weight"), nn::state(plain).at("3.weight")));
}

TEST(AveragedNetwork, TheBestIsKeptWithItsStatistics) {
  Job job;
  nn::Sequential<> net = Job::network();
  optim::ExponentialMovingAverage ema{Job::sgd(net), {.decay = 0.7}};
  auto loader = job.loader();
  KeepBest best{net, {.monitor = {.value = [](const Measurement& m) { return m.step == 3 ? 0.0 : 1.0; }}}};
  fit(net, nn::MSELoss<float>{}, ema, loader, job.dataset(), {.max_steps = 9, .eval_freq = 3, .on_evaluation = best});
  EXPECT_EQ(best.measurement().step, 3);
  EXPECT_EQ(evaluate(net, nn::MSELoss<float>{}, job.dataset()).loss, best.measurement().validation_loss);
}

}  // namespace averaged_network_test
}  // namespace eigengrad::EIGENGRAD_ISA::train
