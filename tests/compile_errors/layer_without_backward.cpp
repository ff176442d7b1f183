// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <eigengrad/eigengrad.hpp>

// With EIGENGRAD_EXPECT_ERROR this must not compile, and the message must name the concept.
using namespace eigengrad;

struct Identity {
  Shape output_shape(const Shape& x) const { return x; }
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
#ifndef EIGENGRAD_EXPECT_ERROR
  Tensor<float> backward(Tensor<float> dy) { return dy; }
#endif
};

nn::Sequential<> net{nn::Linear{3, 2}, Identity{}};
