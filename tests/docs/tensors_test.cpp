// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/autodiff/functions.hpp>
#include <eigengrad/autodiff/grad.hpp>
#include <eigengrad/core/random.hpp>

// The tables and examples of docs/derivations/tensors.md.

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using autodiff::Variable;
using V = Variable<double>;
using T = Tensor<double>;

void expect_near(const T& got, const T& expected, double tolerance = 1e-12) {
  ASSERT_EQ(got.shape(), expected.shape());
  for (Index i = 0; i < got.numel(); ++i) EXPECT_NEAR(got.data()[i], expected.data()[i], tolerance) << i;
}

TEST(Broadcasting, ByHand) {
  const V a({2, 1}, {1.0, 2.0});
  const V b({3}, {10.0, 20.0, 30.0});
  const V y = a * b;
  expect_near(y.value(), T({2, 3}, {10.0, 20.0, 30.0, 20.0, 40.0, 60.0}));
  sum(y).backward();
  expect_near(a.grad(), T({2, 1}, {60.0, 60.0}));
  expect_near(b.grad(), T({3}, {3.0, 3.0, 3.0}));
}

/// A row of the table: a function of a and b, and the factors of da and db, of a, b and y.
struct Row {
  std::string name;
  std::function<V(const V&, const V&)> f;
  std::function<double(double, double, double)> da, db;
};

TEST(Elementwise, ByTheTable) {
  using std::log;
  const auto nothing = [](double, double, double) { return 0.0; };
  const std::vector<Row> table = {
      {"+", [](const V& a, const V& b) { return a + b; }, [](double, double, double) { return 1.0; },
       [](double, double, double) { return 1.0; }},
      {"-", [](const V& a, const V& b) { return a - b; }, [](double, double, double) { return 1.0; },
       [](double, double, double) { return -1.0; }},
      {"*", [](const V& a, const V& b) { return a * b; }, [](double, double b, double) { return b; },
       [](double a, double, double) { return a; }},
      {"/", [](const V& a, const V& b) { return a / b; }, [](double, double b, double) { return 1.0 / b; },
       [](double, double b, double y) { return -y / b; }},
      {"pow", [](const V& a, const V& b) { return pow(a, b); },
       [](double a, double b, double) { return b * std::pow(a, b - 1.0); },
       [](double a, double, double y) { return y * log(a); }},
      {"exp", [](const V& x, const V&) { return exp(x); }, [](double, double, double y) { return y; }, nothing},
      {"log", [](const V& x, const V&) { return autodiff::log(x); }, [](double x, double, double) { return 1.0 / x; },
       nothing},
      {"sqrt", [](const V& x, const V&) { return sqrt(x); }, [](double, double, double y) { return 0.5 / y; }, nothing},
      {"square", [](const V& x, const V&) { return square(x); }, [](double x, double, double) { return 2.0 * x; },
       nothing},
      {"abs", [](const V& x, const V&) { return abs(x - 1.0); },
       [](double x, double, double) { return x > 1.0 ? 1.0 : -1.0; }, nothing},
      {"clamp", [](const V& x, const V&) { return clamp(x, 0.5, 1.5); },
       [](double x, double, double) { return x >= 0.5 && x <= 1.5 ? 1.0 : 0.0; }, nothing},
      {"maximum", [](const V& a, const V& b) { return maximum(a, b); },
       [](double a, double b, double) { return a > b ? 1.0 : 0.0; },
       [](double a, double b, double) { return b > a ? 1.0 : 0.0; }},
      {"where", [](const V& a, const V& b) { return where(greater(a, 1.0), a, b); },
       [](double a, double, double) { return a > 1.0 ? 1.0 : 0.0; },
       [](double a, double, double) { return a > 1.0 ? 0.0 : 1.0; }}};
  Rng rng(1);
  for (const Row& row : table) {
    const V a = V::leaf(T::rand({8}, rng, 0.2, 2.0));
    const V b = V::leaf(T::rand({8}, rng, 0.2, 2.0));
    const T dy = T::randn({8}, rng);
    const V y = row.f(a, b);
    y.backward(dy);
    for (Index i = 0; i < 8; ++i) {
      const auto at = [&](const T& tensor) { return tensor.empty() ? 0.0 : tensor.data()[i]; };
      const double from = at(y.value());
      EXPECT_NEAR(at(a.grad()), row.da(at(a.value()), at(b.value()), from) * at(dy), 1e-12) << row.name;
      EXPECT_NEAR(at(b.grad()), row.db(at(a.value()), at(b.value()), from) * at(dy), 1e-12) << row.name;
    }
  }
}

