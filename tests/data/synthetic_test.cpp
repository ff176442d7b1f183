// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/eigengrad.hpp>

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

TEST(Synthetic, HasTheShapeOfCifar10AndAllClasses) {
  const auto [train, test] = synthetic_cifar10(1, {.train = 2000, .test = 500});
  EXPECT_EQ(train.images.shape(), (Shape{2000, 32, 32, 3}));
  EXPECT_EQ(test.images.shape(), (Shape{500, 32, 32, 3}));
  EXPECT_EQ(train.num_classes(), 10);
  std::vector<int> counts(10);
  for (const Index label : train.labels.span()) ++counts.at(static_cast<std::size_t>(label));
  for (const int count : counts) EXPECT_NEAR(count, 200, 60);
  const SyntheticOptions defaults;
  EXPECT_EQ(defaults.train, 50000);
  EXPECT_EQ(defaults.test, 10000);
}

TEST(Synthetic, TheSameSeedDrawsTheSameImages) {
  const SyntheticOptions small{.train = 100, .test = 20};
  const auto a = synthetic_cifar10(5, small);
  set_num_threads(1);
  const auto b = synthetic_cifar10(5, small);
  set_num_threads(0);
  const auto other = synthetic_cifar10(6, small);
  EXPECT_TRUE(equal(a.train.images, b.train.images));
  EXPECT_TRUE(equal(a.test.labels, b.test.labels));
  EXPECT_FALSE(equal(a.train.images, other.train.images));
  EXPECT_THROW(synthetic_cifar10(1, {.train = 0}), ValueError);
}

TEST(Synthetic, DrawsTheSameBytesEverywhere) {
  const auto split = synthetic_cifar10(42, {.train = 200, .test = 1});
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const std::uint8_t byte : split.train.images.span()) hash = (hash ^ byte) * 1099511628211U;
  EXPECT_EQ(hash, 16046746026114472596U);
}

// Every figure turned by the same angle, with its middle at (6.2, 5.3) and a size of 5.5.
const std::array<const char*, 12> kFigures{
    ".....###..... .....###..... .....##...... ............. .............",
    "...#######... ...#######... ....#####.... .........#... ...#....##...",
    "..#########.. ..#########.. ...#######... .......###... ..###..####..",
    "..##########. ..##.....###. ...########.. .....#####... ..########...",
    ".###########. .###......##. ..########### ...#######... ..########...",
    ".###########. .##.......##. .############ .#########... ....#####....",
    ".###########. .##.......##. ############. .########.... ....######...",
    ".###########. .###......##. .##########.. ...######.... ...#########.",
    "..#########.. ..###....##.. ...########.. ....#####.... ...####.###..",
    "...########.. ...########.. ....######... .....####.... ...###...##..",
    "....######... ....######... .....####.... .......##.... ....#........",
    "............. ............. .......#..... ............. .............",
};
const std::array<const char*, 12> kTextures{
    "....#####.... .......##..## .....##.....#", "#.....####... #..########## .....###....#",
    "##.....####.. ######.##..## .....###.....", "####....##### ##..#.......# ......#......",
    "#####.....### #...#...##.## .........###.", "..####.....## ##.###.###.## .###.....###.",
    "...#####....# ######..##..# .###.....###.", "....#####.... ##..#.......# ..##.........",
    "#.....####... .....#..##..# ......##.....", "##.....#####. ##..#######.# #.....###....",
    "####....##### ###.###.##... #.....###....", ".####.....### .#...#...#... #..........#.",
};

bool covers(const detail::Figure& figure, int column, int row) {
  std::array<int, detail::kSyntheticSide> covered;
  figure.cover(row, covered);
  return covered[static_cast<std::size_t>(column)] != 0;
}

TEST(Synthetic, FiguresHaveTheirShapes) {
  const auto expect_picture = [](int kind, const std::array<const char*, 12>& pictures, int place) {
    const detail::Figure figure{kind, 6.2, 5.3, 5.5, 0.8, 0.6};
    for (int row = 0; row < 12; ++row) {
      std::string line;
      for (int column = 0; column < 13; ++column) line += covers(figure, column, row) ? '#' : '.';
      EXPECT_EQ(line,
                std::string(pictures[static_cast<std::size_t>(row)]).substr(static_cast<std::size_t>(place * 14), 13))
          << "kind " << kind << ", row " << row;
    }
  };
  for (const int kind : {0, 1, 2, 3, 4}) expect_picture(kind, kFigures, kind);
  for (const int kind : {5, 6, 7}) expect_picture(kind, kTextures, 0);  // stripes; their angles differ
  expect_picture(8, kTextures, 1);
  expect_picture(9, kTextures, 2);
}

