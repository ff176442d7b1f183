// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/augment.hpp>
#include <eigengrad/data/loader.hpp>
#include <eigengrad/data/synthetic.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace {

using testing::message_of;

using testing::random;

/// The random numbers that the samples of a set are changed by.
Rng rng_of(std::uint64_t seed, Index epoch, Index sample) {
  return Rng(seed,
             kAugmentationStreams + (static_cast<std::uint64_t>(epoch) << 32) + static_cast<std::uint64_t>(sample));
}

/// The transform's result on one image (1, H, W, C).
template <class F>
Tensor<double> transformed(const F& transform, Tensor<double> x, Rng& rng) {
  transform(Image<double>{x.mutable_data(), x.size(1), x.size(2), x.size(3)}, rng);
  return x;
}

// The definitions, as plain loops over the result.

Tensor<double> crop_reference(const Tensor<double>& x, Index padding, Rng& rng) {
  const Index top = rng.below(2 * padding + 1);
  const Index left = rng.below(2 * padding + 1);
  Tensor<double> padded = Tensor<double>::zeros({1, x.size(1) + 2 * padding, x.size(2) + 2 * padding, x.size(3)});
  double* to = padded.mutable_data();
  for (Index i = 0; i < x.size(1); ++i) {
    for (Index j = 0; j < x.size(2); ++j) {
      for (Index c = 0; c < x.size(3); ++c) {
        to[((padding + i) * padded.size(2) + padding + j) * x.size(3) + c] = x(0, i, j, c);
      }
    }
  }
  Tensor<double> window(x.shape());
  double* out = window.mutable_data();
  for (Index i = 0; i < x.size(1); ++i) {
    for (Index j = 0; j < x.size(2); ++j) {
      for (Index c = 0; c < x.size(3); ++c) *out++ = padded(0, top + i, left + j, c);
    }
  }
  return window;
}

Tensor<double> flip_reference(const Tensor<double>& x, double p, Rng& rng) {
  if (!(rng.uniform() < p)) return x;
  Tensor<double> y(x.shape());
  double* out = y.mutable_data();
  for (Index i = 0; i < x.size(1); ++i) {
    for (Index j = 0; j < x.size(2); ++j) {
      for (Index c = 0; c < x.size(3); ++c) *out++ = x(0, i, x.size(2) - 1 - j, c);
    }
  }
  return y;
}

Tensor<double> cutout_reference(const Tensor<double>& x, Index size, Rng& rng) {
  const Index y = rng.below(x.size(1)) - size / 2;
  const Index z = rng.below(x.size(2)) - size / 2;
  Tensor<double> result(x.shape());
  double* out = result.mutable_data();
  for (Index i = 0; i < x.size(1); ++i) {
    for (Index j = 0; j < x.size(2); ++j) {
      const bool inside = i >= y && i < y + size && j >= z && j < z + size;
      for (Index c = 0; c < x.size(3); ++c) *out++ = inside ? 0.0 : x(0, i, j, c);
    }
  }
  return result;
}

/// Calls f(x, seed) for images of several shapes, many times.
template <class F>
void for_images(const F& f) {
  for (const Shape& shape : {Shape{1, 8, 8, 3}, Shape{1, 5, 9, 1}, Shape{1, 9, 4, 2}, Shape{1, 1, 1, 3}}) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) f(random<double>(shape, seed), seed);
  }
}

TEST(RandomCrop, IsAWindowOfTheImageWithABorder) {
  for (const Index padding : {0, 1, 4, 12}) {  // up to wider than the image
    for_images([&](const Tensor<double>& x, std::uint64_t seed) {
      Rng one(seed, 1);
      Rng other(seed, 1);
      EXPECT_TRUE(equal(transformed(RandomCrop{.padding = padding}, x, one), crop_reference(x, padding, other)));
    });
  }
}

/// The number of the pixel that stands at place i, which may lie outside.
Index mirrored(Index i, Index size) {
  if (i < 0) i = -i;
  return i < size ? i : 2 * (size - 1) - i;
}

