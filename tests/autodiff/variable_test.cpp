// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <pthread.h>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/functions.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using testing::message_of;

TEST(Variable, DifferentiatesASumOfSquares) {
  const Variable<double> x({2}, {3.0, 4.0});
  const auto y = sum(x * x) + 1.0;
  EXPECT_EQ(y.item(), 26.0);
  y.backward();
  EXPECT_TRUE(equal(x.grad(), Tensor<double>({2}, {6.0, 8.0})));
}

TEST(Variable, EveryUseOfAValueContributes) {
  const Variable<double> x({}, {2.0});
  const auto y = x * x;          // 4
  const auto z = y * x + y - x;  // x^3 + x^2 - x
  z.backward();
  EXPECT_EQ(x.grad().item(), 3.0 * 4.0 + 2.0 * 2.0 - 1.0);
}

TEST(Variable, BackwardAddsToTheGradientThatIsThere) {
  Variable<double> x({}, {2.0});
  (x * x).backward();
  (x * 3.0).backward();
  EXPECT_EQ(x.grad().item(), 7.0);
  x.zero_grad();
  EXPECT_TRUE(x.grad().empty());
}

TEST(Variable, ConstantsGetNoGradient) {
  const Variable<double> x({2}, {3.0, 4.0});
  const Variable<double> c(Tensor<double>::ones({2}));
  const auto y = sum(x * c * x.detach());
  y.backward();
  EXPECT_TRUE(equal(x.grad(), Tensor<double>({2}, {3.0, 4.0})));
  EXPECT_TRUE(c.grad().empty());
  EXPECT_FALSE((c * 2.0).requires_grad());
}

TEST(Variable, NoGradGuardRecordsNothing) {
  const Variable<double> x({}, {2.0});
  {
    const NoGradGuard outer;
    const NoGradGuard inner;
    EXPECT_FALSE((x * x).requires_grad());
  }
  EXPECT_TRUE((x * x).requires_grad());
}

TEST(Variable, AGraphIsUsedOnceUnlessItIsRetained) {
  const Variable<double> x({}, {2.0});
  const auto y = x * x;
  const auto z = y * 3.0;
  z.backward({.retain_graph = true});
  z.backward();
  EXPECT_EQ(x.grad().item(), 24.0);
  const std::string freed =
      "backward: this graph has been freed by a backward before; the first one needs {.retain_graph = true}";
  EXPECT_EQ(message_of([&] { z.backward(); }), freed);
  EXPECT_EQ(message_of([&] { (y + x).backward(); }), freed);  // a part of it
  EXPECT_EQ(x.grad().item(), 24.0);
  (x * x).backward();  // the failed passes have left nothing behind
  EXPECT_EQ(x.grad().item(), 28.0);
}

TEST(Variable, RefusesWrongUse) {
  const Variable<double> x({2}, {3.0, 4.0});
  EXPECT_EQ(message_of([&] { (x * x).backward(); }),
            "backward: of a variable of shape (2,), expected one element; give the gradient by it: backward(dy)");
  EXPECT_EQ(message_of([&] { (x * x).backward(Tensor<double>::ones({3})); }),
            "backward: gradient has shape (3,), expected (2,)");
  EXPECT_EQ(message_of([] { Variable<double>(2.0).backward(); }),
            "backward: of a constant; nothing it was computed from requires a gradient");
  EXPECT_EQ(message_of([&] { x + Tensor<double>::ones({3}); }), "add: shapes (2,) and (3,) do not broadcast");
}

// Changing a tensor that backward still needs changes a copy.
TEST(Variable, AValueThatIsChangedLaterDoesNoHarm) {
  Tensor<double> data({2}, {3.0, 4.0});
  const auto x = Variable<double>::leaf(data);
  const auto y = sum(x * x);
  data.mutable_data()[0] = 100.0;
  Tensor<double> value = x.value();
  value.mutable_data()[1] = 100.0;
  y.backward();
  EXPECT_TRUE(equal(x.grad(), Tensor<double>({2}, {6.0, 8.0})));
}

TEST(Variable, StandsForAParameter) {
  Parameter<double> p{Tensor<double>({2}, {3.0, 4.0})};
  sum(Variable<double>(p) * 2.0).backward();
  sum(Variable<double>(p) * 3.0).backward();
  EXPECT_TRUE(equal(p.grad, Tensor<double>({2}, {5.0, 5.0})));
}

TEST(Variable, AnErrorInABackwardLeavesTheGraphAsItWas) {
  const Variable<double> x({2}, {3.0, 4.0});
  const auto bad = record(
      x.value(),
      [](const auto& dy, const auto&, const auto&, const auto& give) {
        give(0, [&] { return dy; });
        throw StateError("deliberate");
      },
      x);
  EXPECT_EQ(message_of([&] { sum(bad).backward(); }), "deliberate");
  sum(x * x).backward();
  EXPECT_TRUE(equal(x.grad(), Tensor<double>({2}, {6.0, 8.0})));
}

// Built, run backward and destroyed with hardly any stack.
void* chain_of_a_million(void* result) {
  const Variable<double> x({}, {1.0});
  {
    Variable<double> y = x;
    for (int i = 0; i < 1000000; ++i) y = y + x;
    y.backward();
  }
  {
    Variable<double> y = x;
    for (int i = 0; i < 1000000; ++i) y = -y;  // never run backward, only destroyed
  }
  *static_cast<double*>(result) = x.grad().item();
  return nullptr;
}

TEST(Variable, AChainOfAMillionOperationsNeedsNoStack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 64 * 1024), 0);
  pthread_t thread;
  double result = 0.0;
  ASSERT_EQ(pthread_create(&thread, &attributes, chain_of_a_million, &result), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(result, 1000001.0);
}

TEST(Variable, TheGraphLivesInThePool) {
  const Variable<float> x = Variable<float>::leaf(testing::random<float>({20, 30}, 1));
  const Variable<float> w = Variable<float>::leaf(testing::random<float>({30, 10}, 2));
  std::int64_t after_two = 0;
  for (int step = 1; step <= 10; ++step) {
    sum(matmul(x, w) * matmul(x, w)).backward();
    if (step == 2) after_two = memory::stats().system_allocations;
  }
  EXPECT_EQ(memory::stats().system_allocations, after_two);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