TEST(Synthetic, FiguresFillTheirRangesOfPlaceSizeAndAngle) {
  Rng rng(3, 4);
  for (int kind = 0; kind < 10; ++kind) {
    const double smallest = kind < 5 ? 8.0 : 6.0, largest = kind < 5 ? 12.0 : 9.0;
    const double middle = kind == 6 ? 60.0 : kind == 7 ? 120.0 : 0.0;  // degrees
    std::array<double, 4> low{1e9, 1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9, -1e9};
    for (int i = 0; i < 400; ++i) {
      const detail::Figure figure = detail::random_figure(kind, rng);
      EXPECT_EQ(figure.kind, kind);
      const double angle = std::atan2(figure.sine, figure.cosine) * 180.0 / std::numbers::pi;
      EXPECT_NEAR(std::hypot(figure.sine, figure.cosine), 1.0, 1e-12);
      const std::array<double, 4> values{figure.x, figure.y, figure.size, angle};
      for (std::size_t v = 0; v < 4; ++v) {
        low[v] = std::min(low[v], values[v]);
        high[v] = std::max(high[v], values[v]);
      }
    }
    const std::array<double, 4> least{12.0, 12.0, smallest, middle - 10.0}, most{20.0, 20.0, largest, middle + 10.0};
    for (std::size_t v = 0; v < 4; ++v) {
      const double slack = 0.03 * (most[v] - least[v]);
      EXPECT_GE(low[v], least[v]) << kind << " " << v;
      EXPECT_LT(low[v], least[v] + slack) << kind << " " << v;
      EXPECT_LE(high[v], most[v]) << kind << " " << v;
      EXPECT_GT(high[v], most[v] - slack) << kind << " " << v;
    }
  }
}

TEST(Synthetic, NoiseIsTheSumOfFourBytes) {
  EXPECT_EQ(detail::byte_noise(0U, 148), -510);
  EXPECT_EQ(detail::byte_noise(0xFFFFFFFFU, 148), 510);
  EXPECT_EQ(detail::byte_noise(0x04030201U, 148), 10 - 510);
  EXPECT_EQ(detail::byte_noise(0x80FF7F00U, 37), (128 + 255 + 127 - 510) / 4);
  EXPECT_EQ(detail::byte_noise(0xFFFFFFFFU, 40), 510 * 40 / 148);
}

// Three quarters of the figures are brighter than the ground, which lies from 90 to 165, by 20 to 90; noise is the same
// on both.
TEST(Synthetic, ImagesHaveAGroundAFigureAndNoise) {
  constexpr int kImages = 300;
  int brighter = 0;
  std::array<double, 3> lowest{255.0, 255.0, 255.0}, highest{};
  double least = 255.0, most = 0.0, squares = 0.0;
  for (int i = 0; i < kImages; ++i) {
    Rng rng(9, static_cast<std::uint64_t>(i)), again(9, static_cast<std::uint64_t>(i));
    const detail::Figure figure = detail::random_figure(0, again);
    std::vector<std::uint8_t> pixels(32 * 32 * 3);
    detail::draw_synthetic_image(0, rng, pixels.data());
    std::array<double, 3> figure_sum{}, ground_sum{};
    double covered = 0.0;
    for (int at = 0; at < 32 * 32; ++at) {
      const bool inside = covers(figure, at % 32, at / 32);
      covered += inside;
      for (std::size_t c = 0; c < 3; ++c) {
        (inside ? figure_sum : ground_sum)[c] += pixels[static_cast<std::size_t>(at) * 3 + c];
      }
    }
    for (std::size_t c = 0; c < 3; ++c) {
      const double ground = ground_sum[c] / (1024.0 - covered), contrast = figure_sum[c] / covered - ground;
      lowest[c] = std::min(lowest[c], ground);
      highest[c] = std::max(highest[c], ground);
      least = std::min(least, std::abs(contrast));
      most = std::max(most, std::abs(contrast));
      if (c > 0) {
        EXPECT_GT(contrast * (figure_sum[0] / covered - ground_sum[0] / (1024.0 - covered)), 0.0);
      }
    }
    brighter += figure_sum[0] / covered > ground_sum[0] / (1024.0 - covered);
    for (int at = 0; at < 32 * 32; ++at) {
      if (covers(figure, at % 32, at / 32)) continue;
      const double noise = pixels[static_cast<std::size_t>(at) * 3] - ground_sum[0] / (1024.0 - covered);
      squares += noise * noise / (1024.0 - covered);
    }
  }
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(lowest[c], 90.0, 5.0);
    EXPECT_NEAR(highest[c], 165.0, 5.0);
  }
  EXPECT_NEAR(least, 20.0, 6.0);
  EXPECT_NEAR(most, 88.0, 6.0);
  EXPECT_NEAR(brighter, 0.75 * kImages, 0.08 * kImages);
  EXPECT_NEAR(std::sqrt(squares / kImages), 40.0, 1.5);
}

double trained_accuracy(nn::Sequential<>& net) {
  auto [train, test] = synthetic_cifar10(1, {.train = 8000, .test = 1000});
  optim::SGD sgd{net.parameters(), {.learning_rate = 0.02, .momentum = 0.9}};
  nn::SoftmaxCrossEntropy loss;
  for (const auto& [images, labels] : Loader{train, {.batch_size = 100, .epochs = 6}}) {
    loss.forward(net.forward(images), labels);
    net.backward_parameters(loss.backward());
    sgd.step();
  }
  return train::accuracy(net, test);
}

TEST(Synthetic, AnMlpIsClearlyBetterThanALinearModel) {
  manual_seed(1);
  nn::Sequential linear{nn::Flatten{}, nn::Linear{3072, 10}};
  nn::Sequential mlp{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 10}};
  const double linear_accuracy = trained_accuracy(linear);
  const double mlp_accuracy = trained_accuracy(mlp);
  EXPECT_GT(mlp_accuracy, 0.5);
  EXPECT_GT(mlp_accuracy, linear_accuracy + 0.2);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
