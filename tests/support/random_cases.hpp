// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/random.hpp>
#include <eigengrad/core/tensor.hpp>

// What tests with random operations on random shapes share. The seed is fixed; for a longer run
//   EIGENGRAD_RANDOM_FACTOR=100 EIGENGRAD_RANDOM_SEED=7 build/ci/tests/ops_test --gtest_filter='Random*'
// (the target random_tests_long) does a hundred times as many cases, others with every seed.

namespace eigengrad::EIGENGRAD_ISA::testing {

inline Index number_from_environment(const char* name, Index otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<Index>(std::strtoll(text, nullptr, 10));
}
inline Index random_case_count(Index usual) { return usual * number_from_environment("EIGENGRAD_RANDOM_FACTOR", 1); }
inline std::uint64_t random_seed() {
  return static_cast<std::uint64_t>(number_from_environment("EIGENGRAD_RANDOM_SEED", 1));
}

/// True until some twenty failures have been seen: enough to tell kinds apart.
inline bool few_failures() {
  return ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() < 20;
}

/// Random choices of one case. Shapes are small, with many axes of size 1 and some of none; now and then a shape has no
/// element but sizes that no memory could hold.
class Choices {
 public:
  explicit Choices(std::uint64_t number) : rng_(random_seed(), number) {}

  Rng& rng() { return rng_; }
  /// 0 ... count - 1
  Index below(Index count) { return rng_.below(count); }
  bool one_in(Index count) { return below(count) == 0; }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(below(static_cast<Index>(list.size())))];
  }

  /// A size that a dimension may have, or one that overflows something.
  Index size() {
    static const std::vector<Index> kSizes = {0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 16, 17, 33, 100};
    return of(kSizes);
  }
  Index absurd_size() {
    constexpr Index kMost = std::numeric_limits<Index>::max();
    static const std::vector<Index> kSizes = {Index{1} << 48, (Index{1} << 55) + 1, Index{1} << 62, kMost / 2 + 1,
                                              kMost};
    return of(kSizes);
  }

  Shape shape(Index most_elements = 600) {
    for (;;) {
      std::vector<Index> sizes(static_cast<std::size_t>(below(Shape::kMaxRank + 1)));
      for (Index& s : sizes) s = size();
      // Beside a 0 the others are moderate, so that no product of (n, 0) and (0, m) takes gigabytes, or beyond any
      // memory.
      if (elements_beside_zeros(sizes) > 20000) continue;
      if (!sizes.empty() && one_in(40)) {
        of_mutable(sizes) = 0;
        of_mutable(sizes) = absurd_size();
      }
      try {
        const Shape result(sizes);
        if (result.numel() <= most_elements) return result;
      } catch (const ShapeError&) {
      }
    }
  }
  /// One that broadcasts with x, or nearly.
  Shape shape_beside(const Shape& x) {
    if (one_in(6)) return shape();
    if (one_in(3)) return x;
    std::vector<Index> sizes(x.begin() + below(x.rank() + 1), x.end());
    for (Index& s : sizes) {
      if (one_in(3)) s = 1;
      if (one_in(30)) s = size();
    }
    try {
      const Shape result(sizes);
      if (result.numel() <= 5000) return result;
    } catch (const ShapeError&) {
    }
    return x;
  }
  /// An axis of x, counted from either end, or one that it has not.
  int axis(const Shape& x) {
    if (one_in(15) || x.rank() == 0) return static_cast<int>(below(16)) - 8;
    return static_cast<int>(below(2 * x.rank())) - x.rank();
  }
  /// A position, a number of positions or a distance.
  Index position(Index size) {
    if (one_in(30)) return one_in(2) ? absurd_size() : -absurd_size();
    return below(2 * std::min<Index>(size, 100) + 5) - std::min<Index>(size, 100) - 2;
  }

 private:
  static Index elements_beside_zeros(const std::vector<Index>& sizes) {
    Index product = 1;  // at most 100 to the largest rank
    for (const Index s : sizes) product *= std::max<Index>(s, 1);
    return product;
  }
  Index& of_mutable(std::vector<Index>& list) {
    return list[static_cast<std::size_t>(below(static_cast<Index>(list.size())))];
  }

  Rng rng_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::testing
