// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>

#include <gtest/gtest.h>

#include <eigengrad/nn/init.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/relu.hpp>

// What docs/derivations/initialisers.md says of deep networks.

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

/// How the mean square of the pre-activations changes from the first to the tenth layer of 200 units with ReLU.
double growth(const init::Scheme& scheme, std::uint64_t seed) {
  Rng rng(seed);
  constexpr Index kUnits = 200;
  auto x = Tensor<double>::randn({100, kUnits}, rng);
  double first = 0.0;
  double last = 0.0;
  for (int layer = 0; layer < 10; ++layer) {
    Linear<double> linear{kUnits, kUnits, {.bias = false}};
    initialize(linear, scheme, rng);
    const Tensor<double> before = linear.forward(x, Mode::eval);
    last = before.array().square().mean();
    if (layer == 0) first = last;
    x = ReLU<double>{}.forward(before, Mode::eval);
  }
  return last / first;
}

TEST(Variances, StayAsTheyAre) {
  double kaiming = 0.0;
  double uniform = 0.0;
  double pytorch = 0.0;
  constexpr int kNetworks = 10;
  for (std::uint64_t seed = 1; seed <= kNetworks; ++seed) {
    kaiming += std::log(growth(init::KaimingNormal{}, seed)) / kNetworks;
    uniform += std::log(growth(init::KaimingUniform{}, seed)) / kNetworks;
    pytorch += std::log(growth(init::PyTorch{}, seed)) / kNetworks;
  }
  EXPECT_NEAR(kaiming, 0.0, 0.4);
  EXPECT_NEAR(uniform, 0.0, 0.4);
  EXPECT_NEAR(pytorch, -9.0 * std::log(6.0), 0.4);
}

TEST(Variances, OfTheUniformDistributionAreThoseOfTheNormalOne) {
  Rng rng(3);
  const init::Fans fans{300.0, 500.0};
  const auto variance = [&](const init::Scheme& scheme) {
    return init::weight<double>({500, 300}, fans, scheme, rng).array().square().mean();
  };
  EXPECT_NEAR(variance(init::KaimingNormal{}) * 300.0, 2.0, 0.03);
  EXPECT_NEAR(variance(init::KaimingUniform{}) * 300.0, 2.0, 0.03);
  EXPECT_NEAR(variance(init::XavierNormal{}) * 400.0, 1.0, 0.015);
  EXPECT_NEAR(variance(init::XavierUniform{}) * 400.0, 1.0, 0.015);
  EXPECT_NEAR(variance(init::PyTorch{}) * 900.0, 1.0, 0.015);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
