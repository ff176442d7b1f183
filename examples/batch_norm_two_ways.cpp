// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Batch normalisation twice: written down as its definition and differentiated by autodiff, and as the layer whose
// backward was derived by hand (docs/derivations). Prints how far the two are apart; the exit status is 1 if that is
// more than rounding.
//   batch_norm_two_ways --batch 8 --size 16 --channels 32 --seed 1

#include <cstdint>
#include <iostream>

#include <CLI/CLI.hpp>

#include <eigengrad/autodiff/functions.hpp>
#include <eigengrad/nn/batch_norm.hpp>

#include "common/numbers.hpp"
#include "common/run_main.hpp"

namespace {

using namespace eigengrad;
using autodiff::Variable;

struct Options {
  Index batch = 8;
  Index size = 16;
  Index channels = 32;
  std::uint64_t seed = 1;
};

/// What one step of training computes.
struct Results {
  Tensor<double> y, dx, dgamma, dbeta, running_mean, running_var;
};

constexpr double kEps = 1e-5;
constexpr double kMomentum = 0.1;
constexpr double kTolerance = 1e-12;

/// The definition. No derivative is written here.
Results by_autodiff(const Tensor<double>& images, const nn::BatchNorm2d<double>& start, const Tensor<double>& dy) {
  const auto x = Variable<double>::leaf(images);
  const auto gamma = Variable<double>::leaf(start.weight.value);
  const auto beta = Variable<double>::leaf(start.bias.value);
  const ops::Axes all_but_channels{0, 1, 2};

  const auto centred = x - mean(x, all_but_channels, true);
  const auto variance = mean(square(centred), all_but_channels, true);
  const auto y = gamma * (centred / sqrt(variance + kEps)) + beta;
  y.backward(dy);

  // The running statistics are no part of the graph; PyTorch's variance there is the unbiased one.
  const auto moved = [](const Tensor<double>& running, const Tensor<double>& batch) {
    return ops::add(ops::mul(running, 1.0 - kMomentum), ops::mul(batch, kMomentum));
  };
  return {y.value(),
          x.grad(),
          gamma.grad(),
          beta.grad(),
          moved(start.running_mean, ops::mean(images, all_but_channels)),
          moved(start.running_var, ops::var(images, all_but_channels))};
}

Results by_hand(const Tensor<double>& images, nn::BatchNorm2d<double> layer, const Tensor<double>& dy) {
  Results results;
  results.y = layer.forward(images, Mode::train);
  results.dx = layer.backward(dy);
  results.dgamma = layer.weight.grad;
  results.dbeta = layer.bias.grad;
  results.running_mean = layer.running_mean;
  results.running_var = layer.running_var;
  return results;
}

/// The largest difference of two elements, NaN if there is one.
double difference(const Tensor<double>& a, const Tensor<double>& b) {
  if (a.shape() != b.shape()) throw ShapeError("difference: tensors of different shapes");
  return (a.array() - b.array()).abs().maxCoeff<Eigen::PropagateNaN>();
}

/// True if the two agree.
bool compare(const Options& options) {
  Rng rng(options.seed);
  const Shape images{options.batch, options.size, options.size, options.channels};
  const Shape channels{options.channels};
  nn::BatchNorm2d<double> layer{options.channels, {.eps = kEps, .momentum = kMomentum}};
  layer.output_shape(images, Mode::train);  // refuses what cannot be normalised
  layer.weight.value = Tensor<double>::randn(channels, rng);
  layer.bias.value = Tensor<double>::randn(channels, rng);
  layer.running_mean = Tensor<double>::randn(channels, rng);
  layer.running_var = Tensor<double>::rand(channels, rng, 0.5, 2.0);
  const auto x = Tensor<double>::randn(images, rng);
  const auto dy = Tensor<double>::randn(images, rng);
  const Results a = by_autodiff(x, layer, dy);
  const Results b = by_hand(x, layer, dy);

  std::cout << "x " << images << ", largest differences between autodiff and the backward written by hand\n";
  bool agree = true;
  const auto report = [&](const char* name, Tensor<double> Results::*of) {
    const double largest = difference(a.*of, b.*of);
    std::cout << joined("  ", left_aligned(name, 14), to_scientific(largest, 2), '\n');
    agree = agree && largest <= kTolerance;
  };
  report("output", &Results::y);
  report("dx", &Results::dx);
  report("dgamma", &Results::dgamma);
  report("dbeta", &Results::dbeta);
  report("running mean", &Results::running_mean);
  report("running var", &Results::running_var);
  std::cout << (agree ? "they agree: none is above " : "they differ by more than ") << joined(kTolerance, '\n');
  return agree;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Compares batch normalisation by autodiff with the layer's own backward."};
  Options options;
  using examples::add_number;
  using examples::kAboveZero;
  add_number(app, "--batch", options.batch, "images", kAboveZero);
  add_number(app, "--size", options.size, "their height and width", kAboveZero);
  add_number(app, "--channels", options.channels, "their channels", kAboveZero);
  add_number(app, "--seed", options.seed, "of all random numbers");
  return examples::run_main(app, argc, argv, [&] { return compare(options) ? 0 : 1; });
}
