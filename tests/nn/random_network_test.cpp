// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/nn/avg_pool2d.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/dropout.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/gelu.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/leaky_relu.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/max_pool2d.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>
#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/nn/sigmoid.hpp>
#include <eigengrad/nn/silu.hpp>
#include <eigengrad/nn/softmax.hpp>
#include <eigengrad/nn/tanh.hpp>

// Layers, options and shapes at random, absurd ones among them. A network either computes, with gradients that are
// those of its outputs, or throws one of the library's errors; nothing else may happen. Network i is a function of i
// alone.
//   EIGENGRAD_RANDOM_NETWORKS=1000000     as many of them; the target random_networks does so
//   EIGENGRAD_RANDOM_NETWORK=4711         this one alone

namespace eigengrad::EIGENGRAD_ISA::nn {
namespace {

using Number = double;
constexpr Index kMost = std::numeric_limits<Index>::max();
constexpr Index kLeast = std::numeric_limits<Index>::min();

/// What a network is made of.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : rng_(seed, 1) {}

  /// True in one of n cases.
  bool one_in(Index n) { return rng_.below(n) == 0; }
  Index between(Index least, Index most) { return least + rng_.below(most - least + 1); }
  /// True if sizes were drawn for which there may be no memory.
  bool is_absurd() const { return is_absurd_; }
  Rng& rng() { return rng_; }

  /// A size from least to most or, rarely, an absurd one.
  Index size(Index least, Index most) {
    if (!one_in(60)) return between(least, most);
    is_absurd_ = true;
    constexpr Index kAbsurd[] = {0, -1, Index{1} << 45, Index{1} << 62, kMost, kLeast};
    return kAbsurd[rng_.below(std::ssize(kAbsurd))];
  }
  /// The size that fits, but for rare cases.
  Index fitting(Index size) { return one_in(40) ? this->size(1, 7) : std::clamp<Index>(size, 0, 1000); }

  /// One number for both sides or two.
  Size2d size2d(Index least, Index most) {
    if (one_in(60)) {
      is_absurd_ = true;
      constexpr Index kAbsurd[] = {0, -1, Index{1} << 30, (Index{1} << 30) + 1, kMost, kLeast};
      return kAbsurd[rng_.below(std::ssize(kAbsurd))];
    }
    const Index height = between(least, most);
    return one_in(2) ? Size2d(height) : Size2d(height, between(least, most));
  }

  Shape shape() {
    if (one_in(25)) {
      is_absurd_ = true;
      const Index sizes[] = {0, 0, 1, 3, Index{1} << 20, Index{1} << 40, kMost};
      std::vector<Index> drawn(static_cast<std::size_t>(between(1, 4)));
      for (Index& size : drawn) size = sizes[rng_.below(std::ssize(sizes))];
      drawn[static_cast<std::size_t>(rng_.below(static_cast<Index>(drawn.size())))] = 0;
      return Shape(std::span<const Index>(drawn));
    }
    std::vector<Index> sizes(static_cast<std::size_t>(one_in(8) ? between(0, 6) : one_in(3) ? 2 : 4));
    for (Index& size : sizes) size = one_in(40) ? 0 : between(1, 6);
    return Shape(std::span<const Index>(sizes));
  }

  /// A layer for inputs of this shape.
  AnyLayer<Number> layer(const Shape& x, int depth) {
    const Index channels = x.rank() == 0 ? 1 : x[-1];
    switch (between(0, x.rank() == 4 ? 19 : 12)) {
      case 0:
        return AnyLayer<Number>(Linear<Number>(fitting(channels), size(1, 6), {.bias = !one_in(4)}));
      case 1:
        return AnyLayer<Number>(ReLU<Number>());
      case 2:
        return AnyLayer<Number>(LeakyReLU<Number>({.negative_slope = rng_.uniform(0.0, 0.5)}));
      case 3:
        return AnyLayer<Number>(GELU<Number>());
      case 4:
        return AnyLayer<Number>(SiLU<Number>());
      case 5:
        return AnyLayer<Number>(Sigmoid<Number>());
      case 6:
        return AnyLayer<Number>(Tanh<Number>());
      case 7:
        return AnyLayer<Number>(Softmax<Number>());
      case 8:
        return AnyLayer<Number>(Dropout<Number>({.p = one_in(5) ? rng_.uniform(-0.5, 1.5) : rng_.uniform()}));
      case 9:
        return AnyLayer<Number>(
            LayerNorm<Number>(fitting(channels), {.elementwise_affine = !one_in(4), .bias = !one_in(4)}));
      case 10:
        return one_in(4) ? AnyLayer<Number>(Flatten<Number>())
                         : AnyLayer<Number>(BatchNorm1d<Number>(fitting(channels)));
      case 11:
        return depth > 2 ? AnyLayer<Number>(Tanh<Number>()) : residual(x, depth + 1);
      case 12:
        return AnyLayer<Number>(network(x, depth + 1, 2));
      case 13:
        return AnyLayer<Number>(BatchNorm2d<Number>(fitting(channels), {.affine = !one_in(4)}));
      case 14:
        return AnyLayer<Number>(MaxPool2d<Number>({.kernel = size2d(1, 3), .stride = stride(), .padding = padding()}));
      case 15:
        return AnyLayer<Number>(AvgPool2d<Number>(
            {.kernel = size2d(1, 3), .stride = stride(), .padding = padding(), .count_include_pad = one_in(2)}));
      case 16:
        return AnyLayer<Number>(GlobalAvgPool2d<Number>());
      default:
        return conv2d(channels);
    }
  }

