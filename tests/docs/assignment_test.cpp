// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/loss.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/ops/cross_entropy.hpp>
#include <eigengrad/ops/linear.hpp>
#include <eigengrad/ops/relu.hpp>
#include <eigengrad/ops/softmax.hpp>

// The formulas of docs/assignment.md, written down with Eigen's matrices as they stand there, for one sample in a
// column. They are compared with central differences of the forward functions below and with the library, and the slips
// that the page names are seen to be wrong.

namespace eigengrad::EIGENGRAD_ISA {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kTolerance = 1e-6;

MatrixXd random(Index rows, Index cols, Rng& rng) {
  MatrixXd m(rows, cols);
  for (double& v : m.reshaped()) v = rng.normal();
  return m;
}
double distance(const MatrixXd& a, const MatrixXd& b) { return (a - b).cwiseAbs().maxCoeff(); }

using Function = std::function<VectorXd(const VectorXd&)>;

/// The Jacobian by central differences: dy_i / dx_j in row i, column j.
MatrixXd jacobian(const Function& f, const VectorXd& x) {
  constexpr double kStep = 1e-5;
  MatrixXd result(f(x).size(), x.size());
  for (Index j = 0; j < x.size(); ++j) {
    const VectorXd step = kStep * VectorXd::Unit(x.size(), j);
    result.col(j) = (f(x + step) - f(x - step)) / (2.0 * kStep);
  }
  return result;
}
/// The gradient of a number, in the shape of what it is taken with respect to.
MatrixXd gradient(const std::function<double(const MatrixXd&)>& f, const MatrixXd& at) {
  const auto shaped = [&](const VectorXd& flat) -> MatrixXd { return flat.reshaped(at.rows(), at.cols()); };
  const Function number = [&](const VectorXd& flat) { return VectorXd::Constant(1, f(shaped(flat))); };
  return shaped(jacobian(number, at.reshaped()).transpose());
}

VectorXd softmax(const VectorXd& x) {
  const VectorXd e = x.array().exp();
  return e / e.sum();
}
VectorXd relu(const VectorXd& x) { return x.cwiseMax(0.0); }
double cross_entropy(const VectorXd& x, const VectorXd& t) { return -t.dot(x.array().log().matrix()); }
MatrixXd softmax_jacobian(const VectorXd& x) { return MatrixXd(x.asDiagonal()) - x * x.transpose(); }
VectorXd is_positive(const VectorXd& x) { return (x.array() > 0.0).cast<double>(); }

/// Samples in columns here, in rows in the library.
Tensor<double> tensor(const MatrixXd& columns) {
  Tensor<double> result({columns.cols(), columns.rows()});
  result.mutable_matrix() = columns.transpose();
  return result;
}
Tensor<double> weight_tensor(const MatrixXd& w) { return tensor(w.transpose()); }
MatrixXd columns(const Tensor<double>& rows) { return rows.matrix().transpose(); }

TEST(Assignment, Modules) {
  Rng rng(1);
  const VectorXd logits = random(4, 1, rng);
  const VectorXd x = softmax(logits);
  const VectorXd t = VectorXd::Unit(4, 2);
  const Tensor<Index> labels({1}, {2});

  // Cross-entropy: -t / x
  const VectorXd dx = -t.cwiseQuotient(x);
  EXPECT_LT(distance(dx, gradient([&](const MatrixXd& at) { return cross_entropy(at, t); }, x)), kTolerance);
  EXPECT_LT(distance(dx, columns(ops::cross_entropy_backward(tensor(x), labels))), kTolerance);

  // Softmax: the cases i = j and i != j, Diag(x) - x x^T
  const MatrixXd of_softmax = jacobian(softmax, logits);
  EXPECT_NEAR(of_softmax(1, 1), x(1) * (1.0 - x(1)), kTolerance);
  EXPECT_NEAR(of_softmax(1, 3), -x(1) * x(3), kTolerance);
  EXPECT_LT(distance(softmax_jacobian(x), of_softmax), kTolerance);
  EXPECT_LT(softmax_jacobian(x).rowwise().sum().cwiseAbs().maxCoeff(), kTolerance);
  const VectorXd dy = random(4, 1, rng);
  EXPECT_LT(distance(softmax_jacobian(x).transpose() * dy, columns(ops::softmax_backward(tensor(dy), tensor(x)))),
            kTolerance);
  // The page's row, and the slips: x_i - x_i x_j, -2 x_i x_j off the diagonal
  const VectorXd example = (VectorXd(3) << 0.2, 0.3, 0.5).finished();
  EXPECT_LT(distance(softmax_jacobian(example).row(0), Eigen::RowVector3d(0.16, -0.06, -0.1)), kTolerance);
  EXPECT_GT(std::abs(x(1) - x(1) * x(3) - of_softmax(1, 3)), 1e-2);
  EXPECT_GT(std::abs(-2.0 * x(1) * x(3) - of_softmax(1, 3)), 1e-2);

  // ReLU: Diag(1[x~ > 0])
  const VectorXd before = (VectorXd(4) << 0.7, -0.2, 1.5, -2.0).finished();
  EXPECT_LT(distance(MatrixXd(is_positive(before).asDiagonal()), jacobian(relu, before)), kTolerance);
  EXPECT_LT(
      distance(is_positive(before).cwiseProduct(dy), columns(ops::relu_backward(tensor(dy), tensor(relu(before))))),
      kTolerance);

  // Linear: W, delta_ko x_i, the identity
  const MatrixXd w = random(2, 4, rng);
  const VectorXd b = random(2, 1, rng);
  EXPECT_LT(distance(w, jacobian([&](const VectorXd& at) -> VectorXd { return w * at + b; }, x)), kTolerance);
  EXPECT_LT(distance(MatrixXd::Identity(2, 2), jacobian([&](const VectorXd& at) -> VectorXd { return w * x + at; }, b)),
            kTolerance);
  const MatrixXd by_weight = jacobian([&](const VectorXd& at) -> VectorXd { return at.reshaped(2, 4) * x + b; },
                                      w.reshaped());  // w by columns
  for (Index k = 0; k < 2; ++k) {
    for (Index o = 0; o < 2; ++o) {
      for (Index i = 0; i < 4; ++i) EXPECT_NEAR(by_weight(k, o + 2 * i), k == o ? x(i) : 0.0, kTolerance);
    }
  }
}

/// A network of 5, 4, 3 and 3 units: its forward pass, and the gradients as 1.1 b) has them. Index 0 is the input.
struct Network {
  std::vector<MatrixXd> w;
  std::vector<VectorXd> b;
  std::vector<VectorXd> x, before;  // x^(l) and x~^(l)
  VectorXd t;

