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

TEST(Check, FeaturesThatFlattenWouldMakeFitSuggestIt) {
  const auto message = [](const Shape& input, Index expected) {
    return message_of([&] { detail::check::features("Linear", input, expected); });
  };
  EXPECT_EQ(message({5, 30, 30, 8}, 7200),
            "Linear: input has 8 features, expected 7200; input shape (5, 30, 30, 8); put nn::Flatten before it");
  EXPECT_EQ(message({5, 30, 30, 8}, 100),
            "Linear: input has 8 features, expected 100; input shape (5, 30, 30, 8); put nn::Flatten before it, which "
            "gives 7200 features");
  EXPECT_EQ(message({5, 30, 8}, 240),
            "Linear: input has 8 features, expected 240; input shape (5, 30, 8); put nn::Flatten before it");
  EXPECT_EQ(message({5}, 1), "Linear: input has 5 features, expected 1; input shape (5,); put nn::Flatten before it");
  EXPECT_EQ(message({5, 30, 8}, 100), "Linear: input has 8 features, expected 100; input shape (5, 30, 8)");
  EXPECT_EQ(message({240, 8}, 240), "Linear: input has 8 features, expected 240; input shape (240, 8)");
  EXPECT_EQ(message({}, 1), "Linear: input has 0 features, expected 1; input shape ()");
  EXPECT_EQ(message({5, 30, 30, 8}, 8), "no error");
}

TEST(Check, ChannelsAtAxis1SuggestToPermute) {
  const auto message = [](const Shape& input, Index expected) {
    return message_of([&] { detail::check::channels("Conv2d", input, expected); });
  };
  EXPECT_EQ(message({5, 3, 32, 32}, 3),
            "Conv2d: input has 32 channels, expected 3; input shape (5, 3, 32, 32); images are (N, H, W, C) here: for "
            "(N, C, H, W) use ops::permute(x, {0, 2, 3, 1})");
  EXPECT_EQ(message({5, 3, 32}, 3),
            "Conv2d: input has 32 channels, expected 3; input shape (5, 3, 32); channels are the last axis here: for "
            "(N, C, L) use ops::permute(x, {0, 2, 1})");
  EXPECT_EQ(message({5, 4, 32, 32}, 3), "Conv2d: input has 32 channels, expected 3; input shape (5, 4, 32, 32)");
  EXPECT_EQ(message({5, 32, 3, 32}, 3), "Conv2d: input has 32 channels, expected 3; input shape (5, 32, 3, 32)");
  EXPECT_EQ(message({3, 32}, 3), "Conv2d: input has 32 channels, expected 3; input shape (3, 32)");
  EXPECT_EQ(message({5, 3, 32, 3}, 3), "no error");
}

TEST(Check, NaNIsNeverInRange) {
  EXPECT_THROW(detail::check::at_least("SGD", "momentum", std::nan(""), 0.0), ValueError);
  EXPECT_THROW(detail::check::above_zero("SGD", "momentum", std::nan("")), ValueError);
  EXPECT_THROW(detail::check::below("Adam", "beta1", std::nan(""), 1.0), ValueError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
