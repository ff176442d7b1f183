// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/flatten.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Flatten<float>>);

TEST(Flatten, Gradcheck) { EXPECT_TRUE(gradcheck(Flatten<double>{}, {2, 3, 4, 5})); }

TEST(Flatten, KeepsTheFirstAxisAndTheMemory) {
  Flatten<float> layer;
  const auto x = testing::random<float>({2, 3, 4}, 1);
  const Tensor<float> y = layer.forward(x, Mode::train);
  EXPECT_EQ(y.shape(), (Shape{2, 12}));
  EXPECT_TRUE(y.shares_memory(x));
  EXPECT_EQ(layer.backward(y).shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(layer.output_shape({5}), (Shape{5, 1}));
}

TEST(Flatten, RefusesWrongUse) {
  Flatten<float> layer;
  EXPECT_THROW(layer.output_shape({}), ShapeError);
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({2, 2})), StateError);
  layer.forward(Tensor<float>::zeros({2, 2}), Mode::train);
  layer.forward(Tensor<float>::zeros({2, 2}), Mode::inference);
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({2, 2})), StateError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
