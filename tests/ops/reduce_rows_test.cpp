// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/reduce_rows.hpp>

#include "support/tensors.hpp"

namespace eigengrad::ops {
namespace {

TEST(ReduceRows, AddsEveryRowOnce) {
  for (const Index rows : {0, 1, 7, 5000}) {
    const Index cols = 11;
    testing::poison<double>({cols + 1});
    const Tensor<double> sums = reduce_rows<double>(rows, cols, cols + 1, [&](Index begin, Index end, double* to) {
      for (Index row = begin; row < end; ++row) {
        for (Index c = 0; c < cols; ++c) to[c] += static_cast<double>(row * c);
        to[cols] += 1.0;
      }
    });
    ASSERT_EQ(sums.shape(), (Shape{cols + 1}));
    for (Index c = 0; c < cols; ++c) EXPECT_EQ(sums(c), static_cast<double>(rows * (rows - 1) / 2 * c));
    EXPECT_EQ(sums(cols), static_cast<double>(rows));
  }
}

}  // namespace
}  // namespace eigengrad::ops
