// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/winograd_transform.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd_test {
namespace {

/// One tile of M x M outputs in plain numbers: the filter, its gradient, and the same by Winograd's transforms.
template <int M>
struct Tile {
  static constexpr int Side = M + 2;
  double d[array_size(Side)][array_size(Side)], g[3][3], dy[array_size(M)][array_size(M)];

  explicit Tile(std::uint64_t seed) {
    Rng rng(seed);
    for (auto& row : d)
      for (double& x : row) x = rng.normal();
    for (auto& row : g)
      for (double& x : row) x = rng.normal();
    for (auto& row : dy)
      for (double& x : row) x = rng.normal();
  }

  /// All transforms of the tile's operands.
  void transform() {
    transform_tile<double, Side, Side>([](const auto& in, auto& out) { Winograd<M>::input(in, out); },
                                       [&](int i, int j) { return d[i][j]; },
                                       [&](int i, int j, double x) { input[i][j] = x; });
    transform_tile<double, 3, Side>([](const auto& in, auto& out) { Winograd<M>::weight(in, out); },
                                    [&](int i, int j) { return g[i][j]; },
                                    [&](int i, int j, double x) { weight[i][j] = x; });
    transform_tile<double, M, Side>([](const auto& in, auto& out) { Winograd<M>::output_gradient(in, out); },
                                    [&](int i, int j) { return dy[i][j]; },
                                    [&](int i, int j, double x) { gradient[i][j] = x; });
  }

  double input[array_size(Side)][array_size(Side)];
  double weight[array_size(Side)][array_size(Side)];
  double gradient[array_size(Side)][array_size(Side)];
};

template <int M>
void expect_outputs_of_the_window() {
  Tile<M> tile(1);
  tile.transform();
  transform_tile<double, M + 2, M>([](const auto& in, auto& out) { Winograd<M>::output(in, out); },
                                   [&](int i, int j) { return tile.input[i][j] * tile.weight[i][j]; },
                                   [&](int i, int j, double y) {
                                     double expected = 0.0;
                                     for (int r = 0; r < 3; ++r)
                                       for (int s = 0; s < 3; ++s) expected += tile.d[i + r][j + s] * tile.g[r][s];
                                     EXPECT_NEAR(y, expected, 1e-12) << i << ' ' << j;
                                   });
}

template <int M>
void expect_gradient_of_the_window() {
  Tile<M> tile(2);
  tile.transform();
  transform_tile<double, M + 2, 3>([](const auto& in, auto& out) { Winograd<M>::weight_gradient(in, out); },
                                   [&](int i, int j) { return tile.input[i][j] * tile.gradient[i][j]; },
                                   [&](int r, int s, double dg) {
                                     double expected = 0.0;
                                     for (int i = 0; i < M; ++i)
                                       for (int j = 0; j < M; ++j) expected += tile.d[i + r][j + s] * tile.dy[i][j];
                                     EXPECT_NEAR(dg, expected, 1e-12) << r << ' ' << s;
                                   });
}

TEST(Winograd, TilesOfTwoGiveTheOutputsOfTheWindow) { expect_outputs_of_the_window<2>(); }
TEST(Winograd, TilesOfFourGiveTheOutputsOfTheWindow) { expect_outputs_of_the_window<4>(); }
TEST(Winograd, TilesOfTwoGiveTheGradientOfTheWindow) { expect_gradient_of_the_window<2>(); }
TEST(Winograd, TilesOfFourGiveTheGradientOfTheWindow) { expect_gradient_of_the_window<4>(); }

/// What was in the memory of a result does not matter: each transform writes all of it.
template <int M>
void expect_whole_results() {
  constexpr std::size_t Side = M + 2;
  const auto numbers = [](auto& to) {
    for (double& x : to) x = 1.5;
  };
  const auto expect_written = [](auto& result, const auto& transform) {
    for (double& x : result) x = std::numeric_limits<double>::quiet_NaN();
    transform(result);
    for (const double x : result) EXPECT_TRUE(std::isfinite(x));
  };
  double tile[Side], window[3], outputs[array_size(M)];
  numbers(tile);
  numbers(window);
  numbers(outputs);
  double to_tile[Side], to_window[3], to_outputs[array_size(M)];
  expect_written(to_tile, [&](auto& to) { Winograd<M>::input(tile, to); });
  expect_written(to_tile, [&](auto& to) { Winograd<M>::weight(window, to); });
  expect_written(to_tile, [&](auto& to) { Winograd<M>::output_gradient(outputs, to); });
  expect_written(to_outputs, [&](auto& to) { Winograd<M>::output(tile, to); });
  expect_written(to_window, [&](auto& to) { Winograd<M>::weight_gradient(tile, to); });
}
TEST(Winograd, TransformsWriteTheirWholeResults) {
  expect_whole_results<2>();
  expect_whole_results<4>();
}

TEST(Vector, LoadsAndStoresAPart) {
  constexpr int Lanes = kLanes<float>;
  std::array<float, 2 * Lanes> numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i + 1);
  std::array<float, 2 * Lanes> out;
  for (Index count = 1; count <= Lanes; ++count) {
    out.fill(-1.0F);
    const auto part = Vector<float>::load(numbers.data(), count);
    EXPECT_EQ(part.sum(), static_cast<float>(count * (count + 1)) / 2.0F);  // the others are 0
    part.store(out.data(), count);
    EXPECT_EQ(out[static_cast<std::size_t>(count - 1)], static_cast<float>(count));
    EXPECT_EQ(out[static_cast<std::size_t>(count)], -1.0F);
  }
}

TEST(Vector, ANegativeNumberBecomesZeroAndNaNStays) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Vector<float>(-2.0).not_below_zero().sum(), 0.0F);
  EXPECT_EQ(Vector<float>(2.0).not_below_zero().sum(), 2.0F * kLanes<float>);
  EXPECT_TRUE(std::isnan(Vector<float>(nan).not_below_zero().sum()));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::winograd_test
