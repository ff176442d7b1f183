// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/parameter.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::message_of;

Parameter<float> filled(float value) { return Parameter<float>(Tensor<float>::full({2}, value)); }

TEST(Parameter, AddsToAGradientThatIsThere) {
  Parameter<float> parameter{Tensor<float>::zeros({2})};
  EXPECT_FALSE(parameter.has_grad());
  const Tensor<float> one({2}, {1, 2});
  parameter.add_grad(one);
  EXPECT_TRUE(equal(parameter.grad, one));
  parameter.add_grad(one);
  EXPECT_TRUE(equal(parameter.grad, Tensor<float>({2}, {2, 4})));
  EXPECT_EQ(one(1), 2);
  parameter.zero_grad();
  EXPECT_FALSE(parameter.has_grad());
}

TEST(Parameter, RefusesGradientsOfAnotherShape) {
  Parameter<float> parameter = filled(0);
  EXPECT_EQ(message_of([&] { parameter.add_grad(Tensor<float>::zeros({3})); }),
            "Parameter: gradient has shape (3,), expected (2,)");
  for (const Shape& shape : {Shape{1}, Shape{300}, Shape{2, 1}}) {
    parameter.grad = Tensor<float>::ones(shape);
    EXPECT_THROW(parameter.add_grad(Tensor<float>::ones({2})), ShapeError) << shape;
  }
}

TEST(ParameterClaim, FollowsTheParameterWhereItIsMoved) {
  auto first = std::make_unique<Parameter<float>>(filled(1));
  const detail::ParameterClaim<float> claim(*first);
  EXPECT_TRUE(first->has_optimizer());
  Parameter<float> second(std::move(*first));
  EXPECT_EQ(claim.get(), &second);
  first.reset();
  EXPECT_EQ(claim.get(), &second);
  std::vector<Parameter<float>> several;
  several.push_back(std::move(second));
  for (int i = 0; i < 20; ++i) several.push_back(filled(2));  // and the vector moves
  EXPECT_EQ(claim.get(), &several[0]);
  EXPECT_TRUE(equal(claim.get()->value, Tensor<float>::ones({2})));
}

TEST(ParameterClaim, StaysWhereItIsAssignedTo) {
  Parameter<float> parameter = filled(1), other = filled(2);
  const detail::ParameterClaim<float> claim(parameter);
  parameter = other;
  EXPECT_EQ(claim.get(), &parameter);
  EXPECT_TRUE(equal(parameter.value, other.value));
  EXPECT_FALSE(other.has_optimizer());
  parameter = filled(3);
  EXPECT_EQ(claim.get(), &parameter);
  const Parameter<float>& itself = parameter;
  parameter = itself;
  EXPECT_EQ(parameter.value(0), 3);
}

TEST(ParameterClaim, GoesAlongWhereTheTargetOfAMoveHasNone) {
  Parameter<float> parameter = filled(1), other = filled(2);
  const detail::ParameterClaim<float> claim(parameter);
  other = std::move(parameter);
  EXPECT_EQ(claim.get(), &other);
  std::swap(other, parameter);
  EXPECT_EQ(claim.get(), &parameter);
  EXPECT_EQ(parameter.value(0), 1);
}

TEST(ParameterClaim, KnowsThatTheParameterIsGone) {
  auto parameter = std::make_unique<Parameter<float>>(filled(1));
  const detail::ParameterClaim<float> claim(*parameter);
  parameter.reset();
  EXPECT_EQ(claim.get(), nullptr);

  // Two with an optimiser each: what is moved leaves its own behind.
  Parameter<float> a = filled(1), b = filled(2);
  const detail::ParameterClaim<float> of_a(a), of_b(b);
  a = std::move(b);
  EXPECT_EQ(of_a.get(), &a);
  EXPECT_EQ(of_b.get(), nullptr);
}

TEST(ParameterClaim, ACopyOfTheParameterHasNone) {
  Parameter<float> parameter = filled(1);
  detail::ParameterClaim<float> claim(parameter);
  claim.count_step();
  const Parameter<float> copy = parameter;
  EXPECT_FALSE(copy.has_optimizer());
  EXPECT_EQ(copy.optimizer_steps(), 0);
  EXPECT_EQ(parameter.optimizer_steps(), 1);
  EXPECT_EQ(claim.get(), &parameter);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
