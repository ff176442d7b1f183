// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// Exercise 1.2 of docs/assignment.md: a multi-layer perceptron from plain matrix products. Every module below has a
// forward and a backward, written out on Eigen matrices; the library only hands over the images. At the end the same
// network made of the library's layers trains on the same batches, and its losses have to be equal.
//   mlp_by_hand --data-dir data/cifar-10-batches-bin

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <eigengrad/eigengrad.hpp>

#include "common/numbers.hpp"
#include "common/run_main.hpp"

namespace eg = eigengrad;

namespace {

/// A batch has a sample in each row, as everywhere in the library.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowVector = Eigen::RowVectorXd;
using Images = eg::data::ImageDataset<double>;  // in double, so that 1500 steps tell a fault from rounding
using Labels = eg::Tensor<eg::Index>;

/// y = x W^T + b
struct Linear {
  Matrix weight;   // (outputs, inputs)
  RowVector bias;  // (outputs)
  Matrix weight_grad, x_;
  RowVector bias_grad;

  Linear(eg::Index inputs, eg::Index outputs, eg::Rng& rng) : weight(outputs, inputs), bias(RowVector::Zero(outputs)) {
    for (double& w : weight.reshaped<Eigen::RowMajor>()) w = 1e-4 * rng.normal();
  }
  Matrix forward(const Matrix& x) {
    x_ = x;
    return (x * weight.transpose()).rowwise() + bias;
  }
  Matrix backward(const Matrix& dy) {
    weight_grad = dy.transpose() * x_;
    bias_grad = dy.colwise().sum();
    return dy * weight;
  }
  void step(double learning_rate) {
    weight -= learning_rate * weight_grad;
    bias -= learning_rate * bias_grad;
  }
};

/// y = max(x, 0)
struct ReLU {
  Matrix x_;

  Matrix forward(const Matrix& x) {
    x_ = x;
    return x.cwiseMax(0.0);
  }
  Matrix backward(const Matrix& dy) const { return (x_.array() > 0.0).select(dy, 0.0); }
};

/// y_i = exp(x_i) / sum_j exp(x_j), without the largest x of the row, which changes nothing and lets nothing overflow
struct Softmax {
  Matrix y_;

  Matrix forward(const Matrix& x) {
    y_ = (x.colwise() - x.rowwise().maxCoeff()).array().exp();
    const Eigen::VectorXd sums = y_.rowwise().sum();
    y_.array().colwise() /= sums.array();
    return y_;
  }
  /// The Jacobian Diag(y) - y y^T times dy, row by row
  Matrix backward(const Matrix& dy) const {
    const Eigen::VectorXd products = y_.cwiseProduct(dy).rowwise().sum();
    return y_.array() * (dy.colwise() - products).array();
  }
};

/// L = -(1/B) sum_n log x_n[label n]
struct CrossEntropy {
  Matrix dx_;

  double forward(const Matrix& x, const Labels& labels) {
    const auto samples = static_cast<double>(x.rows());
    dx_ = Matrix::Zero(x.rows(), x.cols());
    double loss = 0.0;
    for (eg::Index n = 0; n < x.rows(); ++n) {
      const eg::Index label = labels.data()[n];
      loss -= std::log(x(n, label));
      dx_(n, label) = -1.0 / (samples * x(n, label));
    }
    return loss / samples;
  }
  const Matrix& backward() const { return dx_; }
};

struct Mlp {
  Linear first, second;
  ReLU relu;
  Softmax softmax;

