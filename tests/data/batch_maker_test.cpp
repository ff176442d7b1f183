// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/batch_maker.hpp>

namespace eigengrad::EIGENGRAD_ISA::data::detail {
namespace {

using B = Batch<float, Index>;

B batch_of_size(Index count) { return {Tensor<float>::zeros({count, 5}), Tensor<Index>::zeros({count, 2})}; }

TEST(KeptBatches, HaveNothingBeforeTheFirst) {
  KeptBatches<B> kept;
  EXPECT_FALSE(kept.take(3).has_value());
}

TEST(KeptBatches, GiveBackWhatNobodyHolds) {
  KeptBatches<B> kept;
  const float* inputs = nullptr;
  {
    const B batch = batch_of_size(3);
    inputs = batch.inputs.data();
    kept.keep(batch);
  }
  const std::optional<B> taken = kept.take(3);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->inputs.data(), inputs);
  const std::optional<B> another = kept.take(3);  // the first one is in use now
  ASSERT_TRUE(another.has_value());
  EXPECT_NE(another->inputs.data(), inputs);
}

TEST(KeptBatches, KeepSamplesOfOneNumberToo) {
  KeptBatches<B> kept;
  kept.keep({Tensor<float>::zeros({3}), Tensor<Index>::zeros({3})});
  const std::optional<B> taken = kept.take(2);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->inputs.shape(), (Shape{2}));
}

TEST(KeptBatches, LeaveAloneWhatSomebodyHoldsAPartOf) {
  for (const bool inputs_held : {false, true}) {
    KeptBatches<B> kept;
    Tensor<float> inputs;
    Tensor<Index> targets;
    {
      const B batch = batch_of_size(3);
      if (inputs_held) inputs = batch.inputs;
      if (!inputs_held) targets = batch.targets;
      kept.keep(batch);
    }
    const std::optional<B> taken = kept.take(3);
    ASSERT_TRUE(taken.has_value());
    EXPECT_TRUE(taken->inputs.unique() && taken->targets.unique());
    EXPECT_NE(static_cast<const void*>(taken->inputs.data()), static_cast<const void*>(inputs.data()));
    EXPECT_NE(static_cast<const void*>(taken->targets.data()), static_cast<const void*>(targets.data()));
  }
}

TEST(KeptBatches, MakeANewOneInTheShapeOfTheLast) {
  KeptBatches<B> kept;
  kept.keep(batch_of_size(3));
  const std::optional<B> taken = kept.take(2);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->inputs.shape(), (Shape{2, 5}));
  EXPECT_EQ(taken->targets.shape(), (Shape{2, 2}));
}

// A caller who holds all batches of an epoch: the oldest of those that are kept makes room, each in turn.
TEST(KeptBatches, AreFourAndTheLongestHeldMakesRoom) {
  KeptBatches<B> kept;
  std::vector<B> held;
  for (int i = 0; i < 6; ++i) {
    held.push_back(batch_of_size(3));
    kept.keep(held.back());
  }
  std::vector<const float*> places;
  for (const B& batch : held) places.push_back(batch.inputs.data());
  held.clear();
  std::vector<B> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(*kept.take(3));
  const auto position = [&](int i) { return taken[static_cast<std::size_t>(i)].inputs.data(); };
  EXPECT_EQ(position(0), places[4]);  // in the place of the first
  EXPECT_EQ(position(1), places[5]);
  EXPECT_EQ(position(2), places[2]);
  EXPECT_EQ(position(3), places[3]);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::data::detail
