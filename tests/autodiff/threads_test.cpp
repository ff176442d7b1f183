// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/bridge.hpp>
#include <eigengrad/autodiff/function.hpp>
#include <eigengrad/autodiff/functions.hpp>
#include <eigengrad/autodiff/grad.hpp>
#include <eigengrad/nn/linear.hpp>

#include "support/tensors.hpp"

// Graphs that share leaves, or more, built and differentiated by several threads at the same time. To be run under
// ThreadSanitizer too.

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using testing::difference;
using testing::random;

constexpr int kThreads = 4;
constexpr int kRounds = 200;

/// f(number of the thread) on several threads that start together.
template <class F>
void on_threads(const F& f) {
  std::atomic<int> waiting{kThreads};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      f(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// A small graph of which every part uses the leaf.
template <class T>
Variable<T> halvings(const Variable<T>& x) {
  Variable<T> y = x;
  for (int i = 0; i < 10; ++i) y = y * T(0.5) + x;
  return y;
}
template <class T>
Variable<T> polynomial(const Variable<T>& x, int factor) {
  return sum(halvings(x) * static_cast<T>(factor));
}
const double kSlope = 2.0 - 1.0 / 1024.0;  // of the polynomial with the factor 1

TEST(Threads, GradOnASharedLeaf) {
  const auto x = Variable<double>::leaf(random<double>({5}, 1));
  on_threads([&](int thread) {
    for (int round = 0; round < kRounds; ++round) {
      const auto gradient = grad(polynomial(x, thread + 1), x);
      EXPECT_TRUE(equal(gradient.value(), Tensor<double>::full({5}, (thread + 1) * kSlope)));
    }
  });
  EXPECT_TRUE(x.grad().empty());
}

TEST(Threads, SecondDerivativesOnASharedLeaf) {
  const auto x = Variable<double>({}, {2.0});
  on_threads([&](int thread) {
    const double factor = thread + 1.0;
    for (int round = 0; round < kRounds; ++round) {
      const auto first = grad(x * x * x * factor, x, {.create_graph = true});
      EXPECT_EQ(first.item(), 12.0 * factor);
      EXPECT_EQ(grad(first, x).item(), 12.0 * factor);
    }
  });
}

// Whole numbers, so that the order of the sum makes no difference.
TEST(Threads, BackwardAddsEveryGradientToASharedLeaf) {
  const Variable<double> x({3}, {1.0, 2.0, 3.0});
  Parameter<double> p{Tensor<double>({3}, {1.0, 2.0, 3.0})};
  const Variable<double> shared(p);
  on_threads([&](int) {
    for (int round = 0; round < kRounds; ++round) {
      sum(x * x).backward();
      sum(shared * 3.0).backward();
      sum(Variable<double>(p) * 4.0).backward();
    }
  });
  const double uses = kThreads * kRounds;
  EXPECT_TRUE(equal(x.grad(), Tensor<double>({3}, {2.0 * uses, 4.0 * uses, 6.0 * uses})));
  EXPECT_TRUE(equal(p.grad, Tensor<double>::full({3}, 7.0 * uses)));
}

// Branches grow out of one trunk, which is kept.
TEST(Threads, ShareMoreThanALeaf) {
  const Variable<double> x({}, {1.0});
  const auto trunk = polynomial(x, 1);
  on_threads([&](int thread) {
    const double factor = thread + 1.0;
    for (int round = 0; round < kRounds; ++round) {
      EXPECT_EQ(grad(trunk * factor, x, {.retain_graph = true}).item(), factor * kSlope);
      EXPECT_EQ(grad(trunk * factor, x, {.create_graph = true}).item(), factor * kSlope);
    }
  });
}

// Without retain_graph some find the trunk freed; nobody gets a wrong gradient and nothing is used after it is gone.
TEST(Threads, AGraphThatOneThreadFreesStaysUntilTheOthersAreDone) {
  std::atomic<int> successes{0};
  for (int round = 0; round < kRounds; ++round) {
    const Variable<double> x({}, {1.0});
    const auto trunk = polynomial(x, 1);
    on_threads([&](int thread) {
      const double factor = thread + 1.0;
      try {
        EXPECT_EQ(grad(trunk * factor, x).item(), factor * kSlope);
        ++successes;
      } catch (const StateError&) {
      }
    });
    EXPECT_THROW(grad(trunk * 1.0, x), StateError);
  }
  EXPECT_GE(successes, kRounds);
}

TEST(Threads, DifferentiateOneLayersNode) {
  nn::Linear<double> layer{3, 2};
  const auto x = Variable<double>::leaf(random<double>({4, 3}, 1));
  const auto y = apply(layer, x);
  const auto dy = Tensor<double>::ones({4, 2});
  const Tensor<double> dx = grad(y, {x}, Variable<double>(dy), {.retain_graph = true})[0].value();
  const Tensor<double> dw = layer.weight.grad;
  layer.weight.zero_grad();
  on_threads([&](int) {
    for (int round = 0; round < kRounds; ++round) {
      EXPECT_TRUE(equal(grad(y, {x}, Variable<double>(dy), {.retain_graph = true})[0].value(), dx));
    }
  });
  EXPECT_LT(difference(layer.weight.grad, ops::mul(dw, kThreads * kRounds)), 1e-9);
}

// y = 2 x, computed by a derivative: its backward differentiates a graph with the same leaf.
struct Doubled {
  Variable<double> x;
  Tensor<double> forward(const Tensor<double>& value) { return ops::mul(value, 2.0); }
  std::array<Tensor<double>, 1> backward(const Tensor<double>& dy, const std::array<bool, 1>&) {
    return {ops::mul(grad(x * x, x).value(), ops::div(dy, x.value()))};
  }
};

TEST(Threads, APassWithinAPassMayMeetTheSameNodes) {
  const Variable<double> x({}, {3.0});
  (custom(Doubled{x}, x) + x * x).backward();
  EXPECT_EQ(x.grad().item(), 8.0);
}

// What they remember of the forward before they were copied is one graph.
TEST(Threads, CopiesOfAFunctionGoBackwardByThemselves) {
  auto layer = nn::function<double>([](auto x, auto s) { return halvings(x * s); }, Tensor<double>::ones({5}));
  const auto x = Tensor<double>::full({3, 5}, 2.0);
  layer.forward(x, Mode::train);
  std::vector<decltype(layer)> copies(kThreads, layer);
  on_threads([&](int thread) {
    auto& copy = copies[static_cast<std::size_t>(thread)];
    const double factor = thread + 1.0;
    for (int round = 0; round < 10 * kRounds; ++round) {
      const Tensor<double> dx = copy.backward(Tensor<double>::full({3, 5}, factor));
      EXPECT_TRUE(equal(dx, Tensor<double>::full({3, 5}, factor * kSlope)));
      copy.visit([&](const std::string&, Parameter<double>& s) {
        EXPECT_TRUE(equal(s.grad, Tensor<double>::full({5}, 3 * 2 * factor * kSlope)));
        s.zero_grad();
      });
    }
  });
}

// f may use a leaf of its own: its gradient goes there.
TEST(Threads, ALeafThatAFunctionHoldsGetsTheSumOfAllCopies) {
  auto w = Variable<double>({5}, {1.0, 1.0, 1.0, 1.0, 1.0});
  auto layer = nn::function<double>([w](auto x) { return x * w; });
  layer.forward(Tensor<double>::full({5}, 2.0), Mode::train);
  std::vector<decltype(layer)> copies(kThreads, layer);
  on_threads([&](int thread) {
    for (int round = 0; round < kRounds; ++round)
      copies[static_cast<std::size_t>(thread)].backward(Tensor<double>::ones({5}));
  });
  EXPECT_TRUE(equal(w.grad(), Tensor<double>::full({5}, 2.0 * kThreads * kRounds)));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
