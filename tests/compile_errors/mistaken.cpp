// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <eigengrad/eigengrad.hpp>

// With EIGENGRAD_EXPECT_ERROR this must not compile, and the message must say how it is meant.
using namespace eigengrad;

#ifdef EIGENGRAD_EXPECT_ERROR
#define LEARNING_RATE lr
using Number = float;
#else
#define LEARNING_RATE learning_rate
using Number = double;
#endif

int main() {
  nn::Sequential net{nn::Linear{3, 2}};
#if defined(OF_GRADCHECK)
  return gradcheck(nn::Linear<Number>{3, 2}, {4, 3}) ? 0 : 1;
#elif defined(OF_SGD)
  optim::SGD sgd{net.parameters(), {.LEARNING_RATE = 0.1, .momentum = 0.9}};
#elif defined(OF_GROUPS)
  optim::RMSprop rmsprop{optim::decay_weights_only(net), {.LEARNING_RATE = 0.1}};
#else
  optim::AdamW<> adamw{{net.parameters()}, {.LEARNING_RATE = 0.1}};
#endif
}
