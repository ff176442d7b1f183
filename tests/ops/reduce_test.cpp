// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/ops/reduce.hpp>

#include "support/message_of.hpp"
#include "support/op_gradcheck.hpp"
#include "support/tensors.hpp"

namespace eigengrad::EIGENGRAD_ISA::ops::reduce_test {
namespace {

using X = Tensor<double>;
using testing::kInfinity;
using testing::kNaN;

struct Case {
  Shape x;
  Axes axes;
  Shape result, kept;
};
std::vector<Case> cases() {
  return {{{}, {}, {}, {}},
          {{1}, {0}, {}, {1}},
          {{7}, {}, {}, {1}},
          {{3, 4}, {0}, {4}, {1, 4}},
          {{3, 4}, {1}, {3}, {3, 1}},
          {{3, 1}, {-1}, {3}, {3, 1}},
          {{3, 4}, {0, 1}, {}, {1, 1}},
          {{2, 5, 3}, {1}, {2, 3}, {2, 1, 3}},
          {{2, 5, 3}, {-3, -1}, {5}, {1, 5, 1}},
          {{3, 2, 1, 2, 3, 2}, {1, 3, 5}, {3, 1, 3}, {3, 1, 1, 1, 3, 1}}};
}

/// Calls f with the elements that go into each result, in the order of the results.
template <class F>
X each_group(const X& x, const Case& c, const F& f) {
  std::vector<std::vector<double>> groups(static_cast<std::size_t>(c.result.numel()));
  for (Index i = 0; i < x.numel(); ++i) {
    Index rest = i;
    Index group = 0;
    Index stride = 1;
    for (int axis = x.rank() - 1; axis >= 0; --axis) {
      const Index at = rest % x.size(axis);
      rest /= x.size(axis);
      if (c.kept[axis] == 1) continue;
      group += at * stride;
      stride *= c.kept[axis];
    }
    groups[static_cast<std::size_t>(group)].push_back(x.data()[i]);
  }
  X result(c.result);
  for (std::size_t i = 0; i < groups.size(); ++i) result.mutable_data()[i] = f(groups[i]);
  return result;
}

double sum_of(const std::vector<double>& v) {
  double total = 0.0;
  for (const double e : v) total += e;
  return total;
}
double squares_of(const std::vector<double>& v, double center) {
  double total = 0.0;
  for (const double e : v) total += (e - center) * (e - center);
  return total;
}
double mean_of(const std::vector<double>& v) { return sum_of(v) / static_cast<double>(v.size()); }

/// Compares an operation, with keepdims and without, with its definition, and its derivative with the differences.
template <class Op, class Value, class Backward>
void expect_reduction(const char* name, const Op& op, const Value& value, const Backward& backward) {
  for (const Case& c : cases()) {
    Rng rng(6);
    const X x = add(detail::distinct_numbers(c.x, rng), 0.25);  // no sum is 0 but for rounding
    const X expected = each_group(x, c, value);
    testing::poison<double>(c.result);
    EXPECT_LT(testing::difference(op(x, c.axes, false), expected), 1e-14) << name << " " << c.x;
    EXPECT_LT(testing::difference(op(x, c.axes, true), expected.reshape(c.kept)), 1e-14) << name << " " << c.x;
    for (const bool keepdims : {false, true}) {
      EXPECT_TRUE(testing::op_gradcheck(
          name, x, [&](const X& v) { return op(v, c.axes, keepdims); },
          [&](const X& dy, const X& v, const X& y) { return backward(dy, v, y, c.axes); }))
          << c.x;
    }
  }
}

TEST(Reduce, FollowsTheDefinitions) {
  expect_reduction(
      "sum", [](const X& x, const Axes& axes, bool keepdims) { return sum(x, axes, keepdims); }, sum_of,
      [](const X& dy, const X& x, const X&, const Axes& axes) { return sum_backward(dy, x.shape(), axes); });
  expect_reduction(
      "mean", [](const X& x, const Axes& axes, bool keepdims) { return mean(x, axes, keepdims); }, mean_of,
      [](const X& dy, const X& x, const X&, const Axes& axes) { return mean_backward(dy, x.shape(), axes); });
  expect_reduction(
      "var", [](const X& x, const Axes& axes, bool keepdims) { return var(x, axes, keepdims, 0.5); },
      [](const auto& v) { return squares_of(v, mean_of(v)) / (static_cast<double>(v.size()) - 0.5); },
      [](const X& dy, const X& x, const X&, const Axes& axes) { return var_backward(dy, x, axes, 0.5); });
  expect_reduction(
      "max", [](const X& x, const Axes& axes, bool keepdims) { return max(x, axes, keepdims); },
      [](const auto& v) { return *std::max_element(v.begin(), v.end()); },
      [](const X& dy, const X& x, const X& y, const Axes& axes) { return max_backward(dy, x, y, axes); });
  expect_reduction(
      "min", [](const X& x, const Axes& axes, bool keepdims) { return min(x, axes, keepdims); },
      [](const auto& v) { return *std::min_element(v.begin(), v.end()); },
      [](const X& dy, const X& x, const X& y, const Axes& axes) { return min_backward(dy, x, y, axes); });
  expect_reduction(
      "logsumexp", [](const X& x, const Axes& axes, bool keepdims) { return logsumexp(x, axes, keepdims); },
      [](const auto& v) {
        double total = 0.0;
        for (const double e : v) total += std::exp(e);
        return std::log(total);
      },
      [](const X& dy, const X& x, const X& y, const Axes& axes) { return logsumexp_backward(dy, x, y, axes); });
  expect_reduction(
      "norm", [](const X& x, const Axes& axes, bool keepdims) { return norm(x, axes, keepdims); },
      [](const auto& v) { return std::sqrt(squares_of(v, 0.0)); },
      [](const X& dy, const X& x, const X& y, const Axes& axes) { return norm_backward(dy, x, y, axes); });
}

TEST(Reduce, ArgmaxIsTheFirstOfTheLargest) {
  const Tensor<float> x({2, 4}, {1, 5, 5, 0, 7, 2, 7, 7});
  EXPECT_TRUE(equal(argmax(x, 1), Tensor<Index>({2}, {1, 0})));
  EXPECT_TRUE(equal(argmax(x, -1, true), Tensor<Index>({2, 1}, {1, 0})));
  EXPECT_TRUE(equal(argmax(x, 0), Tensor<Index>({4}, {1, 0, 1, 1})));
  EXPECT_TRUE(equal(argmax(x.reshape({2, 2, 2}), 1), Tensor<Index>({2, 2}, {1, 0, 0, 1})));
  const X nan({5}, {1, kNaN, 3, kNaN, 2});
  EXPECT_EQ(argmax(nan, 0).item(), 1);
  EXPECT_EQ(argmax(X({2}, {-kInfinity, -kInfinity}), 0).item(), 0);
  EXPECT_EQ(argmax(X({3, 0}), 0).shape(), (Shape{0}));
  const auto large = testing::random<float>({300, 200}, 1);
  set_num_threads(3);
  const Tensor<Index> threads = argmax(large, 1);
  set_num_threads(1);
  EXPECT_TRUE(equal(argmax(large, 1), threads));
  set_num_threads(0);
  for (Index row = 0; row < 300; ++row) {
    Eigen::Index best = 0;
    large.matrix().row(row).maxCoeff(&best);
    ASSERT_EQ(threads(row), best);
  }
}

TEST(Reduce, EqualElementsShareTheGradientOfAnExtremum) {
  const X x({2, 3}, {4, 4, 1, 2, 3, 3});
  const X dy({2}, {10, 20});
  EXPECT_TRUE(equal(max_backward(dy, x, max(x, 1), 1), X({2, 3}, {5, 5, 0, 0, 10, 10})));
  EXPECT_TRUE(equal(min_backward(dy, x, min(x, 1), 1), X({2, 3}, {0, 0, 10, 20, 0, 0})));
  EXPECT_TRUE(equal(max_backward(X({}, {6}), x, max(x)), X({2, 3}, {3, 3, 0, 0, 0, 0})));
}

TEST(Reduce, NaNAndTheInfinitiesGoThrough) {
  const X x({4, 2}, {1, kNaN, -kInfinity, -kInfinity, kInfinity, 0, kInfinity, -kInfinity});
  EXPECT_TRUE(equal(isnan(max(x, 1)), Tensor<bool>({4}, {true, false, false, false})));
  EXPECT_TRUE(equal(isnan(min(x, 1)), Tensor<bool>({4}, {true, false, false, false})));
  const X y = logsumexp(x, 1);
  EXPECT_TRUE(std::isnan(y(0)));
  EXPECT_EQ(y(1), -kInfinity);
  EXPECT_EQ(y(2), kInfinity);
  EXPECT_EQ(y(3), kInfinity);
  EXPECT_EQ(logsumexp(X({2}, {-kInfinity, 2})).item(), 2.0);
  EXPECT_EQ(logsumexp(X({2}, {1e4, 1e4})).item(), 1e4 + std::log(2.0));
  const X gradient = max_backward(X::ones({4}), x, max(x, 1), 1);
  EXPECT_TRUE(std::isnan(gradient(0, 0)) && std::isnan(gradient(0, 1)));
  EXPECT_EQ(gradient(2, 0), 1.0);
}

TEST(Reduce, TheNormOfZerosHasTheGradientZero) {
  const X x({2, 2}, {0, 0, 3, 4});
  const X dx = norm_backward(X({2}, {1, 10}), x, norm(x, 1), 1);
  EXPECT_EQ(dx(0, 0), 0.0);
  EXPECT_EQ(dx(0, 1), 0.0);
  EXPECT_NEAR(dx(1, 0), 6.0, 1e-14);
  EXPECT_NEAR(dx(1, 1), 8.0, 1e-14);
}

TEST(Reduce, OfNothing) {
  const X x({2, 0});
  EXPECT_TRUE(equal(sum(x, 1), X::zeros({2})));
  EXPECT_TRUE(equal(norm(x, 1), X::zeros({2})));
  EXPECT_TRUE(equal(isnan(mean(x, 1)), Tensor<bool>::full({2}, true)));
  EXPECT_TRUE(equal(isnan(var(x, 1)), Tensor<bool>::full({2}, true)));
  EXPECT_TRUE(std::isnan(var(X::ones({1})).item()));
  EXPECT_TRUE(equal(logsumexp(x, 1), X::full({2}, -kInfinity)));
  EXPECT_EQ(max(x, 0).shape(), (Shape{0}));
  EXPECT_EQ(sum_backward(X::ones({2}), {2, 0}, 1).shape(), (Shape{2, 0}));
  EXPECT_EQ(max_backward(X({0}), x, X({0}), 0).shape(), (Shape{2, 0}));
  EXPECT_EQ(testing::message_of([&] { max(x, 1); }),
            "max: no elements along an axis of shape (2, 0), and that of none is not defined");
  EXPECT_THROW(min(x), ShapeError);
  EXPECT_THROW(argmax(x, 1), ShapeError);
}

TEST(Reduce, AddsIntegers) {
  const Tensor<Index> x({2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(equal(sum(x, 0), Tensor<Index>({2}, {4, 6})));
  EXPECT_EQ(max(x).item(), 4);
  EXPECT_EQ(min(x).item(), 1);
}

TEST(Reduce, RefusesAxesOutOfRange) {
  const auto x = Tensor<float>::zeros({2, 3});
  EXPECT_EQ(testing::message_of([&] { sum(x, 2); }), "sum: axis 2 of shape (2, 3), which has rank 2");
  EXPECT_EQ(testing::message_of([&] { mean(x, {0, -2}); }), "mean: axis 0 of shape (2, 3) twice");
  EXPECT_THROW(var(x, 2), ShapeError);
  EXPECT_THROW(max(x, 2), ShapeError);
  EXPECT_THROW(min(x, 2), ShapeError);
  EXPECT_THROW(logsumexp(x, 2), ShapeError);
  EXPECT_THROW(norm(x, 2), ShapeError);
  EXPECT_THROW(argmax(x, 2), ShapeError);
  EXPECT_THROW(sum_backward(x, {2, 3}, 2), ShapeError);
  EXPECT_THROW(max_backward(Tensor<float>::zeros({3}), x, Tensor<float>::zeros({2}), 1), ShapeError);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::ops::reduce_test
