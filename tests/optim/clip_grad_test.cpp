// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/clip_grad.hpp>

#include "support/golden.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::optim {
namespace {

template <class T>
void compare_clipping_with_pytorch(double tolerance) {
  const testing::Golden golden("clip_grad_norm");
  const std::vector<std::pair<std::string, double>> cases{{"clipped", 0.75}, {"below", 100.0}, {"zero", 0.0}};
  for (const auto& [name, max_norm] : cases) {
    std::vector<Parameter<T>> parameters(4);
    std::vector<Parameter<T>*> pointers;
    for (std::size_t i = 0; i < 4; ++i) {
      pointers.push_back(&parameters[i]);
      if (i != 1) parameters[i].grad = golden["grad." + std::to_string(i)].template cast<T>();
    }
    const Tensor<T> shared = parameters[0].grad;
    const double norm = clip_grad_norm(pointers, max_norm);
    EXPECT_NEAR(norm, golden[name + ".norm"].item(), tolerance * norm) << name;
    for (const std::size_t i : {0U, 2U, 3U}) {
      const Tensor<T> expected = golden[name + "." + std::to_string(i)].template cast<T>();
      EXPECT_LT(testing::difference(parameters[i].grad, expected), tolerance) << name << ", parameter " << i;
    }
    EXPECT_FALSE(parameters[1].has_grad());
    EXPECT_TRUE(equal(shared, golden["grad.0"].template cast<T>()));  // a copy of a gradient stays as it was
  }
}

TEST(ClipGradNorm, MatchesPyTorch) {
  compare_clipping_with_pytorch<double>(1e-14);
  compare_clipping_with_pytorch<float>(1e-6);
}

TEST(ClipGradNorm, SumsInDoubleAndAlikeForAnyNumberOfThreads) {
  std::vector<Parameter<float>> parameters(4);
  std::vector<Parameter<float>*> pointers;
  const std::vector<Shape> shapes{{3}, {123, 457}, {31}, {200001}};
  long double exact = 0.0L;
  for (std::size_t i = 0; i < 4; ++i) {
    parameters[i].grad = testing::random<float>(shapes[i], i);
    for (const float g : parameters[i].grad.span()) exact += static_cast<long double>(g) * g;
    pointers.push_back(&parameters[i]);
  }
  std::vector<Tensor<float>> before, one;
  for (const auto& parameter : parameters) before.push_back(parameter.grad);
  double first = 0.0;
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    for (std::size_t i = 0; i < 4; ++i) parameters[i].grad = before[i];
    const double norm = clip_grad_norm(pointers, 1.0);
    EXPECT_NEAR(norm, static_cast<double>(std::sqrt(exact)), 1e-13 * norm);
    if (threads == 1) {
      first = norm;
      for (const auto& parameter : parameters) one.push_back(parameter.grad);
    }
    EXPECT_EQ(std::bit_cast<std::uint64_t>(norm), std::bit_cast<std::uint64_t>(first)) << threads;
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(equal(parameters[i].grad, one[i])) << threads;
    EXPECT_NEAR(grad_norm(pointers), 1.0, 1e-6);
  }
  set_num_threads(0);
}

TEST(ClipGradNorm, LeavesGradientsBelowTheBoundAsTheyAre) {
  Parameter<float> parameter{Tensor<float>::ones({2})};
  for (const double max_norm : {1.0001, 1.5, 2.5, 1e30}) {  // one just above the norm: the factor must not exceed 1
    parameter.grad = Tensor<float>({2}, {0.6F, -0.8F});
    EXPECT_NEAR(clip_grad_norm(std::vector<Parameter<float>*>{&parameter}, max_norm), 1.0, 1e-6);
    EXPECT_TRUE(equal(parameter.grad, Tensor<float>({2}, {0.6F, -0.8F}))) << max_norm;
  }
}

TEST(ClipGradNorm, OfNoGradientsIsZero) {
  Parameter<float> parameter{Tensor<float>::ones({3})};
  EXPECT_EQ(clip_grad_norm(std::vector<Parameter<float>*>{&parameter}, 1.0), 0.0);
  EXPECT_EQ(clip_grad_norm(std::vector<Parameter<float>*>{}, 1.0), 0.0);
  EXPECT_EQ(clip_grad_norm(std::vector<Parameter<float>*>{}, 0.0), 0.0);
}

TEST(ClipGradNorm, RefusesWhatIsNotFiniteAndLeavesTheGradients) {
  Parameter<float> a{Tensor<float>::ones({20})}, b{Tensor<float>::ones({20})};
  const std::vector<Parameter<float>*> parameters{&a, &b};
  a.add_grad(Tensor<float>::ones({20}));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const Index place : {0, 19}) {
      b.grad = Tensor<float>::ones({20});
      b.grad.mutable_data()[place] = bad;
      EXPECT_THROW(clip_grad_norm(parameters, 1.0), ValueError);
      EXPECT_TRUE(equal(a.grad, Tensor<float>::ones({20})));
    }
  }
  b.zero_grad();
  EXPECT_THROW(clip_grad_norm(parameters, -1.0), ValueError);
  EXPECT_THROW(clip_grad_norm(parameters, std::nan("")), ValueError);
  b.grad = Tensor<float>::full({20}, 3e38F);  // the square is no float
  EXPECT_NEAR(clip_grad_norm(parameters, std::numeric_limits<double>::infinity()), std::sqrt(20.0) * 3e38, 1e32);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim
