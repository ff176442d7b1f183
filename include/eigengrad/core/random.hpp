// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

#include <eigengrad/core/shape.hpp>

// Random numbers that are the same bits with every compiler, processor and number of threads.
//   Rng rng{42};
//   double u = rng.uniform(), z = rng.normal();
// Counter based: the i-th number is a function of (seed, stream, i) alone, so any part of a sequence can be
// computed without the rest, and two streams of one seed never overlap.

namespace eigengrad::EIGENGRAD_ISA {

namespace detail {

/// Four 32-bit words, a bijection of the counter chosen by the key.
/// Source   Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011), Philox-4x32-10
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

/// The words of kPhiloxLanes blocks: words[i][lane] is word i of the block of that lane.
inline constexpr std::size_t kPhiloxLanes = 16;
using PhiloxLanes = std::array<std::array<std::uint32_t, kPhiloxLanes>, 4>;

/// philox of many counters under one key, as loops over lanes that a compiler turns into vector instructions.
inline PhiloxLanes philox_lanes(const PhiloxLanes& counters, std::array<std::uint32_t, 2> key) {
  PhiloxLanes c = counters;
  for (int round = 0; round < 10; ++round) {
    for (std::size_t lane = 0; lane < kPhiloxLanes; ++lane) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * c[0][lane];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * c[2][lane];
      c[0][lane] = static_cast<std::uint32_t>(product1 >> 32) ^ c[1][lane] ^ key[0];
      c[1][lane] = static_cast<std::uint32_t>(product1);
      c[2][lane] = static_cast<std::uint32_t>(product0 >> 32) ^ c[3][lane] ^ key[1];
      c[3][lane] = static_cast<std::uint32_t>(product0);
    }
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return c;
}

// The C library's log and cos differ in the last bit between systems, and a compiler may or may not contract
// a * b + c. So the functions that normal and other numbers need are written here from operations that IEEE 754
// rounds exactly: + - * / sqrt and an explicit fused multiply-add.

/// Natural logarithm of a normal number above 0; relative error below 1e-15.
inline double exact_log(double x) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFU) | 0x3FF0000000000000U);  // in [1, 2)
  if (mantissa > std::numbers::sqrt2) {
    mantissa *= 0.5;
    ++exponent;
  }
  // log(m) = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...) with |s| < 0.172
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  const double square = s * s;
  double series = 0.0;
  for (int k = 23; k >= 3; k -= 2) series = std::fma(series, square, 1.0 / k);
  series *= square;
  return std::fma(std::numbers::ln2, exponent, 2.0 * std::fma(s, series, s));
}

/// e^x for x from -700 to 700; relative error below 1e-15.
inline double exact_exp(double x) {
  const double exponent = std::floor(std::fma(x, std::numbers::log2e, 0.5));  // e^x = 2^exponent e^rest
  constexpr double kLn2High = 0x1.62E42FEFA39EFp-1, kLn2Low = 0x1.ABC9E3B39803Fp-56;
  const double rest = std::fma(-exponent, kLn2Low, std::fma(-exponent, kLn2High, x));  // up to 0.35
  double series = 1.0;
  for (int k = 15; k >= 1; --k) series = std::fma(series, rest / k, 1.0);
  const auto power = static_cast<std::uint64_t>(static_cast<std::int64_t>(exponent) + 1023) << 52;
  return series * std::bit_cast<double>(power);
}

/// cos and sin of 2 pi turn for turn in [0, 1); absolute error below 1e-15.
inline std::pair<double, double> exact_cos_sin(double turn) {
  const int eighth = static_cast<int>(turn * 8.0);  // scaling by a power of two is exact
  const int quarter = (eighth + 1) / 2;             // the nearest multiple of a quarter turn
  const double angle = std::fma(turn, 4.0, -quarter) * (std::numbers::pi / 2);  // in [-pi/4, pi/4]
  const double square = angle * angle;
  double cosine = 0.0;
  double sine = 0.0;
  for (int k = 18; k >= 2; k -= 2) {
    cosine = std::fma(-square / (k * (k - 1)), cosine, 1.0);
    sine = std::fma(-square / (k * (k + 1)), sine, 1.0);
  }
  // The two Taylor series, as nested products: 1 - x^2/(1*2) (1 - x^2/(3*4) (...)).
  sine *= angle;
  switch (quarter % 4) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

}  // namespace detail

