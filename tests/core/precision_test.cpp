// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/core/precision.hpp>

#include "support/matmul_precision.hpp"
#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using enum Float32MatmulPrecision;

TEST(Float32MatmulPrecision, IsTheHighestUntilItIsSet) {
  EXPECT_EQ(float32_matmul_precision(), highest);
  {
    const testing::MatmulPrecisionScope scope(medium);
    EXPECT_EQ(float32_matmul_precision(), medium);
  }
  EXPECT_EQ(float32_matmul_precision(), highest);
}

TEST(Float32MatmulPrecision, AnotherValueIsRefusedAndChangesNothing) {
  const testing::MatmulPrecisionScope scope(medium);
  EXPECT_EQ(testing::message_of([] { set_float32_matmul_precision(static_cast<Float32MatmulPrecision>(2)); }),
            "set_float32_matmul_precision: precision is Float32MatmulPrecision(2), expected highest or medium");
  EXPECT_EQ(float32_matmul_precision(), medium);
  EXPECT_THROW(set_float32_matmul_precision(static_cast<Float32MatmulPrecision>(-1)), ValueError);
}

TEST(Float32MatmulPrecision, IsPrintedByItsName) { EXPECT_EQ(error_text(highest, ' ', medium), "highest medium"); }

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
