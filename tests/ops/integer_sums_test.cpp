// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <gtest/gtest.h>

#include <eigengrad/ops/gather.hpp>
#include <eigengrad/ops/kernels/reduce_rows.hpp>
#include <eigengrad/ops/reduce.hpp>
#include <eigengrad/ops/take.hpp>

#include "support/positions.hpp"

// Whatever adds up bool or integers counts in 64 bits, as NumPy and PyTorch do, and loses nothing.

namespace eigengrad::EIGENGRAD_ISA::ops::integer_sums_test {
namespace {

template <class T>
class IntegerSums : public ::testing::Test {
 protected:
  static Tensor<T> ones(const Shape& shape) { return Tensor<T>::ones(shape); }
  /// The largest numbers, which overflow at once in a type of their own size.
  static Tensor<T> largest(const Shape& shape) { return Tensor<T>::full(shape, std::numeric_limits<T>::max()); }
  static constexpr Index kLargest = static_cast<Index>(std::numeric_limits<T>::max());
};
using Small = ::testing::Types<bool, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, int, std::uint32_t>;
TYPED_TEST_SUITE(IntegerSums, Small);

// Over all axes, rows and columns, in one part and in several.
TYPED_TEST(IntegerSums, OverAnyAxesDoNotWrap) {
  for (const Shape& shape : {Shape{1}, Shape{3}, Shape{300}, Shape{2, 300}, Shape{300, 3}, Shape{70, 600, 5},
                             Shape{200000}, Shape{3, 70000}, Shape{70000, 3}}) {
    for (detail::AxisMask mask = 0; mask < detail::AxisMask{1} << shape.rank(); ++mask) {
      const Shape result = detail::reduced_shape(shape, mask, false);
      const auto sums = detail::reduce_axes<detail::Sum>(this->largest(shape), mask, result);
      static_assert(std::same_as<decltype(sums), const Tensor<Index>>);
      EXPECT_TRUE(equal(sums, Tensor<Index>::full(result, detail::reduced_count(shape, mask) * this->kLargest)))
          << shape << " mask " << mask;
    }
    EXPECT_EQ(sum(this->ones(shape)).item(), shape.numel());
    EXPECT_EQ(sum_to(this->ones(shape), {}).item(), shape.numel());
    EXPECT_TRUE(equal(sum_to(this->ones(shape), shape), Tensor<Index>::ones(shape)));
  }
  EXPECT_TRUE(equal(sum(this->ones({2, 0}), 1, true), Tensor<Index>::zeros({2, 1})));
}

TYPED_TEST(IntegerSums, OfRowsDoNotWrap) {
  for (const Index rows : {1, 300, 70000}) {
    EXPECT_TRUE(equal(detail::sum_rows(this->largest({rows, 3})), Tensor<Index>::full({3}, rows * this->kLargest)))
        << rows;
  }
}

TYPED_TEST(IntegerSums, AtIndicesDoNotWrap) {
  const auto to_one_place = Tensor<Index>::zeros({300});
  const Tensor<Index> expected({2}, {300 * this->kLargest, 0});
  EXPECT_TRUE(equal(scatter_add(this->largest({300}), to_one_place, {2}), expected));
  EXPECT_TRUE(equal(scatter_add(this->largest({300}), 0, to_one_place, {2}), expected));
}

TEST(IntegerSums, ASumOfBoolCounts) {
  const Tensor<Index> a({4}, {1, 2, 3, 4});
  const Tensor<Index> b({4}, {1, 2, 7, 4});
  EXPECT_EQ(sum(equal_to(a, b)).item(), 3);
}

TEST(IntegerSums, TypesOf64BitsKeepTheirs) {
  static_assert(std::same_as<SumOf<std::uint64_t>, std::uint64_t>);
  const Index big = (Index{1} << 53) + 1;  // no double
  EXPECT_EQ(sum(Tensor<Index>({1, 2}, {big, 0})).item(), big);
  EXPECT_EQ(detail::sum_rows(Tensor<Index>::full({1000, 1}, big)).item(), 1000 * big);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::integer_sums_test
