// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <eigengrad/core/check.hpp>
#include <eigengrad/core/print.hpp>
#include <eigengrad/core/text.hpp>

#include "support/message_of.hpp"
#include "support/tensors.hpp"
#include "support/user_locale.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::message_of;
using testing::UserLocale;

using testing::kInfinity;
using testing::kNaN;

std::string printf_of(const char* format, int digits, double value) {
  std::string text(2000, '\0');
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), format, digits, value)));
  std::replace(text.begin(), text.end(), ',', '.');  // in a country of commas
  return text;
}

TEST(Text, NumbersAreThoseOfPrintf) {
  for (const double value :
       {0.0, -0.0, 0.1, 1.0 / 3, -2.5, 1e5, 123456.5, 1234567.0, 1e-4, 1e-5, 5e-324, 1.7e308, 0.5, 2.675, 999999.5}) {
    for (const int digits : {0, 1, 2, 6, 9, 17, 40}) {
      EXPECT_EQ(to_general(value, digits), printf_of("%.*g", digits, value)) << digits;
      EXPECT_EQ(to_fixed(value, digits), printf_of("%.*f", digits, value)) << digits;
      EXPECT_EQ(to_scientific(value, digits), printf_of("%.*e", digits, value)) << digits;
    }
  }
  EXPECT_EQ(to_general(0.1F), "0.1");
  EXPECT_EQ(to_general(0.1F, 9), "0.100000001");
  EXPECT_EQ(to_general(0.1L), "0.1");
}

TEST(Text, SignificantDigitsAreFourOrMoreInNineCharacters) {
  const auto expect = [](double value, const std::string& text) {
    EXPECT_EQ(to_significant(value), text);
    if (value > 0.0) {
      EXPECT_EQ(to_significant(-value), "-" + text);
    }
  };
  expect(0.0, "0.0000");
  expect(-0.0, "0.0000");
  expect(2.302585, "2.3026");
  expect(12.34567, "12.346");
  expect(123.4567, "123.46");
  expect(1234.567, "1234.6");
  expect(12345.67, "12346");
  expect(123456.7, "1.235e+05");
  expect(0.1234567, "0.1235");
  expect(0.01234567, "0.01235");
  expect(0.001234567, "0.001235");
  expect(0.0001234567, "0.0001235");
  expect(0.00001234, "1.234e-05");
  for (const double power : {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5}) {
    for (const double value : {power, std::nextafter(power, 0.0), 1.00005 * power, 9.99995 * power}) {
      const std::string text = to_significant(value);
      EXPECT_LE(text.size(), kSignificantWidth) << text;
      double read = 0.0;
      std::from_chars(text.data(), text.data() + text.size(), read);
      EXPECT_LE(std::abs(read - value), 0.0005 * value) << text;
    }
  }
  EXPECT_EQ(to_significant(0.1F), "0.1000");
  EXPECT_EQ(to_significant(1e-4F), "0.0001000");
  EXPECT_EQ(to_significant(kNaN), "nan");
  EXPECT_EQ(to_significant(-kInfinity), "-inf");
}

TEST(Text, WhatIsNotFiniteHasAName) {
  for (const double nan : {kNaN, -kNaN})
    EXPECT_EQ(to_general(nan) + to_fixed(nan, 2) + to_scientific(nan, 2), "nannannan");
  EXPECT_EQ(to_general(kInfinity), "inf");
  EXPECT_EQ(to_fixed(-kInfinity, 3), "-inf");
}

TEST(Text, JoinsWhatIsWritten) {
  const std::string_view view = "view";
  EXPECT_EQ(joined("a ", std::string("b "), view, ' ', 3072, ' ', std::uint64_t{1} << 63, ' ', -5L, ' ', 0.5F),
            "a b view 3072 9223372036854775808 -5 0.5");
  EXPECT_EQ(joined(Shape{1000, 2}, "; ", Tensor<float>({2}, {0.5F, 100.0F})), "(1000, 2); [  0.5 100. ]");
  EXPECT_EQ(joined(), "");
}

TEST(Text, IsAlignedByItsWidth) {
  EXPECT_EQ(right_aligned("12", 4) + left_aligned("ab", 4) + "|", "  12ab  |");
  EXPECT_EQ(right_aligned("12345", 4) + left_aligned("abcde", 4), "12345abcde");
}

class InEveryCountry : public ::testing::TestWithParam<const char*> {};

TEST_P(InEveryCountry, TextIsTheSame) {
  const UserLocale locale(GetParam());
  std::ostringstream out;
  out << 3072 << ' ' << 0.5;
  EXPECT_NE(out.str(), "3072 0.5") << "the test tests nothing";

  EXPECT_EQ(joined(3072, ' ', 0.5, ' ', 1234567.0F, ' ', 1e-7), "3072 0.5 1.23457e+06 1e-07");
  EXPECT_EQ(to_fixed(12345.678, 1) + " " + to_scientific(0.015, 1), "12345.7 1.5e-02");
  EXPECT_EQ(message_of([] { detail::check::between("Dropout", "p", 1234.5, 0.0, 1.0); }),
            "Dropout: p is 1234.5, expected 0 to 1");
  EXPECT_EQ(message_of([] { throw IoError("f", 1234567, "problem"); }), "f: at byte 1234567: problem");
  std::ostringstream tensor;
  tensor << Tensor<double>({2}, {1234.5, 0.5}) << Tensor<Index>({1}, {12345}) << Tensor<bool>({1}, {true})
         << Shape{50000, 3072};
  EXPECT_EQ(tensor.str(), "[1.2345e+03 5.0000e-01][12345][True](50000, 3072)");
}

TEST_P(InEveryCountry, TheCLibraryWritesAsThere) {
  const UserLocale locale(GetParam());
  if (!locale.in_c()) GTEST_SKIP() << "the C library has no locale " << GetParam() << "; $LOCPATH may name a folder";
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%.1f", 0.5);
  EXPECT_STREQ(text.data(), "0,5");
}

INSTANTIATE_TEST_SUITE_P(Text, InEveryCountry, ::testing::Values("de_DE.UTF-8", "fr_FR.UTF-8"),
                         [](const auto& country) { return std::string(country.param, 2); });

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
