// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Exercise 3 of docs/assignment.md: batch normalisation, once for each of its parts, and the library's layer. Prints
// how far apart they are; the exit status is 1 if that is more than rounding.
//   batch_norm --batch 8 --size 16 --channels 32 --seed 1

#include <array>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include <eigengrad/autodiff/bridge.hpp>
#include <eigengrad/autodiff/functions.hpp>
#include <eigengrad/core/gradcheck.hpp>
#include <eigengrad/nn/batch_norm.hpp>

#include "common/numbers.hpp"
#include "common/run_main.hpp"

namespace eg = eigengrad;

namespace {

using Tensor = eg::Tensor<double>;
using Variable = eg::autodiff::Variable<double>;

constexpr double kEps = 1e-5;
constexpr double kTolerance = 1e-12;

// Exercise 3.1: the definition, differentiated by autodiff. No derivative is written here.
Variable batch_norm(const Variable& x, const Variable& weight, const Variable& bias) {
  const eg::ops::Axes all_but_channels{0, 1, 2};
  const Variable centred = x - mean(x, all_but_channels, true);
  const Variable variance = mean(square(centred), all_but_channels, true);
  return weight * (centred / sqrt(variance + kEps)) + bias;
}

// Exercise 3.2 b): the same as a function with its backward written by hand, which keeps the normalised x and one
// number for each channel. The derivation, exercise 3.2 a), is section 13 of docs/derivations/normalisation.md.
struct BatchNormFunction {
  Tensor normalised_, inv_std_, weight_;

  Tensor forward(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    const auto rows = x.matrix();  // (rows, channels): every axis but the last is the batch
    const Eigen::RowVectorXd mean = rows.colwise().mean();
    const Eigen::RowVectorXd variance = (rows.rowwise() - mean).cwiseAbs2().colwise().mean();
    weight_ = weight;
    inv_std_ = Tensor(weight.shape());
    inv_std_.mutable_matrix() = (variance.array() + kEps).rsqrt();
    normalised_ = Tensor(x.shape());
    normalised_.mutable_matrix() = (rows.rowwise() - mean) * inv_std_.matrix().row(0).asDiagonal();
    Tensor y(x.shape());
    y.mutable_matrix() = (normalised_.matrix() * weight.matrix().row(0).asDiagonal()).rowwise() + bias.matrix().row(0);
    return y;
  }

  std::array<Tensor, 3> backward(const Tensor& dy, const std::array<bool, 3>& /*wanted*/ = {}) const {
    Tensor dx(dy.shape());
    Tensor dweight(weight_.shape());
    Tensor dbias(weight_.shape());
    const auto rows = static_cast<double>(dy.shape().rows());
    dbias.mutable_matrix() = dy.matrix().colwise().sum();
    dweight.mutable_matrix() = dy.matrix().cwiseProduct(normalised_.matrix()).colwise().sum();
    const Eigen::RowVectorXd factor = weight_.matrix().row(0).cwiseProduct(inv_std_.matrix().row(0));
    dx.mutable_matrix() = ((dy.matrix().rowwise() - dbias.matrix().row(0) / rows) -
                           normalised_.matrix() * (dweight.matrix().row(0) / rows).asDiagonal()) *
                          factor.asDiagonal();
    return {std::move(dx), std::move(dweight), std::move(dbias)};
  }
};

// Exercise 3.2 c): a module around that function, with its parameters. It stands in a network beside the library's.
struct BatchNorm {
  eg::Parameter<double> weight, bias;
  BatchNormFunction function_;

  explicit BatchNorm(eg::Index channels) : weight{Tensor::ones({channels})}, bias{Tensor::zeros({channels})} {}

