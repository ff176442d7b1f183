// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/avg_pool2d.hpp>
#include <eigengrad/ops/batch_norm.hpp>
#include <eigengrad/ops/dropout.hpp>
#include <eigengrad/ops/gelu.hpp>
#include <eigengrad/ops/layer_norm.hpp>
#include <eigengrad/ops/leaky_relu.hpp>
#include <eigengrad/ops/log_softmax.hpp>
#include <eigengrad/ops/max_pool2d.hpp>
#include <eigengrad/ops/relu.hpp>
#include <eigengrad/ops/sigmoid.hpp>
#include <eigengrad/ops/silu.hpp>
#include <eigengrad/ops/softmax.hpp>
#include <eigengrad/ops/tanh.hpp>

#include "support/message_of.hpp"

// A gradient of another shape than the output is refused, by the name of the operation, whichever it is.

namespace eigengrad::EIGENGRAD_ISA::ops::backward_shapes_test {
namespace {

using T = Tensor<float>;

TEST(BackwardShapes, AGradientOfAnotherShapeIsRefusedByName) {
  const Shape rows{4, 6}, images{2, 4, 4, 3};
  const T x = T::ones(rows), pixels = T::ones(images), six = T::ones({6}), four = T::ones({4}), three = T::ones({3});
  const Window window{.kernel = 2, .stride = 2};
  const std::vector<std::pair<std::string, std::function<void(const T&)>>> of_rows{
      {"relu_backward", [&](const T& dy) { relu_backward(dy, x); }},
      {"leaky_relu_backward", [&](const T& dy) { leaky_relu_backward(dy, x, 0.1); }},
      {"gelu_backward", [&](const T& dy) { gelu_backward(dy, x); }},
      {"silu_backward", [&](const T& dy) { silu_backward(dy, x); }},
      {"sigmoid_backward", [&](const T& dy) { sigmoid_backward(dy, x); }},
      {"tanh_backward", [&](const T& dy) { tanh_backward(dy, x); }},
      {"softmax_backward", [&](const T& dy) { softmax_backward(dy, x); }},
      {"log_softmax_backward", [&](const T& dy) { log_softmax_backward(dy, x); }},
      {"dropout_backward", [&](const T& dy) { dropout_backward(dy, Tensor<std::uint8_t>::ones(rows), 0.5); }},
      {"batch_norm_backward", [&](const T& dy) { batch_norm_backward(dy, x, six, six, six, BatchNormSource::batch); }},
      {"layer_norm_backward_input", [&](const T& dy) { layer_norm_backward_input(dy, x, four, six); }},
      {"layer_norm_backward_weight", [&](const T& dy) { layer_norm_backward_weight(dy, x); }},
  };
  for (const auto& [name, backward] : of_rows) {
    EXPECT_NO_THROW(backward(x)) << name;
    for (const Shape& shape : {Shape{6, 4}, Shape{24}, Shape{4, 5}, Shape{3, 6}, Shape{4, 6, 1}, Shape{0}}) {
      const std::string message = testing::message_of([&] { backward(T::ones(shape)); });
      EXPECT_EQ(message.find(name + ": gradient of the output has shape " + to_string(shape)), 0U) << message;
    }
  }
  const std::vector<std::pair<std::string, std::function<void(const T&)>>> of_images{
      {"avg_pool2d_backward", [&](const T& dy) { avg_pool2d_backward(dy, images, window); }},
      {"max_pool2d_backward",
       [&](const T& dy) {
         max_pool2d_backward(dy, T::zeros({2, 2, 2, 3}), images, window);
       }},
  };
  for (const auto& [name, backward] : of_images) {
    EXPECT_NO_THROW(backward(T::ones({2, 2, 2, 3}))) << name;
    for (const Shape& shape : {images, Shape{2, 2, 6}, Shape{1, 2, 2, 3}, Shape{2, 2, 2, 4}}) {
      const std::string message = testing::message_of([&] { backward(T::ones(shape)); });
      EXPECT_EQ(message.find(name + ": gradient of the output has shape " + to_string(shape)), 0U) << message;
    }
  }
  const auto global = [&](const T& dy) { global_avg_pool2d_backward(dy, images); };
  EXPECT_NO_THROW(global(T::ones({2, 3})));
  for (const Shape& shape : {Shape{3, 2}, Shape{6}, Shape{2, 1, 1, 3}}) {
    const std::string message = testing::message_of([&] { global(T::ones(shape)); });
    EXPECT_EQ(message.find("global_avg_pool2d_backward: gradient of the output has shape"), 0U) << message;
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::backward_shapes_test
