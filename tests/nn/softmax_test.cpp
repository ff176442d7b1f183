// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/softmax.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

static_assert(Layer<Softmax<float>>);

TEST(SoftmaxLayer, Gradcheck) {
  EXPECT_TRUE(gradcheck(Softmax<double>{}, {4, 9}));
  EXPECT_TRUE(gradcheck(Softmax<double>{}, {3, 1}));
  EXPECT_TRUE(gradcheck(Softmax<double>{}, {2, 3, 5}));
}

TEST(SoftmaxLayer, RefusesWrongUse) {
  Softmax<float> layer;
  EXPECT_THROW(layer.output_shape({}), ShapeError);
  EXPECT_THROW(layer.backward(Tensor<float>::zeros({2, 2})), StateError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
