// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/relu.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<ReLU<float>>);

TEST(ReLU, Gradcheck) {
  EXPECT_TRUE(gradcheck(ReLU<double>{}, {4, 9}));
  EXPECT_TRUE(gradcheck(ReLU<double>{}, {1}));
  EXPECT_TRUE(gradcheck(ReLU<double>{}, {2, 3, 3, 2}, {.mode = Mode::eval}));
}

TEST(ReLU, RefusesWrongUse) {
  ReLU<float> layer;
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({2})), StateError);
  layer.forward(Tensor<float>::zeros({2}), Mode::train);
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({3})), ShapeError);
  layer.forward(Tensor<float>::zeros({2}), Mode::inference);
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({2})), StateError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