TEST(RandomCrop, MayHaveABorderThatMirrorsTheImage) {
  for (const Index padding : {0, 1, 2, 3, 4, 7}) {
    for_images([&](const Tensor<double>& x, std::uint64_t seed) {
      if (padding > 0 && padding >= std::min(x.size(1), x.size(2))) return;
      Rng one(seed, 1);
      Rng other(seed, 1);
      const Index down = other.below(2 * padding + 1) - padding;
      const Index right = other.below(2 * padding + 1) - padding;
      Tensor<double> expected(x.shape());
      double* out = expected.mutable_data();
      for (Index i = 0; i < x.size(1); ++i) {
        for (Index j = 0; j < x.size(2); ++j) {
          for (Index c = 0; c < x.size(3); ++c)
            *out++ = x(0, mirrored(i + down, x.size(1)), mirrored(j + right, x.size(2)), c);
        }
      }
      const RandomCrop crop{.padding = padding, .padding_mode = PaddingMode::reflect};
      EXPECT_TRUE(equal(transformed(crop, x, one), expected)) << padding << ' ' << down << ' ' << right;
    });
  }
}

TEST(RandomCrop, RefusesAMirroredBorderAsWideAsTheImage) {
  const auto x = random<double>({1, 5, 4, 1}, 1);
  Rng rng(1);
  EXPECT_NO_THROW(transformed(RandomCrop{.padding = 3, .padding_mode = PaddingMode::reflect}, x, rng));
  EXPECT_EQ(message_of([&] { transformed(RandomCrop{.padding = 4, .padding_mode = PaddingMode::reflect}, x, rng); }),
            "RandomCrop: padding is 4, and reflected it must be less than 4; image of 5 x 4");
}

TEST(RandomBrightness, AddsOneNumberToAll) {
  for_images([&](const Tensor<double>& x, std::uint64_t seed) {
    Rng one(seed, 1);
    Rng other(seed, 1);
    const Tensor<double> got = transformed(RandomBrightness{.max_delta = 0.7}, x, one);
    const double delta = other.uniform(-0.7, 0.7);
    EXPECT_LE(std::abs(delta), 0.7);
    for (Index i = 0; i < x.numel(); ++i) EXPECT_DOUBLE_EQ(got.data()[i], x.data()[i] + delta);
  });
}

TEST(RandomContrast, SpreadsEveryChannelAroundItsMean) {
  for_images([&](const Tensor<double>& x, std::uint64_t seed) {
    Rng one(seed, 1);
    Rng other(seed, 1);
    const Tensor<double> got = transformed(RandomContrast{.lower = 0.5, .upper = 2.5}, x, one);
    const double factor = other.uniform(0.5, 2.5);
    const Index channels = x.size(3), pixels = x.numel() / channels;
    for (Index c = 0; c < channels; ++c) {
      double mean = 0.0;
      for (Index i = 0; i < pixels; ++i) mean += x.data()[i * channels + c] / static_cast<double>(pixels);
      for (Index i = 0; i < pixels; ++i)
        EXPECT_NEAR(got.data()[i * channels + c], mean + factor * (x.data()[i * channels + c] - mean), 1e-13);
    }
  });
}

TEST(RandomContrast, OfANormalisedImageIsThatOfTheImage) {
  const auto x = random<double>({1, 6, 5, 3}, 4);
  const double means[] = {3.0, -1.0, 0.5}, scales[] = {0.5, 2.0, 7.0};
  const auto normalised = [&](Tensor<double> image) {
    double* values = image.mutable_data();
    for (Index i = 0; i < image.numel(); ++i) values[i] = (values[i] - means[i % 3]) * scales[i % 3];
    return image;
  };
  Rng one(9), other(9);
  const RandomContrast contrast{.lower = 0.2, .upper = 3.0};
  EXPECT_LT(testing::difference(transformed(contrast, normalised(x), one), normalised(transformed(contrast, x, other))),
            1e-13);
}

