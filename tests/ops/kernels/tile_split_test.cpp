// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/tile_split.hpp>

namespace eigengrad::EIGENGRAD_ISA::ops::detail::tile_split_test {
namespace {

TEST(TileSplit, CutsEverySizeIntoLengthsThatThereAre) {
  for (const Index largest : {1, 2, 3, 4, 6, 8, 12}) {
    for (Index size = 0; size <= 100; ++size) {
      const TileSplit split(size, largest);
      Index sum = 0;
      for (Index tile = 0; tile < split.count; ++tile) {
        EXPECT_EQ(split.begin(tile), sum);
        EXPECT_TRUE(is_tile_length(split.length(tile))) << size << " by " << largest;
        EXPECT_LE(split.length(tile), largest);
        sum += split.length(tile);
      }
      EXPECT_EQ(sum, size);
      EXPECT_EQ(split.begin(split.count), size);
    }
  }
}

TEST(TileSplit, HasNoShortTilesWhereLongOnesDo) {
  for (const Index largest : {6, 8, 12}) {
    for (Index size = 6; size <= 100; ++size) {
      const TileSplit split(size, largest);
      EXPECT_LE(split.count, size / largest + 2) << size << " by " << largest;
      for (Index tile = 0; tile < split.count; ++tile) EXPECT_GE(split.length(tile), 3) << size << " by " << largest;
    }
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::tile_split_test
