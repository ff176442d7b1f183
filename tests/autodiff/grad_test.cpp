// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/autodiff/grad.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::autodiff {
namespace {

using testing::difference;
using testing::message_of;

Variable<double> cubes(const Variable<double>& x) { return sum(pow(x, 3)); }

TEST(Grad, GivesGradientsOfAnyOrder) {
  const auto x = Variable<double>({}, {2.0});
  const auto y = pow(x, 4);
  const auto first = grad(y, x, {.create_graph = true});
  const auto second = grad(first, x, {.create_graph = true});
  const auto third = grad(second, x, {.create_graph = true});
  EXPECT_DOUBLE_EQ(first.item(), 32.0);
  EXPECT_DOUBLE_EQ(second.item(), 48.0);
  EXPECT_DOUBLE_EQ(third.item(), 48.0);
  EXPECT_DOUBLE_EQ(grad(third, x).item(), 24.0);
  EXPECT_TRUE(x.grad().empty());
}

TEST(Grad, ByAValueInTheMiddleAndByOneThatIsNotThere) {
  const Variable<double> x({2}, {1.0, 2.0});
  const Variable<double> other({3}, {1.0, 2.0, 3.0});
  const auto middle = x * x;
  const auto gradients = grad(sum(middle * 3.0), {middle, x, other}, Variable<double>(1.0));
  EXPECT_TRUE(equal(gradients[0].value(), Tensor<double>({2}, {3.0, 3.0})));
  EXPECT_TRUE(equal(gradients[1].value(), Tensor<double>({2}, {6.0, 12.0})));
  EXPECT_TRUE(equal(gradients[2].value(), Tensor<double>::zeros({3})));
}

TEST(Grad, FreesTheGraphUnlessItIsKept) {
  const Variable<double> x({}, {2.0});
  const auto y = x * x;
  grad(y, x, {.retain_graph = true});
  grad(y, x);
  EXPECT_THROW(grad(y, x), StateError);
}

TEST(Grad, JacobianHessianAndProducts) {
  const auto at = testing::random<double>({3}, 1);
  const auto matrix = testing::random<double>({2, 3}, 2);
  const auto squares = [&](const Variable<double>& x) { return matmul(Variable<double>(matrix), x * x); };
  Tensor<double> expected({2, 3});
  for (Index i = 0; i < 2; ++i) {
    for (Index j = 0; j < 3; ++j) expected.mutable_matrix()(i, j) = 2.0 * matrix(i, j) * at(j);
  }
  EXPECT_LT(difference(jacobian(squares, at), expected), 1e-14);

  // The Hessian of sum_k c_k x_k^3 + x_0 x_1 x_2
  const auto f = [](const Variable<double>& x) {
    return cubes(x) + slice(x, 0, 0, 1) * slice(x, 0, 1, 2) * slice(x, 0, 2, 3);
  };
  const auto number = [&](const Variable<double>& x) { return sum(f(x)); };
  const Tensor<double> h({3, 3}, {6 * at(0), at(2), at(1), at(2), 6 * at(1), at(0), at(1), at(0), 6 * at(2)});
  EXPECT_LT(difference(hessian(number, at), h), 1e-13);
  const auto v = testing::random<double>({3}, 3);
  EXPECT_LT(difference(hvp(number, at, v), ops::matmul(h, v)), 1e-13);
  EXPECT_LT(difference(jvp(squares, at, v), ops::matmul(expected, v)), 1e-13);
}

TEST(Grad, OfFunctionsThatAreLinearOrConstant) {
  const auto at = testing::random<double>({2}, 1);
  const auto linear = [](const Variable<double>& x) { return sum(x * 3.0); };
  EXPECT_TRUE(equal(hessian(linear, at), Tensor<double>::zeros({2, 2})));
  EXPECT_TRUE(equal(hvp(linear, at, at), Tensor<double>::zeros({2})));
  const auto constant = [](const Variable<double>& x) { return sum(x.detach()); };
  EXPECT_TRUE(equal(jacobian(constant, at), Tensor<double>::zeros({1, 2})));
  EXPECT_DOUBLE_EQ(jvp(linear, at, at).item(), 3.0 * at.array().sum());
}

TEST(Grad, RefusesWrongUse) {
  const Variable<double> x({2}, {1.0, 2.0});
  EXPECT_EQ(message_of([&] { grad(x * x, x); }), "grad: of a variable of shape (2,), expected one element");
  EXPECT_EQ(message_of([&] { grad(x.detach(), {x}, Variable<double>(Tensor<double>::ones({2}))); }),
            "grad: of a constant; nothing it was computed from requires a gradient");
  EXPECT_THROW(grad(x * x, {x}, Variable<double>(1.0)), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