// The definition in torchvision, as far as the rectangle that it chooses.
Tensor<double> erasing_reference(const RandomErasing& erasing, const Tensor<double>& x, Rng& rng) {
  Tensor<double> y({x.shape()}, x.span());
  if (!(rng.uniform() < erasing.p)) return y;
  const auto rows = static_cast<double>(x.size(1)), columns = static_cast<double>(x.size(2));
  for (int i = 0; i < 10; ++i) {
    const double area = rows * columns * rng.uniform(erasing.scale[0], erasing.scale[1]);
    const double aspect = std::exp(rng.uniform(std::log(erasing.ratio[0]), std::log(erasing.ratio[1])));
    const auto h = static_cast<Index>(std::nearbyint(std::sqrt(area * aspect)));
    const auto w = static_cast<Index>(std::nearbyint(std::sqrt(area / aspect)));
    if (!(h < x.size(1) && w < x.size(2))) continue;
    const Index top = rng.below(x.size(1) - h + 1), left = rng.below(x.size(2) - w + 1);
    double* out = y.mutable_data();
    for (Index r = top; r < top + h; ++r) {
      for (Index s = left; s < left + w; ++s) {
        for (Index c = 0; c < x.size(3); ++c)
          out[(r * x.size(2) + s) * x.size(3) + c] = erasing.value ? *erasing.value : rng.normal();
      }
    }
    return y;
  }
  return y;
}

TEST(RandomErasing, WritesOverTheRectangleThatTorchvisionChooses) {
  int changed = 0, kept = 0;
  for (const RandomErasing& erasing :
       {RandomErasing{}, RandomErasing{.p = 1.0, .value = -2.5}, RandomErasing{.p = 1.0, .value = std::nullopt},
        RandomErasing{.p = 0.7, .scale = {0.5, 1.0}, .ratio = {0.1, 10.0}},
        RandomErasing{.p = 1.0, .scale = {1.0, 1.0}}, RandomErasing{.p = 0.0}}) {
    for_images([&](const Tensor<double>& x, std::uint64_t seed) {
      Rng one(seed, 1);
      Rng other(seed, 1);
      const Tensor<double> got = transformed(erasing, x, one);
      EXPECT_TRUE(equal(got, erasing_reference(erasing, x, other)));
      EXPECT_EQ(one(), other()) << "as many tries";
      ++(equal(got, x) ? kept : changed);
    });
  }
  EXPECT_GT(changed, 200);
  EXPECT_GT(kept, 200);
}

TEST(RandomErasing, ErasesTheShareOfTheAreaThatItSays) {
  const Tensor<double> x = Tensor<double>::ones({1, 64, 64, 1});
  Rng rng(5);
  double least = 1.0, most = 0.0, sum = 0.0;
  constexpr int kCount = 2000;
  for (int i = 0; i < kCount; ++i) {
    const double erased = 1.0 - transformed(RandomErasing{.p = 1.0}, x, rng).array().mean();
    least = std::min(least, erased);
    most = std::max(most, erased);
    sum += erased / kCount;
  }
  EXPECT_NEAR(least, 0.02, 0.005);
  EXPECT_NEAR(most, 0.33, 0.01);
  EXPECT_NEAR(sum, 0.175, 0.01);
}

TEST(RandomHorizontalFlip, ExchangesLeftAndRight) {
  for (const double p : {0.0, 0.3, 1.0}) {
    for_images([&](const Tensor<double>& x, std::uint64_t seed) {
      Rng one(seed, 1);
      Rng other(seed, 1);
      const Tensor<double> got = transformed(RandomHorizontalFlip{.p = p}, x, one);
      EXPECT_TRUE(equal(got, flip_reference(x, p, other)));
      EXPECT_TRUE(p > 0.0 || equal(got, x));
    });
  }
}

TEST(Cutout, SetsASquareToZero) {
  for (const Index size : {1, 2, 3, 8, 30}) {
    for_images([&](const Tensor<double>& x, std::uint64_t seed) {
      Rng one(seed, 1);
      Rng other(seed, 1);
      EXPECT_TRUE(equal(transformed(Cutout{.size = size}, x, one), cutout_reference(x, size, other)));
    });
  }
}

