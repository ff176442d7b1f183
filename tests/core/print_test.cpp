// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <limits>
#include <locale>
#include <sstream>

#include <gtest/gtest.h>

#include <eigengrad/core/print.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::kInfinity;
using testing::kNaN;

std::string text(const Shape& shape, std::initializer_list<double> values) {
  return to_string(Tensor<double>(shape, values));
}

/// 0, step, 2 step, ...
template <class T>
Tensor<T> range(const Shape& shape, T step = T(1)) {
  T next(0);
  return Tensor<T>::generate(shape, [&] {
    const T value = next;
    next += step;
    return value;
  });
}

// What is expected here, NumPy 2.4 has printed, with numpy.set_printoptions(precision=4).

TEST(Print, AlignsThePointsOfAColumn) {
  std::ostringstream out;
  out << Tensor<float>({2, 2}, {1.0F, -0.5F, 1.0F / 3.0F, 2.0F});
  EXPECT_EQ(out.str(), "[[ 1.     -0.5   ]\n [ 0.3333  2.    ]]");
  EXPECT_EQ(text({3}, {1, 2.5, -0.125}), "[ 1.     2.5   -0.125]");
  EXPECT_EQ(text({3}, {0, 0, 0}), "[0. 0. 0.]");
  EXPECT_EQ(text({2}, {-0.0, 1}), "[-0.  1.]");
  EXPECT_EQ(text({3}, {0.99999, 1.00004, 12}), "[ 1.  1. 12.]");
  EXPECT_EQ(text({2}, {0.99999999, 0.5}), "[1.  0.5]");
}

TEST(Print, UsesPowersOfTenWhereNumbersAreLargeSmallOrFarApart) {
  EXPECT_EQ(text({2}, {1e8, 1}), "[1.e+08 1.e+00]");
  EXPECT_EQ(text({2}, {1e-5, 1.5}), "[1.0e-05 1.5e+00]");
  EXPECT_EQ(text({2}, {0.01, 123.456}), "[1.0000e-02 1.2346e+02]");
  EXPECT_EQ(text({3}, {1e-10, kNaN, -2.5e20}), "[ 1.0e-10      nan -2.5e+20]");
}

TEST(Print, LeavesRoomForWhatIsNotFinite) {
  EXPECT_EQ(text({4}, {kNaN, -kInfinity, 1.5, kInfinity}), "[ nan -inf  1.5  inf]");
  EXPECT_EQ(text({1}, {kNaN}), "[nan]");
  EXPECT_EQ(text({1, 2}, {kInfinity, -kInfinity}), "[[ inf -inf]]");
}

TEST(Print, WritesIntegersAndBooleans) {
  EXPECT_EQ(to_string(Tensor<Index>({2, 2}, {1, -20, 300, 4})), "[[  1 -20]\n [300   4]]");
  EXPECT_EQ(to_string(Tensor<bool>({2}, {true, false})), "[ True False]");
}

TEST(Print, SeparatesOuterAxesByEmptyLines) {
  EXPECT_EQ(to_string(range<double>({2, 2, 2})), "[[[0. 1.]\n  [2. 3.]]\n\n [[4. 5.]\n  [6. 7.]]]");
  EXPECT_EQ(to_string(range<float>({2, 1, 2, 1})), "[[[[0.]\n   [1.]]]\n\n\n [[[2.]\n   [3.]]]]");
}

TEST(Print, AScalarIsANumberAndNothingIsBrackets) {
  EXPECT_EQ(text({}, {2.5}), "2.5");
  EXPECT_EQ(text({0, 3}, {}), "[]");
  EXPECT_EQ(to_string(Tensor<float>()), "[]");
}

TEST(Print, WrapsLongRows) {
  EXPECT_EQ(to_string(range<double>({2, 30}, 1.5)),
            "[[ 0.   1.5  3.   4.5  6.   7.5  9.  10.5 12.  13.5 15.  16.5 18.  19.5\n"
            "  21.  22.5 24.  25.5 27.  28.5 30.  31.5 33.  34.5 36.  37.5 39.  40.5\n"
            "  42.  43.5]\n"
            " [45.  46.5 48.  49.5 51.  52.5 54.  55.5 57.  58.5 60.  61.5 63.  64.5\n"
            "  66.  67.5 69.  70.5 72.  73.5 75.  76.5 78.  79.5 81.  82.5 84.  85.5\n"
            "  87.  88.5]]");
}

TEST(Print, ShowsTheEdgesOfLargeTensors) {
  EXPECT_EQ(to_string(range<Index>({1000})).find("..."), std::string::npos);
  EXPECT_EQ(to_string(range<Index>({2000})), "[   0    1    2 ... 1997 1998 1999]");
  EXPECT_EQ(to_string(range<Index>({30, 40})),
            "[[   0    1    2 ...   37   38   39]\n"
            " [  40   41   42 ...   77   78   79]\n"
            " [  80   81   82 ...  117  118  119]\n"
            " ...\n"
            " [1080 1081 1082 ... 1117 1118 1119]\n"
            " [1120 1121 1122 ... 1157 1158 1159]\n"
            " [1160 1161 1162 ... 1197 1198 1199]]");
  EXPECT_EQ(to_string(range<Index>({2, 600})),
            "[[   0    1    2 ...  597  598  599]\n [ 600  601  602 ... 1197 1198 1199]]");
}

TEST(Print, TakesOptions) {
  const Tensor<double> x({4}, {1.0 / 3.0, 1, 2, 3});
  EXPECT_EQ(to_string(x, {.precision = 8}), "[0.33333333 1.         2.         3.        ]");
  EXPECT_EQ(to_string(x, {.precision = 0}), "[0. 1. 2. 3.]");
  EXPECT_EQ(to_string(x, {.threshold = 3, .edge_items = 1}), "[0.3333 ... 3.    ]");
  EXPECT_THROW(to_string(x, {.precision = -1}), ValueError);
  EXPECT_THROW(to_string(x, {.edge_items = -1}), ValueError);
}

TEST(Print, LeavesTheStreamAsItIs) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << Tensor<float>({1}, {1e-9F}) << ' ' << 0.5;
  EXPECT_EQ(out.str(), "[1.e-09] 0.5");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
