// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/check.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::message_of;

constexpr Index kMost = detail::kLargestIndex;
constexpr Index kLeast = detail::kSmallestIndex;

static_assert(detail::checked_sum(kMost - 1, 1) == kMost);
static_assert(!detail::checked_sum(kMost, 1) && !detail::checked_sum(1, kMost) && !detail::checked_sum(kMost, kMost));
static_assert(detail::checked_sum(kLeast, kMost) == -1 && detail::checked_sum(kMost, kLeast) == -1);
static_assert(!detail::checked_sum(kLeast, -1) && !detail::checked_sum(-1, kLeast));
static_assert(detail::checked_product(kMost, 1) == kMost && detail::checked_product(1, kMost) == kMost);
static_assert(detail::checked_product(kMost, 0) == 0 && detail::checked_product(0, kMost) == 0);
static_assert(detail::checked_product(Index{1} << 31, Index{1} << 31) == Index{1} << 62);
static_assert(!detail::checked_product(Index{1} << 32, Index{1} << 31));

TEST(Index, SumsAndProductsOfSizesSayWhatIsTooLarge) {
  EXPECT_EQ(detail::check::sum("pad", 3, 4), 7);
  EXPECT_EQ(detail::check::product("pad", 3, 4), 12);
  EXPECT_EQ(message_of([] { detail::check::sum("pad", kMost, 1); }),
            "pad: 9223372036854775807 + 1 is more than an Index holds");
  EXPECT_EQ(message_of([] { detail::check::product("conv2d", kMost, 2); }),
            "conv2d: 9223372036854775807 * 2 is more than an Index holds");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