  Matrix forward(const Matrix& x) { return softmax.forward(second.forward(relu.forward(first.forward(x)))); }
  void backward(const Matrix& dy) { first.backward(relu.backward(second.backward(softmax.backward(dy)))); }
  void step(double learning_rate) {
    first.step(learning_rate);
    second.step(learning_rate);
  }
};

/// The images (N, 32, 32, 3) as rows of 3072 numbers.
Eigen::Map<const Matrix> rows(const eg::Tensor<double>& images) {
  const eg::Index samples = images.shape()[0];
  return {images.data(), samples, images.numel() / samples};
}

double accuracy(Mlp& mlp, const Images& test) {
  eg::Index hits = 0;
  for (const auto& [images, labels] : eg::data::Loader{test, {.batch_size = 1000, .shuffle = false}}) {
    const Matrix probabilities = mlp.forward(rows(images));
    for (eg::Index n = 0; n < probabilities.rows(); ++n) {
      eg::Index likeliest = 0;
      probabilities.row(n).maxCoeff(&likeliest);
      hits += likeliest == labels.data()[n] ? 1 : 0;
    }
  }
  return static_cast<double>(hits) / static_cast<double>(test.size());
}

constexpr eg::Index kHiddenUnits = 100;
constexpr eg::Index kBatchSize = 200;
constexpr eg::Index kEvalFreq = 100;

struct Options {
  std::string data_dir = "data/cifar-10-batches-bin";
  eg::Index max_steps = 1500;
  double learning_rate = 2e-3;
  std::uint64_t seed = 42;
};

eg::data::Split<Images> load(const Options& options) {
  const bool real = eg::data::has_cifar10(options.data_dir);
  std::cout << "data: " << (real ? "CIFAR-10 from " + options.data_dir : "synthetic images") << '\n';
  auto split =
      real ? eg::data::load_cifar10<double>(options.data_dir) : eg::data::synthetic_cifar10<double>(options.seed);
  eg::data::subtract_mean_image(split);
  return split;
}

/// The losses of the library's network, from the same weights on the same batches.
template <class Loader>
std::vector<double> losses_of_the_library(const Mlp& mlp, Loader loader, const Options& options) {
  const auto layer = [](const Linear& linear) {
    eg::nn::Linear<double> result{linear.weight.cols(), linear.weight.rows()};
    result.weight.value.mutable_matrix() = linear.weight;
    result.bias.value.mutable_matrix() = linear.bias;
    return result;
  };
  eg::nn::Sequential<double> net{eg::nn::Flatten<double>{}, layer(mlp.first), eg::nn::ReLU<double>{}, layer(mlp.second),
                                 eg::nn::Softmax<double>{}};
  eg::optim::SGD sgd{net.parameters(), {.learning_rate = options.learning_rate}};
  eg::nn::CrossEntropy<double> loss;
  std::vector<double> losses;
  for (const auto& [images, labels] : loader) {
    losses.push_back(loss.forward(net.forward(images), labels));
    net.backward_parameters(loss.backward());
    sgd.step();
    if (static_cast<eg::Index>(losses.size()) == options.max_steps) break;
  }
  return losses;
}

int run(const Options& options) {
  const auto [train, test] = load(options);
  const eg::data::Loader loader{train, {.batch_size = kBatchSize, .epochs = eg::data::kEndless, .seed = options.seed}};
  eg::Rng rng(options.seed);
  Mlp mlp{Linear(3072, kHiddenUnits, rng), Linear(kHiddenUnits, 10, rng), {}, {}};
  const Mlp start = mlp;
  CrossEntropy loss;
  std::vector<double> losses;
  double best = 0.0;
  double last = 0.0;
  for (const auto& [images, labels] : eg::data::Loader(loader)) {
    losses.push_back(loss.forward(mlp.forward(rows(images)), labels));
    mlp.backward(loss.backward());
    mlp.step(options.learning_rate);
    const auto step = static_cast<eg::Index>(losses.size());
    if (step % kEvalFreq == 0 || step == options.max_steps) {
      last = accuracy(mlp, test);
      best = std::max(best, last);
      std::cout << eg::joined("step ", step, "  loss ",
                              eg::left_aligned(eg::to_significant(losses.back()), eg::kSignificantWidth),
                              "  test accuracy ", eg::to_fixed(last, 4), '\n')
                << std::flush;
    }
    if (step == options.max_steps) break;
  }
  std::cout << eg::joined("final test accuracy ", eg::to_fixed(last, 4), " (best ", eg::to_fixed(best, 4), ")\n");

  const std::vector<double> theirs = losses_of_the_library(start, loader, options);
  constexpr double kRounding = 1e-10;
  double largest = 0.0;
  bool equal = true;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double difference = std::abs(losses[i] - theirs[i]);
    largest = std::max(largest, difference);
    equal = equal && difference <= kRounding;  // NaN is not
  }
  std::cout << eg::joined("the library's layers on the same batches: losses differ by at most ",
                          eg::to_scientific(largest, 1), equal ? "" : ", or one is not finite", '\n');
  return equal ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Trains a multi-layer perceptron written out as matrix products, then the library's."};
  Options options;
  using examples::add_number;
  app.add_option("--data-dir", options.data_dir, "folder with the binary CIFAR-10 batches; synthetic images without it")
      ->envname("CIFAR10_DIR")
      ->capture_default_str();
  add_number(app, "--max-steps", options.max_steps, "steps of training", examples::kAboveZero);
  add_number(app, "--learning-rate", options.learning_rate, "size of a step", examples::kAboveZero);
  add_number(app, "--seed", options.seed, "of weights, batches and synthetic data");
  return examples::run_main(app, argc, argv, [&] { return run(options); });
}
