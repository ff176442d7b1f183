// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/reduce_rows.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::detail::reduce_rows_test {
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

TEST(ReduceRows, AFloatSumOfManyRowsKeepsItsDigits) {
  for (const Index cols : {1, 3, 64}) {
    const Tensor<float> sums = sum_rows(Tensor<float>::full({1000000 / cols, cols}, 0.7F));
    const double exact = static_cast<double>(0.7F) * static_cast<double>(1000000 / cols);
    for (Index c = 0; c < cols; ++c) EXPECT_NEAR(static_cast<double>(sums(c)) / exact, 1.0, 1e-5) << cols;
  }
}

TEST(ReduceRows, ItsPartsAreSmallBesideTheMatrix) {
  const auto x = Tensor<float>::ones({256, 16384});
  memory::trim();
  const auto before = memory::stats().system_bytes;
  sum_rows(x);
  EXPECT_LT(memory::stats().system_bytes - before, x.numel() * 4 / 8);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::reduce_rows_test
