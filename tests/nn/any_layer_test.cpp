// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/nn/any_layer.hpp>
#include <eigengrad/nn/linear.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

/// A layer with the least a layer needs.
struct Negate {
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) {
    x.mutable_array() *= -1.0F;
    return x;
  }
  Tensor<float> backward(Tensor<float> dy) { return forward(std::move(dy), Mode::train); }
};

TEST(AnyLayer, FillsInWhatALayerLeavesOut) {
  AnyLayer<float> layer{Negate{}};
  EXPECT_EQ(layer.description(), "nn::Negate");
  EXPECT_EQ(layer.multiply_adds({2, 3}), 0);
  EXPECT_TRUE(parameters(layer).empty());
  const auto x = testing::random<float>({2, 3}, 1);
  EXPECT_TRUE(equal(layer.backward(layer.forward(x, Mode::train)), x));
  layer.backward_parameters(x);
}

template <class T>
struct OwnTemplate {
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<T> forward(Tensor<T> x, Mode) { return x; }
  Tensor<T> backward(Tensor<T> dy) { return dy; }
};

TEST(AnyLayer, NamesATypeThatHasNoDescription) {
  struct Local : OwnTemplate<float> {
    Tensor<float> backward(Tensor<float> dy) { return dy; }
  };
  EXPECT_EQ(AnyLayer<double>{OwnTemplate<double>{}}.description(), "nn::OwnTemplate<double>");
  EXPECT_EQ(AnyLayer<float>{Local{}}.description(), "Local");
}

TEST(AnyLayer, CopiesTheLayer) {
  AnyLayer<float> layer{Linear<float>{3, 2}};
  AnyLayer<float> copy = layer;
  copy.get_if<Linear<float>>()->weight.value.mutable_array().setZero();
  EXPECT_NE(layer.get_if<Linear<float>>()->weight.value.array().abs().sum(), 0.0F);
  layer = copy;
  EXPECT_EQ(layer.get_if<Linear<float>>()->weight.value.array().abs().sum(), 0.0F);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
