// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <eigengrad/eigengrad.hpp>

// With EIGENGRAD_EXPECT_ERROR this must not compile, and the message must say what the layer lacks, in any place.
using namespace eigengrad;

struct Identity {
#if !defined(EIGENGRAD_EXPECT_ERROR) || !defined(LACKS_OUTPUT_SHAPE)
  Shape output_shape(const Shape& x) const { return x; }
#endif
#if !defined(EIGENGRAD_EXPECT_ERROR) || !defined(LACKS_FORWARD)
  Tensor<float> forward(Tensor<float> x, Mode) { return x; }
#endif
#if !defined(EIGENGRAD_EXPECT_ERROR) || !defined(LACKS_BACKWARD)
  Tensor<float> backward(Tensor<float> dy) { return dy; }
#endif
};

#if defined(FIRST)
nn::Sequential net{Identity{}, nn::Linear{3, 2}};
#elif defined(ALONE)
nn::Sequential net{Identity{}};
#elif defined(LAST)
nn::Sequential net{nn::Linear{3, 2}, Identity{}};
#else
nn::Sequential<> net = nn::Sequential<>().push_back(Identity{});
#endif
