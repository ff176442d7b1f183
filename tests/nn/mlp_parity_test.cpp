// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/sgd.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

// The whole first assignment of backpropagation against PyTorch: outputs, losses, all gradients, training.
template <class T>
void compare_mlp_with_pytorch(double tolerance) {
  const testing::Golden golden("mlp");
  Sequential net{Linear<T>{12, 9}, ReLU<T>{}, Linear<T>{9, 5}, ReLU<T>{}, Linear<T>{5, 4}};
  net.visit([&](std::string_view name, Parameter<T>& p) { p.value = golden[std::string(name)].template cast<T>(); });
  const Tensor<T> x = golden["x"].cast<T>();
  const Tensor<Index> labels = golden["labels"].cast<Index>();
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.5, .momentum = 0.9}};
  SoftmaxCrossEntropy<T> loss;
  for (int step = 0; step < 5; ++step) {
    const Tensor<T> y = net.forward(x);
    const T value = loss.forward(y, labels);
    EXPECT_NEAR(static_cast<double>(value), golden["losses"](step), tolerance) << "step " << step;
    const Tensor<T> dx = net.backward(loss.backward());
    if (step == 0) {
      EXPECT_LT(testing::difference(y, golden["y"].template cast<T>()), tolerance);
      EXPECT_LT(testing::difference(ops::softmax(y), golden["probabilities"].template cast<T>()), tolerance);
      EXPECT_LT(testing::difference(dx, golden["dx"].template cast<T>()), tolerance);
      net.visit([&](std::string_view name, Parameter<T>& p) {
        EXPECT_LT(testing::difference(p.grad, golden["d" + std::string(name)].template cast<T>()), tolerance) << name;
      });
    }
    sgd.step();
  }
}

TEST(MlpParity, Double) { compare_mlp_with_pytorch<double>(1e-12); }
TEST(MlpParity, Float) { compare_mlp_with_pytorch<float>(1e-5); }

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