  /// Up to `most` layers in a row, each for what the last one gives.
  Sequential<Number> network(Shape x, int depth, Index most) {
    Sequential<Number> net;
    for (Index i = between(depth == 0 ? 1 : 0, most); i > 0; --i) {
      net.push_back(layer(x, depth));
      try {
        x = net[net.size() - 1].output_shape(x, Mode::eval);
      } catch (const ShapeError&) {
        break;
      }
    }
    return net;
  }

 private:
  std::optional<Size2d> stride() { return one_in(2) ? std::nullopt : std::optional(size2d(1, 3)); }
  Size2d padding() { return one_in(2) ? Size2d(0) : size2d(0, 1); }

  AnyLayer<Number> conv2d(Index channels) {
    const Index groups = one_in(2) ? 1 : one_in(3) ? size(1, 4) : fitting(channels);
    const bool usual = one_in(2);
    Conv2dOptions options{.kernel = usual ? Size2d(3) : size2d(1, 4), .groups = groups, .bias = !one_in(3)};
    options.padding = usual ? Size2d(1) : size2d(0, 3);
    if (!usual) options.stride = size2d(1, 3), options.dilation = size2d(1, 2);
    if (one_in(4))
      options.algorithm = static_cast<Conv2dAlgorithm>(between(0, std::ssize(ops::detail::kConvAlgorithms<Number>)));
    const Index of_group = size(1, 5);
    const Index factor = is_absurd_ || one_in(8) ? 1 : std::clamp<Index>(groups, 1, 8);
    return AnyLayer<Number>(Conv2d<Number>(fitting(channels), of_group * factor, options));
  }

  AnyLayer<Number> residual(const Shape& x, int depth) {
    Sequential<Number> body = network(x, depth, 2);
    return AnyLayer<Number>(one_in(4) ? Residual<Number>(std::move(body), network(x, depth, 1))
                                      : Residual<Number>(std::move(body)));
  }

  Rng rng_;
  bool is_absurd_ = false;
};

double dot(const Tensor<Number>& a, const Tensor<Number>& b) { return (a.array() * b.array()).sum(); }

/// One network, put to every use.
class Trial {
 public:
  explicit Trial(std::uint64_t seed) : make_(seed) { manual_seed(seed); }

  /// What went wrong; empty if nothing did.
  std::string run() {
    try {
      return compute();
    } catch (const Error&) {
      ++errors;
      return "";
    } catch (const std::bad_alloc&) {
      return make_.is_absurd() ? "" : "std::bad_alloc";
    } catch (const std::exception& error) {
      return std::string("an exception of another kind: ") + error.what();
    }
  }

  static inline int errors = 0, gradients = 0;

 private:
  std::string compute() {
    const Shape shape = make_.shape();
    Sequential<Number> net = make_.network(shape, 0, 4);
    for (Parameter<Number>* p : net.parameters()) p->value = Tensor<Number>::randn(p->value.shape(), make_.rng());
    const bool is_spoiled = make_.one_in(10) && spoil(net);
    const Mode mode = static_cast<Mode>(make_.between(0, 2));
    const Shape promised = net.output_shape(shape, mode);
    const Tensor<Number> x = Tensor<Number>::randn(shape, make_.rng());
    Sequential<Number> probe = net;
    const Tensor<Number> y = net.forward(x, mode);
    if (y.shape() != promised) return error_text("output ", y.shape(), ", promised ", promised);
    const Tensor<Number> dy = Tensor<Number>::randn(make_.one_in(30) ? make_.shape() : promised, make_.rng());
    const Tensor<Number> dx = net.backward(dy);  // throws after inference and for a dy of another shape
    if (net.size() == 0) return "";
    if (dx.shape() != shape) return error_text("gradient ", dx.shape(), " of ", shape);
    if (dy.shape() != promised) return "a gradient of another shape was taken";
    if (is_spoiled || x.empty() || y.empty()) return "";
    if (const std::string problem = check_gradients(net, probe, x, dx, dy, mode); !problem.empty()) return problem;
    return mode == Mode::eval ? check_inference(probe, x, y) : "";
  }

