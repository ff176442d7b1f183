// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/edit_distance.hpp>

namespace eigengrad::EIGENGRAD_ISA {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsChangesAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("price", "pice"), 1U);
  EXPECT_EQ(edit_distance("pirce", "price"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);  // the swap's letters are not touched again
  EXPECT_EQ(edit_distance("area", "area"), 0U);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
