// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/autodiff/functions.hpp>
#include <eigengrad/autodiff/grad.hpp>
#include <eigengrad/core/print.hpp>

// The examples of docs/derivations/graph.md.

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using V = Variable<double>;
using T = Tensor<double>;

TEST(Graph, ByHand) {
  const V x({}, {2.0});
  const V a = square(x);
  const V u = 3.0 * a;
  const V w = u * x;
  const V loss = a + w;
  EXPECT_EQ(loss.item(), 28.0);
  const std::vector<V> bars = grad(loss, {w, u, a, x}, V(1.0));
  EXPECT_EQ(bars[0].item(), 1.0);
  EXPECT_EQ(bars[1].item(), 2.0);
  EXPECT_EQ(bars[2].item(), 7.0);
  EXPECT_EQ(bars[3].item(), 40.0);
}

TEST(Graph, SecondDerivativesByHand) {
  const auto f = [](const V& v) { return sum(square(slice(v, 0, 0, 1)) * slice(v, 0, 1, 2)); };
  const T at({2}, {1.0, 2.0});
  const T v({2}, {1.0, 1.0});
  EXPECT_TRUE(equal(hessian(f, at), T({2, 2}, {4.0, 2.0, 2.0, 0.0}))) << hessian(f, at);
  EXPECT_TRUE(equal(hvp(f, at, v), T({2}, {6.0, 2.0}))) << hvp(f, at, v);
  EXPECT_EQ(jvp(f, at, v).item(), 5.0);
  EXPECT_TRUE(equal(jacobian(f, at), T({1, 2}, {4.0, 1.0}))) << jacobian(f, at);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
