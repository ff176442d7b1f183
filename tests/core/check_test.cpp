// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include <eigengrad/core/check.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using testing::message_of;

TEST(Check, SaysWhereWhatWasExpectedAndWhatCame) {
  EXPECT_EQ(message_of([] {
              detail::check::last_axis("Linear 3072->100", "features", {200, 3000}, 3072);
            }),
            "Linear 3072->100: input has 3000 features, expected 3072; input shape (200, 3000)");
  EXPECT_EQ(message_of([] { detail::check::rank_at_least("Flatten", {}, 1); }),
            "Flatten: input has 0 axes, expected at least 1; input shape ()");
  EXPECT_EQ(message_of([] {
              detail::check::same_shape("ReLU", "gradient of the output", {2, 3}, {2, 4});
            }),
            "ReLU: gradient of the output has shape (2, 3), expected (2, 4)");
  EXPECT_EQ(message_of([] { detail::check::at_least("SGD", "learning_rate", -1.0, 0.0); }),
            "SGD: learning_rate is -1, expected 0 or more");
  EXPECT_EQ(message_of([] { detail::check::below("Adam", "beta1", 1.0, 1.0); }),
            "Adam: beta1 is 1, expected less than 1");
  EXPECT_EQ(message_of([] { detail::check::above_zero("Loader", "batch_size", 0); }),
            "Loader: batch_size is 0, expected more than 0");
}

TEST(Check, NaNIsNeverInRange) {
  EXPECT_THROW(detail::check::at_least("SGD", "momentum", std::nan(""), 0.0), ValueError);
  EXPECT_THROW(detail::check::above_zero("SGD", "momentum", std::nan("")), ValueError);
  EXPECT_THROW(detail::check::below("Adam", "beta1", std::nan(""), 1.0), ValueError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
