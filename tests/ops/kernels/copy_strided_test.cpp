// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <eigengrad/ops/kernels/copy_strided.hpp>

#include "support/positions.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::detail::copy_strided_test {
namespace {

using testing::counting;

Index offset_of(const testing::Position& at, const Strides& strides) {
  Index offset = 0;
  for (std::size_t axis = 0; axis < at.size(); ++axis) offset += at[axis] * strides[axis];
  return offset;
}

struct Copy {
  Shape shape;
  Strides from, to;
};

template <class T>
void check(const Copy& copy) {
  constexpr Index kRoom = 200000;
  const Tensor<T> x = counting<T>({kRoom});
  Tensor<T> expected = Tensor<T>::full({kRoom}, T(-1));
  T* out = expected.mutable_data();
  testing::for_positions(copy.shape, [&](Index, const testing::Position& at) {
    out[offset_of(at, copy.to)] = x.data()[offset_of(at, copy.from)];
  });
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    Tensor<T> y = Tensor<T>::full({kRoom}, T(-1));
    copy_strided(copy.shape, x.data(), copy.from, y.mutable_data(), copy.to);
    EXPECT_TRUE(equal(y, expected)) << copy.shape << " on " << threads << " threads";
  }
  set_num_threads(0);
}

TEST(CopyStrided, MatchesLoops) {
  for (const Copy& copy : {
           Copy{{}, {}, {}},
           Copy{{7}, {1}, {1}},
           Copy{{100000}, {1}, {1}},
           Copy{{1000}, {3}, {1}},
           Copy{{1000}, {1}, {5}},
           Copy{{3, 1, 5}, {5, 99, 1}, {5, 77, 1}},
           Copy{{300, 257}, {1, 300}, {257, 1}},                   // a transposed matrix, with edges of squares
           Copy{{2, 300, 257}, {77100, 1, 300}, {77100, 257, 1}},  // two, each in bands for several threads
           Copy{{2, 300, 40}, {600, 1, 2000}, {12000, 40, 1}},     // lines on pages of their own, in longer bands
           Copy{{16, 32}, {1, 16}, {32, 1}},                       // and without
           Copy{{2, 3, 40, 50}, {6000, 1, 150, 3}, {6000, 2000, 50, 1}},  // channels to the front
           Copy{{2, 40, 50, 3}, {6000, 50, 1, 2000}, {6000, 150, 3, 1}},  // and back
           Copy{{4, 3, 5}, {1, 20, 4}, {15, 5, 1}},
           Copy{{20, 30, 40}, {100, 2100, 2}, {1200, 40, 1}},
           Copy{{5, 60}, {1, 0}, {60, 1}},  // one element repeated in each row
           Copy{{5, 60}, {0, 1}, {60, 1}},  // one row repeated
           Copy{{5, 60}, {0, 0}, {60, 1}},
           Copy{{50, 30, 20}, {600, 20, 1}, {2400, 40, 1}},  // a wider target
           Copy{{50, 30, 2}, {60, 2, 1}, {2400, 40, 9}},
           Copy{{2, 3, 2, 3, 2, 3}, {1, 2, 6, 12, 36, 72}, {108, 36, 18, 6, 3, 1}},
           Copy{{4, 0, 3}, {0, 3, 1}, {0, 3, 1}},
       }) {
    check<float>(copy);
    check<double>(copy);
    check<Index>(copy);
    check<signed char>(copy);
  }
}

TEST(CopyStrided, RunsAtEqualDistancesLeaveWhatIsBetweenThem) {
  constexpr Index kRows = 300, kCount = 170, kFrom = 180, kTo = 200;
  const Tensor<float> x = counting<float>({kRows, kFrom});
  for (const Index rows : {Index{1}, Index{2}, kRows}) {
    Tensor<float> y = Tensor<float>::full({kRows + 1, kTo}, -1.0F);
    detail::copy_runs(rows, kCount, x.data(), kFrom, y.mutable_data(), kTo);
    for (Index row = 0; row <= kRows; ++row) {
      for (Index i = 0; i < kTo; ++i) {
        const float expected = row < rows && i < kCount ? x.data()[row * kFrom + i] : -1.0F;
        ASSERT_EQ(y.data()[row * kTo + i], expected) << rows << " rows, at " << row << ", " << i;
      }
    }
  }
}

TEST(Walk, VisitsPositionsInOrderFromAnywhere) {
  const Shape shape{3, 1, 4, 2};
  const Strides reversed{1, 3, 3, 12};
  for (Index first = 0; first < shape.numel(); ++first) {
    Walk<2> walk(shape, {strides_of(shape), reversed});
    walk.seek(first);
    testing::for_positions(shape, [&](Index i, const testing::Position& at) {
      if (i < first) return;
      ASSERT_EQ(walk.offset(0), i);
      ASSERT_EQ(walk.offset(1), offset_of(at, reversed));
      ASSERT_EQ(walk.at(2), at[2]);
      walk.next();
    });
  }
}

TEST(Walk, HasOnePositionWithoutAxes) {
  Walk<1> walk(Shape{}, {Strides{}});
  walk.seek(0);
  EXPECT_EQ(walk.offset(), 0);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::detail::copy_strided_test
