// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <tuple>

#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/gemm.hpp>

#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::detail::gemm_test {
namespace {

/// The product by its definition, in the order of the summed axis.
template <class T>
void reference(View<const T> a, View<const T> b, View<T> c, bool add) {
  for (Index i = 0; i < c.rows; ++i) {
    for (Index j = 0; j < c.cols; ++j) {
      double sum = 0.0;
      for (Index p = 0; p < a.cols; ++p) {
        sum += static_cast<double>(a.data[i * a.row_stride + p * a.col_stride]) *
               static_cast<double>(b.data[p * b.row_stride + j * b.col_stride]);
      }
      T& element = c.data[i * c.row_stride + j * c.col_stride];
      element = static_cast<T>((add ? static_cast<double>(element) : 0.0) + sum);
    }
  }
}

struct GemmSizes {
  Index rows, cols, depth;
};

class Gemm : public ::testing::TestWithParam<GemmSizes> {
 protected:
  template <class T>
  void check(double tolerance) const {
    const Index rows = GetParam().rows;
    const Index cols = GetParam().cols;
    const Index depth = GetParam().depth;
    const Tensor<T> a = testing::random<T>({rows, depth}, 1);
    const Tensor<T> b = testing::random<T>({depth, cols}, 2);
    for (const bool a_transposed : {false, true}) {
      for (const bool b_transposed : {false, true}) {
        for (const bool c_transposed : {false, true}) {
          for (const bool add : {false, true}) {
            const View<const T> a_view =
                a_transposed ? row_major(a.data(), depth, rows).transposed() : row_major(a.data(), rows, depth);
            const View<const T> b_view =
                b_transposed ? row_major(b.data(), cols, depth).transposed() : row_major(b.data(), depth, cols);
            Tensor<T> c = add ? testing::random<T>({rows, cols}, 3)
                              : Tensor<T>::full({rows, cols}, std::numeric_limits<T>::quiet_NaN());
            Tensor<T> expected = c;
            const auto view = [&](Tensor<T>& t) {
              return c_transposed ? row_major(t.mutable_data(), cols, rows).transposed()
                                  : row_major(t.mutable_data(), rows, cols);
            };
            gemm(a_view, b_view, view(c), add);
            reference(a_view, b_view, view(expected), add);
            EXPECT_LT(testing::difference(c, expected), tolerance)
                << rows << " x " << cols << " x " << depth << (a_transposed ? " a^T" : "")
                << (b_transposed ? " b^T" : "") << (c_transposed ? " c^T" : "") << (add ? " +=" : "");
          }
        }
      }
    }
  }
};

TEST_P(Gemm, MatchesLoopsInFloat) { check<float>(1e-5); }
TEST_P(Gemm, MatchesLoopsInDouble) { check<double>(1e-13); }

INSTANTIATE_TEST_SUITE_P(Sizes, Gemm,
                         ::testing::Values(GemmSizes{1, 1, 1}, GemmSizes{1, 10, 7}, GemmSizes{10, 1, 7},
                                           GemmSizes{3, 5, 2}, GemmSizes{13, 33, 17}, GemmSizes{12, 32, 256},
                                           GemmSizes{31, 47, 257}, GemmSizes{100, 200, 64},
                                           GemmSizes{65, 70, 700},  // above one thread's work
                                           GemmSizes{50, 100, 1100}, GemmSizes{34, 100, 1100},  // a split summed axis
                                           GemmSizes{5, 70, 129}, GemmSizes{45, 9, 100},        // few rows, few columns
                                           GemmSizes{300, 40, 300},
                                           GemmSizes{40, 700, 300}),  // many panels of each kind
                         [](const auto& sizes) {
                           return std::to_string(sizes.param.rows) + "x" + std::to_string(sizes.param.cols) + "x" +
                                  std::to_string(sizes.param.depth);
                         });

TEST(Gemm, AnEmptySumIsZero) {
  Tensor<float> c = Tensor<float>::ones({2, 3});
  const View<const float> a{nullptr, 2, 0, 0, 1};
  const View<const float> b{nullptr, 0, 3, 3, 1};
  gemm(a, b, row_major(c.mutable_data(), 2, 3), true);
  EXPECT_TRUE(equal(c, Tensor<float>::ones({2, 3})));
  gemm(a, b, row_major(c.mutable_data(), 2, 3));
  EXPECT_TRUE(equal(c, Tensor<float>::zeros({2, 3})));
}

TEST(Gemm, TheNumberOfThreadsChangesNoBit) {
  for (const GemmSizes sizes : {GemmSizes{200, 100, 3072}, GemmSizes{100, 3072, 200}, GemmSizes{200, 700, 700},
                                GemmSizes{333, 77, 500}, GemmSizes{16, 301, 999}}) {
    const Tensor<float> a = testing::random<float>({sizes.rows, sizes.depth}, 1);
    const Tensor<float> b = testing::random<float>({sizes.depth, sizes.cols}, 2);
    const auto product = [&](int threads) {
      set_num_threads(threads);
      Tensor<float> c({sizes.rows, sizes.cols});
      gemm(row_major(a.data(), sizes.rows, sizes.depth), row_major(b.data(), sizes.depth, sizes.cols),
           row_major(c.mutable_data(), sizes.rows, sizes.cols));
      return c;
    };
    const Tensor<float> one = product(1);
    for (const int threads : {2, 3, 5, 8}) EXPECT_TRUE(equal(one, product(threads))) << threads;
  }
  set_num_threads(0);
}

TEST(EvenSplit, PartsDifferByAtMostOne) {
  for (const Index size : {1, 12, 13, 100, 101}) {
    const EvenSplit split = EvenSplit::of_at_most(size, 12);
    Index sum = 0;
    for (Index part = 0; part < split.count; ++part) {
      EXPECT_EQ(split.begin(part), sum);
      EXPECT_LE(split.length(part), 12);
      EXPECT_LE(split.longest() - split.length(part), 1);
      sum += split.length(part);
    }
    EXPECT_EQ(sum, size);
  }
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::gemm_test
