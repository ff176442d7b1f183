// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/small_gemm.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::detail::small_gemm_test {
namespace {

struct Strides2 {
  Index row, col;
};

/// Products whose sides are whole packets and such that are not, into results of every arrangement: what lies between
/// the elements of the result stays as it is.
template <class T>
void expect_products(double tolerance) {
  for (const auto& [rows, cols, steps] : std::vector<std::array<Index, 3>>{{1, 1, 1},
                                                                           {3, 5, 2},
                                                                           {8, 16, 5},
                                                                           {16, 8, 5},
                                                                           {13, 32, 7},
                                                                           {32, 13, 7},
                                                                           {12, 16, 300},
                                                                           {24, 48, 600},
                                                                           {25, 33, 40},
                                                                           {16, 16, 16}}) {
    const Tensor<T> a = testing::random<T>({rows, steps}, 1), b = testing::random<T>({steps, cols}, 2);
    const SmallGemm<T> gemm(rows, steps, cols);
    for (const Strides2 strides : {Strides2{cols, 1}, Strides2{cols + 3, 1}, Strides2{2 * cols, 2}, Strides2{1, rows},
                                   Strides2{1, rows + 5}, Strides2{3, 3 * rows}}) {
      const Index size = (rows - 1) * strides.row + (cols - 1) * strides.col + 1;
      const T guard = T(77);
      Tensor<T> c = Tensor<T>::full({size + 64}, guard), expected = c;
      for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < cols; ++j) {
          double sum = 0.0;
          for (Index p = 0; p < steps; ++p) sum += static_cast<double>(a(i, p)) * static_cast<double>(b(p, j));
          expected.mutable_data()[i * strides.row + j * strides.col] = static_cast<T>(sum);
        }
      }
      Tensor<T> scratch = Tensor<T>::full({gemm.scratch() + 64}, guard);
      gemm(row_major(a.data(), rows, steps), row_major(b.data(), steps, cols),
           View<T>{c.mutable_data(), rows, cols, strides.row, strides.col}, scratch.mutable_data());
      for (Index i = 0; i < c.numel(); ++i) {
        ASSERT_NEAR(c(i), expected(i), tolerance * static_cast<double>(steps))
            << rows << " x " << cols << " x " << steps << ", strides " << strides.row << " " << strides.col << " at "
            << i;
      }
      for (Index i = gemm.scratch(); i < scratch.numel(); ++i) ASSERT_EQ(scratch(i), guard) << "beyond the scratch";
    }
  }
}

TEST(SmallGemm, MatchesLoopsAndWritesNothingElse) {
  expect_products<float>(1e-6);
  expect_products<double>(1e-14);
}

TEST(SmallGemm, FitsWhileItsOperandsStayInACache) {
  EXPECT_TRUE((SmallGemm<float>(8, 8, 8).fits()));
  EXPECT_FALSE((SmallGemm<float>(100000, 256, 100000).fits()));
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::small_gemm_test
