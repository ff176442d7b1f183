// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/optim/joint_loop.hpp>

namespace eigengrad::EIGENGRAD_ISA::optim::detail {
namespace {

TEST(JointLoop, VisitsEveryElementOnceInAlignedPiecesOfBoundedSize) {
  const Index grain = ops::detail::kElementGrain;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const std::vector<Index>& sizes : {std::vector<Index>{5},
                                            {grain},
                                            {grain + 1},
                                            {grain, 5, 2 * grain - 64, grain},
                                            {1, 63, 64, 65, 2 * grain, 7},
                                            {grain - 3, 40, 3 * grain + 129},
                                            std::vector<Index>(700, 30)}) {
      std::vector<Tensor<float>> counts;
      for (const Index size : sizes) counts.push_back(Tensor<float>::zeros({size}));
      JointLoop<float*> loop(sizes.size());
      for (Tensor<float>& count : counts) loop.add(count.numel(), count.mutable_data());
      Tensor<Index> taken = Tensor<Index>::zeros({loop.chunks()});
      Index* elements = taken.mutable_data();
      loop.run([&](float* count, Index begin, Index end, Index chunk) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(count + begin) % 64, 0U);
        EXPECT_LT(begin, end);
        for (Index i = begin; i < end; ++i) ++count[i];
        elements[chunk] += end - begin;
      });
      for (const Tensor<float>& count : counts) EXPECT_TRUE(equal(count, Tensor<float>::ones(count.shape())));
      for (const Index number : taken.span()) EXPECT_LE(number, grain);
    }
  }
  set_num_threads(0);
}

TEST(JointLoop, OfNothingDoesNothing) {
  const JointLoop<int> loop(3);
  EXPECT_EQ(loop.chunks(), 0);
  loop.run([](int, Index, Index, Index) { FAIL(); });
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::optim::detail
