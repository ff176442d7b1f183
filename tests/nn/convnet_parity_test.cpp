// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/nn/avg_pool2d.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/optim/adam.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

// The ConvNet of examples/cifar10_cnn at small width in training, against PyTorch: convnet() of
// tests/golden/networks.py.

/// The numbers from -1 to 1 that the script computes too.
Tensor<double> numbers(const Shape& shape, Index salt) {
  Index i = 0;
  return Tensor<double>::generate(
      shape, [&] { return static_cast<double>((i++ * 7919 + salt * 104729) % 10007) / 10007.0 * 2.0 - 1.0; });
}

template <class T>
Sequential<T> make_convnet() {
  const Index widths[] = {4, 8, 12, 12, 16, 16, 16, 16};
  Sequential<T> net;
  Index channels = 3;
  for (int i = 0; i < 8; ++i) {
    net.push_back(Conv2d<T>{channels, widths[i], {.kernel = 3, .padding = 1}});
    net.push_back(BatchNorm2d<T>{widths[i]}).push_back(ReLU<T>{});
    if (i == 0 || i == 1 || i == 3 || i == 5 || i == 7) {
      net.push_back(MaxPool2d<T>{{.kernel = 3, .stride = 2, .padding = 1}});
    }
    channels = widths[i];
  }
  net.push_back(AvgPool2d<T>{{.kernel = 1}}).push_back(Flatten<T>{}).push_back(Linear<T>{channels, 10});
  Index salt = 0;
  for (Parameter<T>* p : net.parameters()) {
    Tensor<double> value = numbers(p->value.shape(), salt++);
    if (value.rank() > 1) {
      const double fan_in = static_cast<double>(value.numel()) / static_cast<double>(value.size(0));
      value.mutable_array() *= std::sqrt(3.0 / fan_in);
    } else {
      value.mutable_array() = 1.0 + 0.1 * value.array();
    }
    p->value = value.cast<T>();
  }
  return net;
}

/// Ten steps with batches of 5, 5 and 3 images in turn; the last of three is the smaller one that ends an epoch.
template <class T>
void compare_convnet_with_pytorch(double tolerance) {
  const testing::Golden golden("convnet");
  Sequential<T> net = make_convnet<T>();
  optim::Adam<T> adam{net.parameters(), {.learning_rate = 1e-3}};
  SoftmaxCrossEntropy<T> loss;
  for (Index step = 0; step < 10; ++step) {
    const Index batch = step % 3 == 2 ? 3 : 5;
    Index i = 0;
    const auto labels = Tensor<Index>::generate({batch}, [&] { return (i++ * 7 + step) % 10; });
    const Tensor<T> x = numbers({batch, 32, 32, 3}, 1000 + step).template cast<T>();
    const T value = loss.forward(net.forward(x), labels);
    EXPECT_NEAR(static_cast<double>(value), golden["losses"](step), tolerance) << "step " << step;
    net.backward(loss.backward());
    if (step == 0) {
      for (Index p = 0; const Parameter<T>* parameter : net.parameters()) {
        const double norm = std::sqrt(static_cast<double>(parameter->grad.array().square().sum()));
        EXPECT_NEAR(norm, golden["gradient_norms"](p), tolerance) << "parameter " << p;
        ++p;
      }
    }
    adam.step();
  }
  visit(net, {.parameter = [](std::string_view, Parameter<T>&) {},
              .buffer =
                  [&](std::string_view name, Tensor<T>& buffer) {
                    EXPECT_LT(testing::difference(buffer, golden[std::string(name)].template cast<T>()), tolerance)
                        << name;
                  }});
  const Tensor<T> y = net.forward(numbers({2, 32, 32, 3}, 2000).template cast<T>(), Mode::inference);
  EXPECT_LT(testing::difference(y, golden["eval"].template cast<T>()), tolerance);
}

TEST(ConvnetParity, Double) { compare_convnet_with_pytorch<double>(1e-8); }

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