TEST(Ties, AreSharedAsTheTableSays) {
  const auto gradient = [](const V& x, const V& y) { return autodiff::grad(sum(y), x).value(); };
  const V zero({1}, {0.0});
  expect_near(gradient(zero, relu(zero)), T({1}, {0.0}));
  expect_near(gradient(zero, abs(zero)), T({1}, {0.0}));
  expect_near(gradient(zero, norm(zero)), T({1}, {0.0}));
  const V edges({2}, {-1.0, 1.0});
  expect_near(gradient(edges, clamp(edges, -1.0, 1.0)), T({2}, {1.0, 1.0}));
  const V three({3}, {2.0, 2.0, 2.0});
  const V other({3}, {1.0, 2.0, 3.0});
  expect_near(gradient(three, maximum(three, other)), T({3}, {1.0, 0.5, 0.0}));
  expect_near(gradient(three, max(three)), T({3}, {1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0}));
}

TEST(Powers, OfZero) {
  const V a({2}, {0.0, 0.0});
  const V b({2}, {0.0, 2.0});
  const V y = sum(pow(a, b));
  const V by_a = grad(y, a, {.create_graph = true});
  const V by_b = grad(y, b, {.create_graph = true});
  expect_near(by_a.value(), T({2}, {0.0, 0.0}));
  expect_near(by_b.value(), T({2}, {0.0, 0.0}));
  expect_near(grad(sum(by_a), a, {.retain_graph = true}).value(), T({2}, {0.0, 2.0}));  // a^2 has the second one 2
  expect_near(grad(sum(by_b), b).value(), T({2}, {0.0, 0.0}));
}

TEST(MatrixProducts, OfBatchesAndTransposes) {
  Rng rng(2);
  // One matrix for three: a (3, 2, 4), b (4, 5)
  const V a = V::leaf(T::randn({3, 2, 4}, rng));
  const V b = V::leaf(T::randn({4, 5}, rng));
  const T dy = T::randn({3, 2, 5}, rng);
  matmul(a, b).backward(dy);
  Eigen::MatrixXd db = Eigen::MatrixXd::Zero(4, 5);
  for (Index n = 0; n < 3; ++n) {
    const auto dy_n = dy.matrix().middleRows(2 * n, 2);
    const Eigen::MatrixXd da = dy_n * b.value().matrix().transpose();
    EXPECT_LT((a.grad().matrix().middleRows(2 * n, 2) - da).cwiseAbs().maxCoeff(), 1e-12);
    db += a.value().matrix().middleRows(2 * n, 2).transpose() * dy_n;
  }
  EXPECT_LT((b.grad().matrix() - db).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((b.grad().matrix() - a.value().matrix().transpose() * dy.matrix()).cwiseAbs().maxCoeff(), 1e-12);

  // y = A^T B: dA = B dY^T; y = A B^T: dB = dY^T A
  const V left = V::leaf(T::randn({4, 2}, rng));
  const V right = V::leaf(T::randn({5, 4}, rng));
  const T d = T::randn({2, 5}, rng);
  matmul(left, right, {.transpose_a = true, .transpose_b = true}).backward(d);
  EXPECT_LT((left.grad().matrix() - right.value().matrix().transpose() * d.matrix().transpose()).cwiseAbs().maxCoeff(),
            1e-12);
  EXPECT_LT((right.grad().matrix() - d.matrix().transpose() * left.value().matrix().transpose()).cwiseAbs().maxCoeff(),
            1e-12);

  // A vector on either side
  const V m = V::leaf(T::randn({2, 3}, rng));
  const V x = V::leaf(T::randn({3}, rng));
  const T dv = T::randn({2}, rng);
  matmul(m, x).backward(dv);
  EXPECT_LT((m.grad().matrix() - dv.matrix().transpose() * x.value().matrix()).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((x.grad().matrix() - dv.matrix() * m.value().matrix()).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Reductions, ByHand) {
  const auto gradient = [](const V& x, const V& y) { return autodiff::grad(y, x).value(); };
  const V x({2}, {0.0, std::log(3.0)});
  EXPECT_NEAR(logsumexp(x).item(), std::log(4.0), 1e-12);
  expect_near(gradient(x, logsumexp(x)), T({2}, {0.25, 0.75}));
  const V y({2}, {3.0, 4.0});
  EXPECT_NEAR(norm(y).item(), 5.0, 1e-12);
  expect_near(gradient(y, norm(y)), T({2}, {0.6, 0.8}));
  const V z({3}, {1.0, 2.0, 6.0});
  EXPECT_NEAR(var(z).item(), 7.0, 1e-12);
  expect_near(gradient(z, var(z)), T({3}, {-2.0, -1.0, 3.0}));
  expect_near(gradient(z, mean(z)), T({3}, {1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0}));
  // log_softmax: dy - e^y sum dy
  const V logits({3}, {0.5, -1.0, 2.0});
  const T dy({3}, {1.0, -2.0, 4.0});
  const V log_p = log_softmax(logits);
  log_p.backward(dy);
  T expected({3});
  expected.mutable_array() = dy.array() - log_p.value().array().exp() * 3.0;
  expect_near(logits.grad(), expected);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