TEST(RandomCrop, AllPlacesOccurAboutEquallyOften) {
  constexpr Index kPadding = 2;
  constexpr int kEach = 400;
  // An image with one bright pixel in its middle shows where the window was.
  Tensor<double> x = Tensor<double>::zeros({1, 5, 5, 1});
  x.mutable_data()[12] = 1.0;
  std::vector<int> counts(25);
  Rng rng(3);
  for (int i = 0; i < 25 * kEach; ++i) {
    const Tensor<double> y = transformed(RandomCrop{.padding = kPadding}, x, rng);
    ++counts.at(static_cast<std::size_t>(std::max_element(y.data(), y.data() + 25) - y.data()));
  }
  for (const int count : counts) EXPECT_NEAR(count, kEach, 100);  // five standard deviations
}

TEST(RandomHorizontalFlip, HappensAsOftenAsPSays) {
  const Tensor<double> x({1, 1, 2, 1}, {0, 1});
  Rng rng(3);
  int flipped = 0;
  for (int i = 0; i < 10000; ++i) flipped += transformed(RandomHorizontalFlip{.p = 0.3}, x, rng)(0, 0, 0, 0) == 1.0;
  EXPECT_NEAR(flipped, 3000, 230);
}

TensorDataset<double, Index> some_images(Index count, std::uint64_t seed = 1) {
  Tensor<Index> labels({count});
  std::iota(labels.mutable_data(), labels.mutable_data() + count, Index{0});
  return {random<double>({count, 6, 7, 3}, seed), labels};
}

TEST(Augmented, AppliesTheTransformsInTurnByNumbersOfSeedEpochAndSample) {
  const auto images = some_images(40);
  const Augmented augmented{images, 5, RandomCrop{.padding = 2}, RandomHorizontalFlip{}, Cutout{.size = 3}};
  static_assert(Dataset<std::remove_const_t<decltype(augmented)>>);
  const std::vector<Index> samples{3, 39, 0, 3, 17, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 22};
  for (const Index epoch : {0, 1, 7}) {
    testing::poison<double>(images.input_shape(static_cast<Index>(samples.size())));
    const auto [inputs, labels] = augmented.batch(samples, epoch);
    ASSERT_EQ(inputs.shape(), (Shape{23, 6, 7, 3}));
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const std::vector<Index> one{samples[i]};
      Rng rng = rng_of(5, epoch, samples[i]);
      Tensor<double> expected = crop_reference(images.batch(one).inputs, 2, rng);
      expected = cutout_reference(flip_reference(expected, 0.5, rng), 3, rng);
      const Index numbers = expected.numel();
      EXPECT_TRUE(
          std::equal(expected.data(), expected.data() + numbers, inputs.data() + static_cast<Index>(i) * numbers));
      EXPECT_EQ(labels(i), samples[i]);
    }
  }
}

TEST(Augmented, EpochsAndSeedsDifferAndTheDataSetStaysAsItIs) {
  const auto images = some_images(20);
  std::vector<Index> all(20);
  std::iota(all.begin(), all.end(), Index{0});
  const Tensor<double> before = images.batch(all).inputs;
  const Augmented augmented{images, 5, RandomCrop{}, RandomHorizontalFlip{}};
  const Augmented other_seed{images, 6, RandomCrop{}, RandomHorizontalFlip{}};
  const Tensor<double> first = augmented.batch(all, 0).inputs;
  EXPECT_TRUE(equal(first, augmented.batch(all).inputs));  // the epoch is 0 where it is not given
  EXPECT_TRUE(equal(first, augmented.batch(all, 0).inputs));
  EXPECT_FALSE(equal(first, augmented.batch(all, 1).inputs));
  EXPECT_FALSE(equal(first, other_seed.batch(all, 0).inputs));
  EXPECT_FALSE(equal(first, before));
  EXPECT_TRUE(equal(augmented.dataset().batch(all).inputs, before));
  EXPECT_TRUE(equal(images.batch(all).inputs, before));
}

/// Returns its own tensors, which an augmentation must not change.
struct WholeSet {
  Tensor<double> images = random<double>({4, 5, 5, 1}, 1);
  Index size() const { return 4; }
  Batch<double> batch(std::span<const Index>) const { return {images, Tensor<Index>::zeros({4})}; }
};

