// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

#include "support/all_threads.hpp"
#include "support/allocation_counter.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::system_allocations;

TEST(AllocationCounter, SeesNewMallocAndThePool) {
  const auto before = system_allocations();
  const auto made = std::make_unique<int>();
  volatile int* used = made.get();  // or the compiler leaves the allocation out
  *used = 1;
  EXPECT_GT(system_allocations(), before);
  memory::trim();
  const auto between = system_allocations();
  const Tensor<float> tensor({1 << 22});
  EXPECT_GT(system_allocations(), between);
}

class Allocations : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    set_num_threads(GetParam());
    EXPECT_TRUE(testing::loops_run_on(GetParam()));  // a thread may take memory as it begins
  }
  void TearDown() override { set_num_threads(0); }
};

TEST_P(Allocations, TrainingTakesNoMemoryFromTheSystemAfterItsSecondStep) {
  auto split = data::synthetic_cifar10(1, {.train = 1000, .test = 10});
  data::subtract_mean_image(split);
  nn::Sequential net{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 300},
                     nn::ReLU{},    nn::Linear{300, 10}};
  nn::SoftmaxCrossEntropy loss;
  optim::SGD sgd{net.parameters(), {.learning_rate = 1e-4, .momentum = 0.9, .nesterov = true}};
  data::Loader loader{split.train, {.batch_size = 200, .epochs = data::kEndless}};
  std::int64_t after_two_steps = 0;
  for (int step = 1; step <= 25; ++step) {  // five epochs
    const auto batch = loader.next();
    loss.forward(net.forward(batch->inputs), batch->targets);
    net.backward_parameters(loss.backward());
    sgd.step();
    if (step == 2) after_two_steps = system_allocations();
  }
  EXPECT_EQ(system_allocations(), after_two_steps);
}

// Every optimiser, its groups, a schedule and clipping, in the training loop itself.
TEST_P(Allocations, FitTakesNoneAfterItsSecondStep) {
  const auto split = data::synthetic_cifar10(1, {.train = 100, .test = 10});
  nn::Sequential net{nn::Flatten{}, nn::Linear{3072, 20}, nn::ReLU{}, nn::Linear{20, 10}};
  const auto run = [&](auto optimizer) {
    data::Loader loader{split.train, {.batch_size = 20, .epochs = data::kEndless}};
    std::int64_t after_two_steps = 0, at_end = 0;
    train::fit(net, nn::SoftmaxCrossEntropy{}, optimizer, loader, split.test,
               {.max_steps = 12,
                .schedule = optim::chained(optim::LinearLR{}, optim::CosineAnnealingLR{.max_steps = 12}),
                .max_grad_norm = 0.01,
                .on_step = [&](Index step, double) { (step <= 2 ? after_two_steps : at_end) = system_allocations(); }});
    EXPECT_EQ(at_end, after_two_steps);
  };
  run(optim::SGD{optim::decay_weights_only(net), {.learning_rate = 1e-4, .momentum = 0.9}});
  run(optim::Adam{optim::decay_weights_only(net), {.learning_rate = 1e-4}});
  run(optim::AdamW{optim::decay_weights_only(net), {.learning_rate = 1e-4}});
  run(optim::RMSprop{optim::decay_weights_only(net), {.learning_rate = 1e-4, .momentum = 0.9, .centered = true}});
}

TEST_P(Allocations, LayersWithoutConvolutionTakeNoneAfterTheSecondStep) {
  nn::Sequential net{nn::Linear{300, 100},
                     nn::LayerNorm{100},
                     nn::GELU{},
                     nn::Residual{nn::Sequential{nn::Linear{100, 100}, nn::SiLU{}, nn::Dropout{}}},
                     nn::LeakyReLU{},
                     nn::Residual{nn::Sequential{nn::Linear{100, 50}, nn::Tanh{}}, nn::Sequential{nn::Linear{100, 50}}},
                     nn::GELU{{.approximate = nn::Approximate::tanh}},
                     nn::Sigmoid{}};
  nn::SoftmaxCrossEntropy classes{{.label_smoothing = 0.1}};
  nn::MSELoss squares;
  optim::SGD sgd{net.parameters(), {.learning_rate = 1e-4}};
  Rng rng(1);
  const auto x = Tensor<float>::randn({200, 300}, rng);
  const auto target = Tensor<float>::randn({200, 50}, rng);
  const auto labels = Tensor<Index>::zeros({200});
  std::int64_t after_two_steps = 0;
  for (int step = 1; step <= 10; ++step) {
    squares.forward(net.forward(x), target);
    net.backward(squares.backward());
    classes.forward(net.forward(x), labels);
    net.backward_parameters(classes.backward());
    sgd.step();
    net.forward(x, Mode::inference);
    if (step == 2) after_two_steps = system_allocations();
  }
  EXPECT_EQ(system_allocations(), after_two_steps);
}

