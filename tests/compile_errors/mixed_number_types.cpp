// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <eigengrad/eigengrad.hpp>

// With EIGENGRAD_EXPECT_ERROR this must not compile, and the message must say why.
using namespace eigengrad;

#ifdef EIGENGRAD_EXPECT_ERROR
using Second = nn::Linear<double>;
#else
using Second = nn::Linear<float>;
#endif

nn::Sequential<> net{nn::Linear<float>{3, 2}, Second{2, 2}};