TEST(Augmented, DoesNotChangeATensorThatTheDataSetStillHolds) {
  const WholeSet set;
  const Tensor<double> before({4, 5, 5, 1}, set.images.span());
  const std::vector<Index> all{0, 1, 2, 3};
  EXPECT_FALSE(equal(Augmented(set, 1, RandomCrop{}).batch(all).inputs, before));
  EXPECT_TRUE(equal(set.images, before));
  static_assert(!HasInputShape<Augmented<WholeSet, RandomCrop>>);
  EXPECT_THROW((Augmented{set, 1, RandomCrop{}}.batch(std::vector<Index>{0})), ShapeError);  // four images come
}

TEST(Augmented, TheSameBitsForAnyNumberOfThreadsBatchSizeAndPrefetch) {
  const auto images = some_images(50);
  const auto samples_of = [&](int threads, Index batch_size, bool prefetch) {
    set_num_threads(threads);
    const Augmented augmented{images,
                              5,
                              RandomCrop{.padding = 2, .padding_mode = PaddingMode::reflect},
                              RandomHorizontalFlip{},
                              RandomBrightness{},
                              RandomContrast{},
                              RandomErasing{.value = std::nullopt},
                              Cutout{.size = 3}};
    Loader loader{augmented, {.batch_size = batch_size, .epochs = 2, .seed = 3, .prefetch = prefetch}};
    // By epoch and label, which is the sample's number.
    std::vector<std::vector<double>> found(100);
    Index taken = 0;
    for (const auto& [inputs, labels] : loader) {
      const double* from = inputs.data();
      for (const Index label : labels.span()) {
        found.at(static_cast<std::size_t>(taken++ / 50 * 50 + label)).assign(from, from + 126);
        from += 126;
      }
    }
    set_num_threads(0);
    return found;
  };
  const auto expected = samples_of(1, 16, false);
  for (const int threads : {1, 2, 3}) {
    for (const Index batch_size : {16, 50, 7}) {
      for (const bool prefetch : {false, true}) EXPECT_EQ(samples_of(threads, batch_size, prefetch), expected);
    }
  }
  EXPECT_NE(expected[0], expected[50]);
}

TEST(Augmented, RefusesOptionsOutOfRange) {
  const auto images = some_images(4);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW((Augmented{images, 1, RandomCrop{.padding = -1}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomCrop{.padding = std::numeric_limits<Index>::max()}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomCrop{}, RandomHorizontalFlip{.p = -0.1}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomHorizontalFlip{.p = nan}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, Cutout{.size = 0}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomBrightness{.max_delta = -0.1}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomBrightness{.max_delta = nan}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomContrast{.lower = -0.1}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomContrast{.lower = 0.8, .upper = 0.7}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomErasing{.p = 1.1}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomErasing{.scale = {0.4, 0.3}}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomErasing{.scale = {0.4, 1.3}}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomErasing{.ratio = {0.0, 1.0}}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomErasing{.ratio = {2.0, 1.0}}}), ValueError);
  EXPECT_THROW((Augmented{images, 1, RandomErasing{.value = nan}}), ValueError);
  EXPECT_EQ(message_of([&] {
              Augmented{images, 1, RandomHorizontalFlip{.p = 1.5}};
            }),
            "RandomHorizontalFlip: p is 1.5, expected 0 to 1");
  EXPECT_NO_THROW((Augmented{images, 1, RandomHorizontalFlip{.p = 1.0}, RandomCrop{.padding = 0}}));
  EXPECT_EQ(Cutout{.size = std::numeric_limits<Index>::max()}.size, std::numeric_limits<Index>::max());
  const Augmented black{images, 1, Cutout{.size = std::numeric_limits<Index>::max()}};
  EXPECT_EQ(black.batch(std::vector<Index>{1}).inputs.array().abs().maxCoeff(), 0.0);
}