  /// Puts a tensor of another shape into the state; false if there is none.
  bool spoil(Sequential<Number>& net) {
    std::vector<Tensor<Number>*> state;
    net.visit(Visitor<Number>{.parameter = [&](std::string_view, Parameter<Number>& p) { state.push_back(&p.value); },
                              .buffer = [&](std::string_view, Tensor<Number>& buffer) { state.push_back(&buffer); }});
    if (state.empty()) return false;
    Tensor<Number>& one = *state[static_cast<std::size_t>(make_.rng().below(static_cast<Index>(state.size())))];
    one = Tensor<Number>::ones(make_.one_in(2) ? Shape{make_.between(0, 3)} : make_.shape());
    return true;
  }

  /// Differences of <y, dy> along a random direction against the gradients. Where a kink lies between, another
  /// direction and a smaller step agree.
  std::string check_gradients(Sequential<Number>& net, const Sequential<Number>& before, const Tensor<Number>& x,
                              const Tensor<Number>& dx, const Tensor<Number>& dy, Mode mode) {
    std::string problem;
    for (const double step : {1e-6, 1e-5, 1e-7, 3e-6}) {
      Sequential<Number> above = before, below = before;
      const Tensor<Number> direction = Tensor<Number>::randn(x.shape(), make_.rng());
      double expected = dot(dx, direction);
      auto up = above.parameters(), down = below.parameters(), own = net.parameters();
      for (std::size_t i = 0; i < own.size(); ++i) {
        const Tensor<Number> turn = Tensor<Number>::randn(own[i]->value.shape(), make_.rng());
        if (own[i]->has_grad()) expected += dot(own[i]->grad, turn);
        up[i]->value.mutable_array() += step * turn.array();
        down[i]->value.mutable_array() -= step * turn.array();
      }
      Tensor<Number> x_up = x, x_down = x;
      x_up.mutable_array() += step * direction.array();
      x_down.mutable_array() -= step * direction.array();
      const double high = dot(above.forward(x_up, mode), dy), low = dot(below.forward(x_down, mode), dy);
      const double got = (high - low) / (2 * step);
      const double rounding = 1e-14 * (std::abs(high) + std::abs(low) + 1.0) * static_cast<double>(dy.numel()) / step;
      if (std::abs(got - expected) <= 1e-4 * (std::abs(got) + std::abs(expected)) + rounding + 1e-5) {
        ++gradients;
        return "";
      }
      problem = error_text("a difference of ", got, " where the gradients say ", expected);
    }
    return problem;
  }

  /// In inference layers are folded into each other.
  static std::string check_inference(Sequential<Number>& net, const Tensor<Number>& x, const Tensor<Number>& y) {
    const Tensor<Number> again = net.forward(x, Mode::inference);
    const double scale = 1.0 + y.array().abs().maxCoeff();
    if (again.shape() == y.shape() && (again.array() - y.array()).abs().maxCoeff() <= 1e-9 * scale) return "";
    return "inference gives another result than evaluation";
  }

  Maker make_;
};

Index from_environment(const char* name, Index otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

TEST(RandomNetwork, ComputesWithRightGradientsOrThrowsAnError) {
  const Index single = from_environment("EIGENGRAD_RANDOM_NETWORK", -1);
  const Index first = single < 0 ? 0 : single;
  const Index count = single < 0 ? from_environment("EIGENGRAD_RANDOM_NETWORKS", 100000) : 1;
  for (Index i = first; i < first + count; ++i) {
    const std::string problem = Trial(static_cast<std::uint64_t>(i)).run();
    EXPECT_TRUE(problem.empty()) << "network " << i << ": " << problem;
  }
  if (single >= 0) return;
  // Neither are all refused, nor is nothing.
  EXPECT_GT(Trial::errors, count / 20);
  EXPECT_GT(Trial::gradients, count / 20);
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::nn