  eg::Shape output_shape(const eg::Shape& x) const { return x; }
  Tensor forward(const Tensor& x, eg::Mode) { return function_.forward(x, weight.value, bias.value); }
  Tensor backward(const Tensor& dy) {
    auto [dx, dweight, dbias] = function_.backward(dy);
    weight.add_grad(std::move(dweight));
    bias.add_grad(std::move(dbias));
    return dx;
  }
  void visit(auto&& f) {
    f("weight", weight);
    f("bias", bias);
  }
};

struct Options {
  eg::Index batch = 8;
  eg::Index size = 16;
  eg::Index channels = 32;
  std::uint64_t seed = 1;
};

/// The values and gradients of one way.
struct Results {
  Tensor y, dx, dweight, dbias;
};

struct Inputs {
  Tensor x, weight, bias, dy;
};

/// By a function of Variables.
template <class F>
Results of_variables(const Inputs& in, const F& f) {
  const auto x = Variable::leaf(in.x);
  const auto weight = Variable::leaf(in.weight);
  const auto bias = Variable::leaf(in.bias);
  const Variable y = f(x, weight, bias);
  y.backward(in.dy);
  return {y.value(), x.grad(), weight.grad(), bias.grad()};
}

template <class L>
Results of_layer(const Inputs& in, L layer) {
  layer.weight.value = in.weight;
  layer.bias.value = in.bias;
  Results results;
  results.y = layer.forward(in.x, eg::Mode::train);
  results.dx = layer.backward(in.dy);
  results.dweight = layer.weight.grad;
  results.dbias = layer.bias.grad;
  return results;
}

/// The largest difference of two elements, NaN if there is one.
double difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) throw eg::ShapeError("difference: tensors of different shapes");
  return (a.array() - b.array()).abs().maxCoeff<Eigen::PropagateNaN>();
}

/// True if all ways agree.
bool compare(const Options& options) {
  eg::Rng rng(options.seed);
  const eg::Shape images{options.batch, options.size, options.size, options.channels};
  const eg::Shape channels{options.channels};
  const eg::nn::BatchNorm2d<double> layer{options.channels, {.eps = kEps}};
  layer.output_shape(images, eg::Mode::train);  // refuses what cannot be normalised
  const Inputs in{Tensor::randn(images, rng), Tensor::randn(channels, rng), Tensor::randn(channels, rng),
                  Tensor::randn(images, rng)};
  const Results expected = of_layer(in, layer);

  std::cout << "x " << images << ", largest differences from the library's layer\n"
            << "                                  y        dx   dweight     dbias\n";
  bool agree = true;
  const auto report = [&](const std::string& name, const Results& results) {
    std::cout << eg::left_aligned(name, 25);
    for (Tensor Results::*member : {&Results::y, &Results::dx, &Results::dweight, &Results::dbias}) {
      const double largest = difference(results.*member, expected.*member);
      std::cout << eg::right_aligned(eg::to_scientific(largest, 1), 10);
      agree = agree && largest <= kTolerance;
    }
    std::cout << '\n';
  };
  report("3.1   by autodiff", of_variables(in, batch_norm));
  report("3.2 b function",
         of_variables(in, [](const auto&... inputs) { return eg::autodiff::custom(BatchNormFunction{}, inputs...); }));
  report("3.2 c module", of_layer(in, BatchNorm(options.channels)));

  const eg::GradcheckResult check = eg::gradcheck(BatchNorm(3), {4, 3});
  std::cout << eg::joined("3.2 c against finite differences: ", eg::to_scientific(check.largest_error, 1), "\n",
                          agree ? "they agree: no difference is above " : "a difference is above ", kTolerance, '\n');
  return agree && check.passed;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares batch normalisation by autodiff and by hand with the library's layer."};
  Options options;
  using examples::add_number;
  using examples::kAboveZero;
  add_number(app, "--batch", options.batch, "images", kAboveZero);
  add_number(app, "--size", options.size, "their height and width", kAboveZero);
  add_number(app, "--channels", options.channels, "their channels", kAboveZero);
  add_number(app, "--seed", options.seed, "of all random numbers");
  return examples::run_main(app, argc, argv, [&] { return compare(options) ? 0 : 1; });
}
