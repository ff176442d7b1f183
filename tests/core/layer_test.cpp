// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <type_traits>

#include <gtest/gtest.h>

#include <eigengrad/core/layer.hpp>

namespace eigengrad::EIGENGRAD_ISA {
namespace {

struct Identity {
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
  Tensor<float> backward(Tensor<float> dy) { return dy; }
};
struct NoBackward {
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
};
struct WrongResult : Identity {
  void forward(Tensor<float>, Mode) {}
};

static_assert(Layer<Identity>);
struct ConstNoexcept {
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) const { return x; }
  Tensor<float> backward(Tensor<float> dy) const noexcept { return dy; }
};
static_assert(Layer<ConstNoexcept>);
static_assert(!Layer<NoBackward>);
static_assert(!Layer<WrongResult>);
static_assert(!Layer<int>);
static_assert(std::is_same_v<scalar_of<Identity>, float>);

TEST(Layer, WithoutVisitHasNoParameters) {
  Identity layer;
  EXPECT_TRUE(parameters(layer).empty());
  EXPECT_EQ(describe(layer), "Identity");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
