// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// A walk through automatic differentiation: each stop is a function of a few lines and what it prints.
//   autodiff_tour
//   autodiff_tour --start 5 -3            # of Newton's method, the last stop

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <Eigen/Dense>

#include <eigengrad/autodiff/bridge.hpp>
#include <eigengrad/autodiff/function.hpp>
#include <eigengrad/autodiff/grad.hpp>
#include <eigengrad/core/print.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/sequential.hpp>

#include "common/numbers.hpp"
#include "common/run_main.hpp"

namespace {

using namespace eigengrad;
using autodiff::grad;
using autodiff::Variable;

void title(const char* text) { std::cout << "\n== " << text << " ==\n"; }

/// Rosenbrock's valley, curved and nearly flat along its floor, with its minimum 0 at (1, 1).
Variable<double> rosenbrock(const Variable<double>& p) {
  const auto x = slice(p, 0, 0, 1);
  const auto y = slice(p, 0, 1, 2);
  return sum(square(1 - x) + 100 * square(y - x * x));
}

// A variable remembers how it was computed. backward() walks back and adds dL/dx to the grad() of what it began with.
void gradients() {
  title("Gradient");
  const Variable<double> p({2}, {-1.2, 1.0});
  const auto value = rosenbrock(p);
  value.backward();
  std::cout << "Rosenbrock at (-1.2, 1): " << value.value() << '\n';
  std::cout << "its gradient there:      " << p.grad() << '\n';
}

// y is used in two places, x in three; what comes back along every way adds up: d(x^3 + x^2 - x)/dx.
void values_used_twice() {
  title("A value used twice");
  const Variable<double> x({}, {2.0});
  const auto y = x * x;
  const auto z = y * x + y - x;
  z.backward();
  std::cout << "x^3 + x^2 - x at 2: " << z.value() << "   derivative 3x^2 + 2x - 1: " << x.grad() << '\n';
}

// detach() is the same value as a constant. Under a NoGradGuard nothing is recorded at all.
void constants() {
  title("What is not differentiated");
  const Variable<double> x({}, {3.0});
  (x * x.detach()).backward();
  std::cout << "d(x * detach(x))/dx at 3: " << x.grad() << "   and not 6\n";
  const autodiff::NoGradGuard no_grad;
  std::cout << "x * x under NoGradGuard requires a gradient: " << std::boolalpha << (x * x).requires_grad() << '\n';
}

// backward from a vector needs dL/dy for each element of y. The Jacobian is one such pass for each; jvp asks instead
// how y moves when x does, and needs no Jacobian.
void jacobians() {
  title("Jacobian");
  const double angle = std::acos(0.8);
  const Tensor<double> rotation({2, 2}, {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)});
  const auto rotate = [&](const Variable<double>& x) { return matmul(Variable<double>(rotation), x); };
  const auto to_unit_length = [](const Variable<double>& x) { return x / norm(x); };
  const Tensor<double> at({2}, {3.0, 4.0});
  std::cout << "of a rotation, which is linear: the matrix itself\n" << autodiff::jacobian(rotate, at) << '\n';
  std::cout << "of x / |x| at (3, 4)\n" << autodiff::jacobian(to_unit_length, at) << '\n';
  std::cout << "x / |x| as x moves along (1, 0): " << autodiff::jvp(to_unit_length, at, Tensor<double>({2}, {1, 0}))
            << '\n';
  std::cout << "x / |x| as x goes round:         " << autodiff::jvp(to_unit_length, at, Tensor<double>({2}, {-4, 3}))
            << '\n';
}

// The gradient is computed by operations too. If they are recorded, it can be differentiated in turn.
void hessians() {
  title("Hessian");
  const Tensor<double> at({2}, {-1.2, 1.0});
  const Tensor<double> v({2}, {1.0, 2.0});
  const Tensor<double> h = autodiff::hessian(rosenbrock, at);
  std::cout << "of Rosenbrock at (-1.2, 1)\n" << h << '\n';
  std::cout << "times (1, 2):                " << ops::matmul(h, v) << '\n';
  std::cout << "the same, never building it: " << autodiff::hvp(rosenbrock, at, v) << '\n';
}

void third_derivative() {
  title("And again");
  const Variable<double> x({}, {2.0});
  const auto y = pow(x, 5);
  const auto first = grad(y, x, {.create_graph = true});
  const auto second = grad(first, x, {.create_graph = true});
  const auto third = grad(second, x);
  std::cout << "x^5 at 2: " << y.value() << "   derivatives 5x^4: " << first.value() << "   20x^3: " << second.value()
            << "   60x^2: " << third.value() << '\n';
}

