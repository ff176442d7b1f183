// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/io/element_type.hpp>

namespace eigengrad::EIGENGRAD_ISA::io::detail {
namespace {

/// The number that a float of so many bits of exponent and mantissa stands for, from the definition.
double value_of(unsigned bits, int exponent_bits, int mantissa_bits, bool has_infinity) {
  const int exponents = 1 << exponent_bits;
  const int exponent = static_cast<int>(bits >> mantissa_bits) & (exponents - 1);
  const int mantissas = 1 << mantissa_bits;
  const int mantissa = static_cast<int>(bits) & (mantissas - 1);
  const double sign = (bits >> (exponent_bits + mantissa_bits) & 1U) != 0 ? -1.0 : 1.0;
  if (exponent == exponents - 1) {
    if (has_infinity)
      return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    if (mantissa == mantissas - 1) return std::numeric_limits<double>::quiet_NaN();
  }
  const int bias = exponents / 2 - 1;
  const double fraction = static_cast<double>(mantissa) / mantissas;
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1.0 + fraction, exponent - bias));
}

template <class Word>
void expect_all(ElementType type, int exponent_bits, int mantissa_bits, bool has_infinity) {
  for (unsigned bits = 0; bits <= std::numeric_limits<Word>::max(); ++bits) {
    const Word word = static_cast<Word>(bits);
    double got = 0.0;
    ASSERT_FALSE(convert(type, reinterpret_cast<const char*>(&word), 1, &got));
    const double expected = value_of(bits, exponent_bits, mantissa_bits, has_infinity);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(got)) << bits;
    else
      ASSERT_EQ(got, expected) << bits;
    ASSERT_EQ(std::signbit(got), std::isnan(expected) ? std::signbit(got) : std::signbit(expected)) << bits;
  }
}

TEST(ElementTypes, SmallFloatsAreWhatTheirBitsSay) {
  expect_all<std::uint16_t>(ElementType::f16, 5, 10, true);
  expect_all<std::uint16_t>(ElementType::bf16, 8, 7, true);
  expect_all<std::uint8_t>(ElementType::f8_e5m2, 5, 2, true);
  expect_all<std::uint8_t>(ElementType::f8_e4m3, 4, 3, false);
}

TEST(ElementTypes, OfTheTypesOfCpp) {
  EXPECT_EQ(element_type_of<bool>(), ElementType::boolean);
  EXPECT_EQ(element_type_of<float>(), ElementType::f32);
  EXPECT_EQ(element_type_of<double>(), ElementType::f64);
  EXPECT_EQ(element_type_of<std::int8_t>(), ElementType::i8);
  EXPECT_EQ(element_type_of<std::uint8_t>(), ElementType::u8);
  EXPECT_EQ(element_type_of<short>(), ElementType::i16);
  EXPECT_EQ(element_type_of<std::uint32_t>(), ElementType::u32);
  EXPECT_EQ(element_type_of<long long>(), ElementType::i64);
  EXPECT_EQ(element_type_of<std::uint64_t>(), ElementType::u64);
  for (const ElementTypeInfo& type : kElementTypes) EXPECT_EQ(&info(type.type), &type);
}

TEST(ElementTypes, WhatDoesNotFitIsNamed) {
  const std::array<std::int32_t, 4> numbers = {1, -128, 127, 128};
  const char* bytes = reinterpret_cast<const char*>(numbers.data());
  std::array<std::int8_t, 4> small{};
  EXPECT_EQ(convert(ElementType::i32, bytes, 4, small.data()), 3);
  EXPECT_EQ(convert(ElementType::i32, bytes, 3, small.data()), std::nullopt);
  EXPECT_EQ(small, (std::array<std::int8_t, 4>{1, -128, 127, 0}));
  std::array<std::uint64_t, 4> no_sign{};
  EXPECT_EQ(convert(ElementType::i32, bytes, 4, no_sign.data()), 1);
  std::array<bool, 2> flags{};
  const std::array<char, 2> two = {1, 2};
  EXPECT_EQ(convert(ElementType::boolean, two.data(), 2, flags.data()), 1);  // 2 is no bool
  EXPECT_TRUE(converts<float>(ElementType::i64));
  EXPECT_TRUE(converts<Index>(ElementType::boolean));
  EXPECT_FALSE(converts<Index>(ElementType::bf16));
  EXPECT_FALSE(converts<Index>(ElementType::f8_e4m3));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::io::detail