/// A sequence of random numbers, fixed by (seed, stream). A cheap value: copying it repeats the sequence.
/// Satisfies std::uniform_random_bit_generator.
class Rng {
 public:
  using result_type = std::uint32_t;

  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xFFFFFFFFU; }

  /// 32 random bits.
  result_type operator()() {
    if (position_ % 4 == 0) words_ = block(position_ / 4);
    return words_[position_++ % 4];
  }

  /// Fills `numbers` with what as many calls of operator() return, in a fraction of their time.
  void fill(std::span<result_type> numbers) {
    auto next = numbers.begin();
    while (next != numbers.end() && position_ % 4 != 0) *next++ = (*this)();
    constexpr std::size_t kAtOnce = 4 * detail::kPhiloxLanes;
    for (; static_cast<std::size_t>(numbers.end() - next) >= kAtOnce; position_ += kAtOnce) {
      const detail::PhiloxLanes some = blocks(position_ / 4);
      for (std::size_t lane = 0; lane < detail::kPhiloxLanes; ++lane) {
        for (const auto& number : some) *next++ = number[lane];
      }
    }
    while (next != numbers.end()) *next++ = (*this)();
  }

  /// 64 random bits.
  std::uint64_t bits64() {
    const std::uint64_t high = (*this)();
    return (high << 32) | (*this)();
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits64() >> 11) * 0x1p-53; }

  /// Uniform between low and high.
  double uniform(double low, double high) { return std::fma(high - low, uniform(), low); }

  /// Uniform among 0, 1, ..., count - 1, for count >= 1.
  Index below(Index count) {
    // Lemire 2019: the high word of a product, rejecting the few low words that would make it uneven.
    const auto range = static_cast<std::uint64_t>(count);
    const std::uint64_t uneven = (0 - range) % range;
    while (true) {
      const auto [high, low] = multiply(bits64(), range);
      if (low >= uneven) return static_cast<Index>(high);
    }
  }

  /// Normal with mean 0 and standard deviation 1.
  /// Source   Box & Muller 1958; the second number of each pair comes at the next call
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * detail::exact_log(1.0 - uniform()));
    const auto [cosine, sine] = detail::exact_cos_sin(uniform());
    spare_ = radius * sine;
    has_spare_ = true;
    return radius * cosine;
  }

  /// The numbers of blocks index, index + 1, ..., a block being four numbers of this sequence, in any order and on
  /// any thread: result[i][lane] is number 4 (index + lane) + i. The generator stays where it is.
  detail::PhiloxLanes blocks(std::uint64_t index) const {
    detail::PhiloxLanes counters{};
    for (std::size_t lane = 0; lane < detail::kPhiloxLanes; ++lane) {
      counters[0][lane] = low_word(index + lane);
      counters[1][lane] = high_word(index + lane);
      counters[2][lane] = low_word(stream_);
      counters[3][lane] = high_word(stream_);
    }
    return detail::philox_lanes(counters, {low_word(seed_), high_word(seed_)});
  }

 private:
  std::array<std::uint32_t, 4> block(std::uint64_t index) const {
    return detail::philox({low_word(index), high_word(index), low_word(stream_), high_word(stream_)},
                          {low_word(seed_), high_word(seed_)});
  }
  static std::uint32_t low_word(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
  static std::uint32_t high_word(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

  static std::pair<std::uint64_t, std::uint64_t> multiply(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t a0 = low_word(a), a1 = a >> 32, b0 = low_word(b), b1 = b >> 32;
    const std::uint64_t middle = a1 * b0 + ((a0 * b0) >> 32);
    const std::uint64_t other = a0 * b1 + low_word(middle);
    return {a1 * b1 + (middle >> 32) + (other >> 32), a * b};
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4> words_{};
  double spare_ = 0.0;
  bool has_spare_ = false;
};

/// Fisher-Yates: every order of the elements is equally likely.
template <class Range>
void shuffle(Range& range, Rng& rng) {
  for (auto i = static_cast<Index>(std::size(range)) - 1; i > 0; --i) {
    const Index j = rng.below(i + 1);
    std::swap(range[static_cast<std::size_t>(i)], range[static_cast<std::size_t>(j)]);
  }
}

// If the streams begin that parts of the library draw from, so that one seed serves them all.
inline constexpr std::uint64_t kLayerStreams = 0;
inline constexpr std::uint64_t kLoaderStreams = std::uint64_t{1} << 56;
inline constexpr std::uint64_t kSyntheticStreams = std::uint64_t{2} << 56;
inline constexpr std::uint64_t kAugmentationStreams = std::uint64_t{3} << 56;
inline constexpr std::uint64_t kSplitStreams = std::uint64_t{4} << 56;
inline constexpr std::uint64_t kMixUpStreams = std::uint64_t{5} << 56;

namespace detail {
inline std::atomic<std::uint64_t> default_seed{0};
inline std::atomic<std::uint64_t> default_stream{0};
}  // namespace detail

/// Seeds what draws random numbers without being given an Rng: the default initialisation of layers. As
/// torch.manual_seed: the layers built after it get the same numbers again. The seed is 0 until it is called.
inline void manual_seed(std::uint64_t seed) {
  detail::default_seed = seed;
  detail::default_stream = 0;
}

/// Where a layer is in the random numbers that it draws anew in every forward: the next pass draws from
/// Rng(seed, stream).
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t pass = 0;  ///< how many there have been

  bool operator==(const RandomStream&) const = default;
};

/// A stream of its own for each call: the next one of the seed set by manual_seed.
inline RandomStream default_random_stream() {
  return {.seed = detail::default_seed, .stream = kLayerStreams + ++detail::default_stream};
}

/// A generator of its own for each call, of the default_random_stream().
inline Rng default_rng() {
  const RandomStream next = default_random_stream();
  return Rng(next.seed, next.stream);
}

}  // namespace eigengrad::EIGENGRAD_ISA