// Weights are variables like any other. The loss is a function of all of them, and one backward has all gradients.
void two_layers() {
  title("A network of two layers");
  const Tensor<double> x({4, 2}, {0, 0, 0, 1, 1, 0, 1, 1});
  const Tensor<double> target({4, 1}, {0, 1, 1, 0});
  Tensor<double> first({3, 2}, {0.5, -0.4, 0.3, 0.8, -0.6, 0.2});
  const auto loss_of = [&](const Variable<double>& w1, const Variable<double>& w2) {
    const auto hidden = tanh(matmul(Variable<double>(x), w1, {.transpose_b = true}));  // (4, 3)
    return mse_loss(matmul(hidden, w2), target);
  };
  const auto w1 = Variable<double>::leaf(first);
  const Variable<double> w2({3, 1}, {0.7, -0.2, 0.9});
  const auto loss = loss_of(w1, w2);
  loss.backward();
  std::cout << "loss " << loss.value() << "\ngradient by the first weights\n" << w1.grad() << '\n';
  std::cout << "gradient by the second\n" << w2.grad() << '\n';

  // The definition of a derivative agrees: one weight moved up and down a little.
  const double step = 1e-5;
  first.mutable_data()[0] += step;
  const double above = loss_of(first, w2).item();
  first.mutable_data()[0] -= 2 * step;
  const double below = loss_of(first, w2).item();
  std::cout << "by the first of all, measured: " << Tensor<double>({}, {(above - below) / (2 * step)}) << '\n';
}

// Rounding has derivative 0 nearly everywhere, of which nothing can be learned. This one passes the gradient on as if
// nothing had been rounded.
// Source   Bengio, Leonard, Courville 2013: the straight-through estimator
struct Round {
  Tensor<double> forward(Tensor<double> x) {
    x.mutable_array() = x.array().round();
    return x;
  }
  std::array<Tensor<double>, 1> backward(const Tensor<double>& dy, const std::array<bool, 1>&) { return {dy}; }
};

void custom_operation() {
  title("An operation with a backward of one's own");
  const Variable<double> x({3}, {0.2, 1.7, -2.4});
  const auto y = autodiff::custom(Round{}, x);
  sum(y * y).backward();
  std::cout << "rounded:                    " << y.value() << '\n';
  std::cout << "gradient of sum(rounded^2): " << x.grad() << '\n';
}

// A function on variables is a layer among layers, and what it is given beside x is learned.
void function_in_a_network() {
  title("A function as a layer");
  const auto swish = [](auto x, auto beta) { return x * sigmoid(beta * x); };
  nn::Linear<double> linear{2, 2};
  linear.weight.value = Tensor<double>({2, 2}, {1.0, 2.0, 3.0, 4.0});
  linear.bias.value = Tensor<double>({2}, {0.0, -1.0});
  nn::Sequential<double> net{linear, nn::function<double>(swish, Tensor<double>({1}, {0.5}))};
  std::cout << net.summary({1, 2});
  std::cout << "output " << net.forward(Tensor<double>({1, 2}, {1.0, 0.5})) << '\n';
  std::cout << "gradient by its input " << net.backward(Tensor<double>::ones({1, 2})) << '\n';
  std::cout << "gradient by beta " << net.parameters().back()->grad << '\n';
}

// If the gradient is g and the Hessian H, the parabola through this point has its minimum at x - H^-1 g.
void newton(const std::vector<double>& start) {
  title("Newton's method on Rosenbrock's valley");
  Tensor<double> p({2}, std::span<const double>(start));
  for (int step = 0; step <= 20; ++step) {
    const auto x = Variable<double>::leaf(p);
    const auto value = rosenbrock(x);
    const Tensor<double> g = grad(value, x).value();
    std::cout << "step " << step << "  (x, y) " << to_string(p, {.precision = 8}) << "  value " << value.value()
              << '\n';
    if (g.array().matrix().norm() < 1e-9) break;
    const Tensor<double> h = autodiff::hessian(rosenbrock, p);
    p.mutable_array() -= h.matrix().partialPivLu().solve(g.array().matrix()).array();
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Shows what automatic differentiation can do."};
  std::vector<double> start{-1.2, 1.0};
  app.add_option_function<std::vector<std::string>>(
         "--start",
         [&](const std::vector<std::string>& numbers) {
           std::transform(numbers.begin(), numbers.end(), start.begin(),
                          [](const std::string& number) { return examples::number_in<double>("--start", number); });
         },
         "where Newton's method begins")
      ->expected(2)
      ->type_name("FLOAT FLOAT")
      ->default_str("-1.2 1");
  return examples::run_main(app, argc, argv, [&] {
    gradients();
    values_used_twice();
    constants();
    jacobians();
    hessians();
    third_derivative();
    two_layers();
    custom_operation();
    function_in_a_network();
    newton(start);
    return 0;
  });
}