// A thread that prepares batches, augmentation and a smaller last batch: all sizes have been met after an epoch.
TEST_P(Allocations, AConvolutionalNetworkTakesNoneAfterItsFirstEpoch) {
  const auto split = data::synthetic_cifar10(1, {.train = 44, .test = 10});
  nn::Sequential net{nn::Conv2d{3, 16, {.kernel = 3, .padding = 1}},
                     nn::BatchNorm2d{16},
                     nn::ReLU{},
                     nn::MaxPool2d{{.kernel = 3, .stride = 2, .padding = 1}},
                     nn::Conv2d{16, 32, {.kernel = 3, .stride = 2, .dilation = 2, .groups = 4}},
                     nn::AvgPool2d{{.kernel = 2}},
                     nn::GlobalAvgPool2d{},
                     nn::Dropout{},
                     nn::Linear{32, 10}};
  nn::SoftmaxCrossEntropy loss;
  optim::Adam adam{net.parameters(), {.learning_rate = 1e-4}};
  const data::Augmented images{split.train, 1, data::RandomCrop{}, data::RandomHorizontalFlip{}, data::Cutout{}};
  for (const bool drop_last : {true, false}) {
    data::Loader loader{
        images, {.batch_size = 20, .epochs = data::kEndless, .drop_last = drop_last, .seed = 1, .prefetch = true}};
    std::int64_t after_warm_up = 0;
    for (Index step = 1; step <= 12; ++step) {
      auto batch = loader.next();
      loss.forward(net.forward(batch->inputs), batch->targets);
      net.backward_parameters(loss.backward());
      adam.step();
      batch.reset();
      if (step == (drop_last ? 2 : 4)) after_warm_up = system_allocations();
    }
    EXPECT_EQ(system_allocations(), after_warm_up) << drop_last;
  }
}

TEST_P(Allocations, AGraphOfVariablesTakesNoneAfterTheSecondStep) {
  using autodiff::Variable;
  nn::Linear first{300, 100};
  nn::Function scale{[](auto x, auto s) { return x * s; }, Tensor<float>::ones({100})};
  Parameter<float> weight{Tensor<float>::full({10, 100}, 0.01F)};
  Parameter<float> bias{Tensor<float>::zeros({10})};
  std::vector<Parameter<float>*> all = parameters(first);
  for (auto* parameter : parameters(scale)) all.push_back(parameter);
  all.insert(all.end(), {&weight, &bias});
  optim::Adam adam{all, {.learning_rate = 1e-4}};
  Rng rng(1);
  const auto x = Tensor<float>::randn({50, 300}, rng);
  const auto labels = Tensor<Index>::zeros({50});
  std::int64_t after_two_steps = 0;
  for (int step = 1; step <= 10; ++step) {
    const auto hidden = relu(apply(first, Variable<float>(x)));
    const auto both = autodiff::concat({slice(hidden, 1, 0, 50), tanh(slice(hidden, 1, 50, 100))}, 1);
    const auto logits = linear(apply(scale, both), Variable<float>(weight), Variable<float>(bias));
    const auto loss = softmax_cross_entropy(logits, labels) + 0.1 * mean(square(hidden - mean(hidden, 0)));
    loss.backward();
    adam.step();
    if (step == 2) after_two_steps = system_allocations();
  }
  EXPECT_EQ(system_allocations(), after_two_steps);
}

TEST_P(Allocations, InferenceTakesNoneAfterTheFirstCall) {
  nn::Sequential net{nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 10}, nn::Softmax{}};
  for (const Index batch_size : {1, 200}) {
    const auto x = Tensor<float>::ones({batch_size, 3072});
    net.forward(x, Mode::inference);
    const auto after_first = system_allocations();
    for (int call = 0; call < 20; ++call) net.forward(x, Mode::inference);
    EXPECT_EQ(system_allocations(), after_first) << batch_size;
  }
}

TEST_P(Allocations, APredictionOfOneSampleTakesNone) {
  nn::Sequential net{nn::Linear{6, 64}, nn::ReLU{}, nn::Linear{64, 64}, nn::ReLU{}, nn::Linear{64, 2}};
  const auto x = Tensor<float>::ones({1, 6});
  net.predict(x);
  const auto after_first = system_allocations();
  for (int call = 0; call < 1000; ++call) net.predict(x);
  EXPECT_EQ(system_allocations(), after_first);
}

INSTANTIATE_TEST_SUITE_P(Threads, Allocations, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
