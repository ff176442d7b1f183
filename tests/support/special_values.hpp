// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/tensor.hpp>

// Equal elements have equal results, bit for bit, wherever they stand, and the results are right: for zeros, subnormal,
// tiny, ordinary, huge and infinite numbers and NaN.
//   expect_same_everywhere<float>("exp", 4, [](const auto& x) { return ops::exp(x); },
//                                 [](auto x) { return std::exp(x); });

namespace eigengrad::EIGENGRAD_ISA::testing {

/// The widest type that definitions are computed in.
using Wide = long double;

template <class T>
std::vector<T> special_values() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values{0,
                        Limits::denorm_min(),
                        Limits::min() / 3,
                        Limits::min(),
                        T(1e-42),
                        T(1e-37),
                        T(1e-20),
                        T(1e-4),
                        T(0.1),
                        T(0.7),
                        1,
                        T(2.5),
                        T(7.3),
                        20,
                        T(86.5),
                        T(88.5),
                        95,
                        T(103.5),
                        120,
                        T(709.5),
                        740,
                        1500,
                        T(1e4),
                        T(1e10),
                        T(1e19),
                        T(2e19),
                        T(1e30),
                        T(3e38),
                        Limits::max(),
                        Limits::infinity()};
  if constexpr (Limits::digits > 24) values.insert(values.end(), {T(1e-310), T(1e-200), T(1e100), T(1e160), T(1e300)});
  const std::size_t count = values.size();
  for (std::size_t i = 0; i < count; ++i) values.push_back(-values[i]);
  values.push_back(Limits::quiet_NaN());
  return values;
}

/// Equal bits, or both NaN.
template <class T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (a != a && b != b);
}

/// True if all elements are the same.
template <class T>
::testing::AssertionResult all_same(const Tensor<T>& y) {
  for (Index i = 1; i < y.numel(); ++i) {
    if (!same(y.data()[0], y.data()[i])) {
      return ::testing::AssertionFailure()
             << "element 0 of " << y.numel() << " is " << y.data()[0] << ", element " << i << " " << y.data()[i];
    }
  }
  return ::testing::AssertionSuccess();
}

/// True if `got` is `expected` up to so many units in the last place, or to the smallest normal number.
template <class T>
::testing::AssertionResult right(T got, Wide expected, double ulps) {
  using Limits = std::numeric_limits<T>;
  const auto value = static_cast<Wide>(got);
  const Wide tolerance = Wide(ulps) * Wide(Limits::epsilon());
  bool fits = std::abs(value - expected) <= tolerance * std::abs(expected) + Wide(Limits::min());
  if (std::isnan(expected)) fits = std::isnan(got);
  // Near the largest number and beyond it either it or infinity is right.
  if (std::abs(expected) >= Wide(Limits::max()) * (1 - tolerance))
    fits =
        fits || (std::signbit(value) == std::signbit(expected) && std::abs(value) >= Limits::max() * (1 - tolerance));
  if (fits) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "got " << got << ", expected " << expected;
}

/// f on 1 to 40 equal elements; T(x) for each special value.
template <class T, class F, class Definition>
void expect_same_everywhere(const std::string& name, double ulps, const F& f, const Definition& definition) {
  for (const T value : special_values<T>()) {
    T first{};
    for (Index count = 40; count >= 1; --count) {
      const Tensor<T> y = f(Tensor<T>::full({count}, value));
      ASSERT_EQ(y.numel(), count) << name;
      ASSERT_TRUE(all_same(y)) << name << " of " << value;
      if (count == 40) first = y.data()[0];
      ASSERT_TRUE(same(first, y.data()[0]))
          << name << " of " << count << " times " << value << ": " << y.data()[0] << ", of 40 " << first;
    }
    EXPECT_TRUE(right(first, Wide(definition(Wide(value))), ulps)) << name << " of " << value;
  }
}

}  // namespace eigengrad::EIGENGRAD_ISA::testing