  explicit Network(Rng& rng) : w(4), b(4), x(4), before(4), t(VectorXd::Unit(3, 1)) {
    const std::vector<Index> units = {5, 4, 3, 3};
    x[0] = random(units[0], 1, rng);
    for (std::size_t l = 1; l < 4; ++l) {
      w[l] = random(units[l], units[l - 1], rng);
      b[l] = random(units[l], 1, rng);
    }
  }
  double loss(std::size_t from = 0) {
    for (std::size_t l = from + 1; l < 4; ++l) {
      before[l] = w[l] * x[l - 1] + b[l];
      x[l] = l < 3 ? relu(before[l]) : softmax(before[l]);
    }
    return cross_entropy(x[3], t);
  }
};

TEST(Assignment, Chain) {
  Rng rng(2);
  Network net(rng);
  net.loss();
  std::vector<VectorXd> d_x(4);
  std::vector<VectorXd> d_before(4);
  std::vector<MatrixXd> d_w(4);
  d_before[3] = softmax_jacobian(net.x[3]).transpose() * (-net.t.cwiseQuotient(net.x[3]));
  EXPECT_LT(distance(d_before[3], net.x[3] - net.t), kTolerance);
  for (std::size_t l = 2; l > 0; --l) {
    d_x[l] = net.w[l + 1].transpose() * d_before[l + 1];
    d_before[l] = is_positive(net.before[l]).cwiseProduct(d_x[l]);
  }
  for (std::size_t l = 1; l < 4; ++l) d_w[l] = d_before[l] * net.x[l - 1].transpose();

  for (std::size_t l = 1; l < 4; ++l) {
    const auto by = [&](auto member) {
      return gradient(
          [&](const MatrixXd& at) {
            Network moved = net;
            (moved.*member)[l] = at;
            return moved.loss();
          },
          (net.*member)[l]);
    };
    EXPECT_LT(distance(d_w[l], by(&Network::w)), kTolerance) << l;
    EXPECT_LT(distance(d_before[l], by(&Network::b)), kTolerance) << l;
    if (l == 3) continue;
    const MatrixXd by_x = gradient(
        [&](const MatrixXd& at) {
          Network moved = net;
          moved.x[l] = at;
          return moved.loss(l);
        },
        net.x[l]);
    EXPECT_LT(distance(d_x[l], by_x), kTolerance) << l;
  }
  // The slip: x^(l) in place of x^(l-1) has another shape than W or, for a square one, other numbers.
  EXPECT_NE((d_before[1] * net.x[1].transpose()).cols(), net.w[1].cols());
  EXPECT_GT(distance(d_before[3] * net.x[3].transpose(), d_w[3]), 1e-2);

  // The library, from the same weights
  const auto layer = [&](std::size_t l) {
    nn::Linear<double> result{net.w[l].cols(), net.w[l].rows()};
    result.weight.value = weight_tensor(net.w[l]);
    result.bias.value = Tensor<double>(result.bias.value.shape());
    result.bias.value.mutable_matrix() = net.b[l].transpose();
    return result;
  };
  nn::Sequential<double> library{layer(1), nn::ReLU<double>{}, layer(2), nn::ReLU<double>{}, layer(3)};
  nn::SoftmaxCrossEntropy<double> loss;
  EXPECT_NEAR(loss.forward(library.forward(tensor(net.x[0])), Tensor<Index>({1}, {1})), net.loss(), kTolerance);
  library.backward(loss.backward());
  const auto parameters = library.parameters();
  for (std::size_t l = 1; l < 4; ++l) {
    EXPECT_LT(distance(d_w[l], parameters[2 * l - 2]->grad.matrix()), kTolerance) << l;
    EXPECT_LT(distance(d_before[l], columns(parameters[2 * l - 1]->grad)), kTolerance) << l;
  }
}

TEST(Assignment, Batches) {
  Rng rng(3);
  constexpr Index kSamples = 6;
  const MatrixXd x = random(kSamples, 4, rng);  // samples in rows
  const MatrixXd w = random(3, 4, rng);
  const VectorXd b = random(3, 1, rng);
  std::vector<VectorXd> targets;
  for (Index n = 0; n < kSamples; ++n) targets.push_back(VectorXd::Unit(3, n % 3));

  const MatrixXd before = (x * w.transpose()).rowwise() + b.transpose();
  MatrixXd g(kSamples, 3);
  MatrixXd mean_of_gradients = MatrixXd::Zero(3, 4);
  VectorXd mean_of_bias_gradients = VectorXd::Zero(3);
  for (Index n = 0; n < kSamples; ++n) {
    const VectorXd alone = softmax(before.row(n).transpose()) - targets[static_cast<std::size_t>(n)];
    g.row(n) = alone.transpose() / kSamples;
    mean_of_gradients += alone * x.row(n) / kSamples;
    mean_of_bias_gradients += alone / kSamples;
  }
  const auto loss = [&](const MatrixXd& at, const MatrixXd& weight, const VectorXd& bias) {
    double sum = 0.0;
    for (Index n = 0; n < kSamples; ++n) {
      sum += cross_entropy(softmax(weight * at.row(n).transpose() + bias), targets[static_cast<std::size_t>(n)]);
    }
    return sum / kSamples;
  };
  const MatrixXd d_x = g * w;
  const MatrixXd d_w = g.transpose() * x;
  const VectorXd d_b = g.transpose() * VectorXd::Ones(kSamples);
  EXPECT_LT(distance(d_x, gradient([&](const MatrixXd& at) { return loss(at, w, b); }, x)), kTolerance);
  EXPECT_LT(distance(d_w, gradient([&](const MatrixXd& at) { return loss(x, at, b); }, w)), kTolerance);
  EXPECT_LT(distance(d_b, gradient([&](const MatrixXd& at) { return loss(x, w, at); }, b)), kTolerance);
  EXPECT_LT(distance(d_w, mean_of_gradients), kTolerance);
  EXPECT_LT(distance(d_b, mean_of_bias_gradients), kTolerance);

  const Tensor<double> dy = tensor(g.transpose());
  EXPECT_LT(distance(d_x, ops::linear_backward_input(dy, weight_tensor(w)).matrix()), kTolerance);
  EXPECT_LT(distance(d_w, ops::linear_backward_weight(dy, tensor(x.transpose())).matrix()), kTolerance);
  EXPECT_LT(distance(d_b, columns(ops::linear_backward_bias(dy))), kTolerance);
}

TEST(Assignment, BatchNormalisation) {
  Rng rng(4);
  constexpr Index kRows = 7;
  constexpr double kEps = 0.1;
  const VectorXd x = random(kRows, 1, rng);
  const VectorXd dy = random(kRows, 1, rng);
  const double gamma = 1.7;
  const double beta = -0.4;
  const auto variance = [](const VectorXd& at) { return (at.array() - at.mean()).square().mean(); };
  const auto rho = [&](const VectorXd& at) { return 1.0 / std::sqrt(variance(at) + kEps); };
  const auto normalised = [&](const VectorXd& at) -> VectorXd { return (at.array() - at.mean()) * rho(at); };
  const auto number = [](auto f) { return [f](const VectorXd& at) { return VectorXd::Constant(1, f(at)); }; };
  const VectorXd n = normalised(x);
  const double m = kRows;

  EXPECT_LT(distance(Eigen::RowVectorXd::Constant(kRows, 1.0 / m),
                     jacobian(number([](const VectorXd& at) { return at.mean(); }), x)),
            kTolerance);
  const VectorXd of_variance = 2.0 / m * (x.array() - x.mean());
  EXPECT_LT(distance(of_variance.transpose(), jacobian(number(variance), x)), kTolerance);
  const MatrixXd of_rho = jacobian(number(rho), x);
  EXPECT_LT(distance(-0.5 * std::pow(rho(x), 3) * of_variance.transpose(), of_rho), kTolerance);
  EXPECT_LT(distance(-rho(x) * rho(x) / m * n.transpose(), of_rho), kTolerance);
  const MatrixXd of_normalised =
      rho(x) * (MatrixXd::Identity(kRows, kRows).array() - 1.0 / m - (n * n.transpose()).array() / m);
  EXPECT_LT(distance(of_normalised, jacobian(normalised, x)), kTolerance);

  const double d_gamma = dy.dot(n);
  const double d_beta = dy.sum();
  const VectorXd d_x = gamma * rho(x) * (dy.array() - dy.mean() - n.array() * (dy.cwiseProduct(n)).mean());
  const auto loss = [&](const VectorXd& at, double scale, double shift) {
    return dy.dot((scale * normalised(at).array() + shift).matrix());
  };
  EXPECT_LT(distance(d_x, gradient([&](const MatrixXd& at) { return loss(at, gamma, beta); }, x)), kTolerance);
  EXPECT_NEAR(d_gamma, loss(x, 1.0, 0.0), kTolerance);  // linear in both
  EXPECT_NEAR(d_beta, loss(x, 0.0, 1.0), kTolerance);
  EXPECT_LT(distance(d_x, gamma * of_normalised.transpose() * dy), kTolerance);

  nn::BatchNorm1d<double> layer{1, {.eps = kEps}};
  layer.weight.value = Tensor<double>({1}, {gamma});
  layer.bias.value = Tensor<double>({1}, {beta});
  layer.forward(tensor(x.transpose()), Mode::train);
  EXPECT_LT(distance(d_x, layer.backward(tensor(dy.transpose())).matrix()), kTolerance);
  EXPECT_NEAR(d_gamma, layer.weight.grad.item(), kTolerance);
  EXPECT_NEAR(d_beta, layer.bias.grad.item(), kTolerance);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA
