// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/compare.hpp>
#include <eigengrad/ops/where.hpp>

#include "support/broadcast.hpp"
#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::where_test {
namespace {

struct Shapes {
  Shape condition, a, b, result;
};

std::vector<Shapes> cases() {
  std::vector<Shapes> all = {{{}, {}, {}, {}},
                             {{3}, {1}, {}, {3}},
                             {{4, 1, 2}, {3, 1}, {2}, {4, 3, 2}},
                             {{2, 3}, {2, 1}, {3}, {2, 3}},
                             {{1}, {2, 3}, {3}, {2, 3}},
                             {{200, 1}, {200, 170}, {170}, {200, 170}},
                             {{40000}, {40000}, {40000}, {40000}}};
  for (const testing::BroadcastCase& two : testing::broadcast_cases()) {
    all.push_back({two.a, two.b, two.result, two.result});
    all.push_back({two.result, two.a, two.b, two.result});
    all.push_back({two.b, two.result, two.a, two.result});
  }
  return all;
}

template <class T>
void expect_choices() {
  for (const auto& [condition_shape, a_shape, b_shape, shape] : cases()) {
    const Tensor<bool> condition = greater(testing::random<float>(condition_shape, 1), 0);
    const auto a = testing::random<T>(a_shape, 2);
    const auto b = testing::random<T>(b_shape, 3);
    testing::poison<T>(shape);
    set_num_threads(1);
    const Tensor<T> y = where(condition, a, b);
    const Tensor<T> with_b = where(condition, 5, b);
    const Tensor<T> with_a = where(condition, a, 0.5);
    ASSERT_EQ(y.shape(), shape) << condition_shape << a_shape << b_shape;
    for (Index i = 0; i < y.numel(); ++i) {
      const bool choice = testing::broadcast_at(condition, shape, i);
      const T expected = choice ? testing::broadcast_at(a, shape, i) : testing::broadcast_at(b, shape, i);
      ASSERT_EQ(y.data()[i], expected) << condition_shape << a_shape << b_shape << " at " << i;
    }
    EXPECT_TRUE(equal(with_b, where(condition, Tensor<T>({}, {T(5)}), b)));
    EXPECT_TRUE(equal(with_a, where(condition, a, Tensor<T>({}, {T(0.5)}))));
    set_num_threads(3);
    EXPECT_TRUE(equal(where(condition, a, b), y));
    set_num_threads(0);
  }
}

TEST(Where, ChoosesWithBroadcasting) {
  expect_choices<float>();
  expect_choices<double>();
}

TEST(Where, TakesNumbersForOneOfBoth) {
  const Tensor<bool> condition({3}, {true, false, true});
  const Tensor<Index> x({3}, {1, 2, 3});
  EXPECT_TRUE(equal(where(condition, x, 0), Tensor<Index>({3}, {1, 0, 3})));
  EXPECT_TRUE(equal(where(condition, 0, x), Tensor<Index>({3}, {0, 2, 0})));
}

TEST(Where, DerivativesAreTheDifferences) {
  for (const auto& [condition_shape, a_shape, b_shape, shape] : cases()) {
    if (shape.numel() > 100) continue;
    const Tensor<bool> condition = greater(testing::random<float>(condition_shape, 1), 0);
    EXPECT_TRUE(testing::op_gradcheck(
        "where", std::array{testing::random<double>(a_shape, 2), testing::random<double>(b_shape, 3)},
        [&](const auto& x) { return where(condition, x[0], x[1]); },
        [&](const auto& dy, const auto& x, const auto&) {
          return std::array{where_backward_first(dy, condition, x[0].shape()),
                            where_backward_second(dy, condition, x[1].shape())};
        }))
        << condition_shape << a_shape << b_shape;
  }
}

TEST(Where, RefusesShapesThatDoNotBroadcast) {
  EXPECT_EQ(testing::message_of([] {
              where(Tensor<bool>::full({2}, true), Tensor<float>::zeros({2, 3}), Tensor<float>::zeros({3}));
            }),
            "where: shapes (2,) and (2, 3) do not broadcast");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::where_test