TEST(Augmented, RefusesInputsThatAreNotImages) {
  const TensorDataset rows{Tensor<float>::ones({5, 12}), Tensor<Index>::zeros({5})};
  const Augmented augmented{rows, 1, RandomCrop{}};
  const std::vector<Index> two{0, 1};
  EXPECT_EQ(message_of([&] { augmented.batch(two); }), "Augmented: inputs have shape (2, 12), expected (2, H, W, C)");
  EXPECT_THROW(augmented.input_shape(2), ShapeError);
  EXPECT_THROW(augmented.batch(std::vector<Index>{5}), ValueError);  // as the data set says
}

TEST(Augmented, TellsItsShapeAndTakesEmptyBatches) {
  const Augmented augmented{some_images(4), 1, RandomCrop{}, Cutout{}};
  EXPECT_EQ(augmented.size(), 4);
  EXPECT_EQ(augmented.input_shape(9), (Shape{9, 6, 7, 3}));
  EXPECT_EQ(augmented.batch({}).inputs.shape(), (Shape{0, 6, 7, 3}));
}

/// A transform of the user's.
struct AddNoise {
  double deviation = 1.0;
  template <class T>
  void operator()(const Image<T>& image, Rng& rng) const {
    for (T* x = image.row(0); x < image.row(image.height); ++x) *x += static_cast<T>(deviation * rng.normal());
  }
};

TEST(Augmented, TakesTransformsOfTheUser) {
  const auto images = some_images(4);
  auto negative = [](const Image<double>& image, Rng&) { image.pixels[0] = -image.pixels[0]; };
  static_assert(ImageTransform<AddNoise> && ImageTransform<decltype(negative), double>);
  static_assert(ImageTransform<RandomCrop> && ImageTransform<RandomHorizontalFlip> && ImageTransform<Cutout, double>);
  static_assert(!ImageTransform<int> && !ImageTransform<decltype(negative), float>);
  const Augmented augmented{images, 9, AddNoise{.deviation = 0.5}, negative};
  const std::vector<Index> one{2};
  Tensor<double> expected = images.batch(one).inputs;
  Rng rng = rng_of(9, 4, 2);
  for (double& x : expected.mutable_span()) x += 0.5 * rng.normal();
  expected.mutable_data()[0] *= -1.0;
  EXPECT_TRUE(equal(augmented.batch(one, 4).inputs, expected));
}

TEST(Augmented, OneAroundAnotherHandsTheEpochOn) {
  const auto images = some_images(30);
  std::vector<Index> all(30);
  std::iota(all.begin(), all.end(), Index{0});
  const Augmented both{Augmented{images, 1, RandomCrop{}}, 2, RandomHorizontalFlip{.p = 0.0}};
  EXPECT_TRUE(equal(both.batch(all, 3).inputs, Augmented(images, 1, RandomCrop{}).batch(all, 3).inputs));
  EXPECT_FALSE(equal(both.batch(all, 3).inputs, both.batch(all, 4).inputs));
}

class AugmentedMemory : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(0); }
};

TEST_P(AugmentedMemory, TakesNoneFromTheSystemAfterTheSecondBatch) {
  const auto split = synthetic_cifar10(1, {.train = 400, .test = 10});
  const Augmented train{split.train,     1,       RandomCrop{.padding_mode = PaddingMode::reflect}, RandomContrast{},
                        RandomErasing{}, Cutout{}};
  for (const bool prefetch : {false, true}) {
    memory::trim();
    const auto held_before = memory::stats().used_bytes;
    Loader loader{train, {.batch_size = 100, .epochs = kEndless, .prefetch = prefetch}};
    std::int64_t after_two = 0;
    std::int64_t held = 0;
    for (int step = 1; step <= 30; ++step) {
      const auto batch = loader.next();
      if (step == 2) after_two = memory::stats().system_allocations;
      held = memory::stats().used_bytes - held_before;
    }
    EXPECT_EQ(memory::stats().system_allocations, after_two) << prefetch;
    const double one = 100.0 * 3072.0 * sizeof(float);
    EXPECT_NEAR(static_cast<double>(held) / one, prefetch ? 2.0 : 1.0, 0.3);  // a block is up to 1/8 larger
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, AugmentedMemory, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data
