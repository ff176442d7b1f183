// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/random.hpp>

// gradcheck: does backward compute the derivative of forward?
//   EXPECT_TRUE(gradcheck(nn::Linear<double>{8, 3}, Shape{4, 8}));
//   std::cout << gradcheck(MyLayer<double>{}, Shape{4, 8}) << '\n';
// Every element of the input and of every parameter is moved up and down by epsilon, and the change of a
// random weighted sum of the outputs is compared with what backward says.

namespace eigengrad::EIGENGRAD_ISA {

struct GradcheckOptions {
  double epsilon = 1e-5;    ///< how far an element is moved, in its own units
  double tolerance = 1e-6;  ///< largest relative error that passes
  Mode mode = Mode::train;  ///< for layers: Mode::train or Mode::eval
  std::uint64_t seed = 1;   ///< of the random input and of the weights of the sum
};

/// What gradcheck found. Converts to bool; in EXPECT_TRUE of GoogleTest a failure prints the message.
struct GradcheckResult {
  bool passed = true;
  double largest_error = 0.0;  ///< relative; infinity where a gradient is missing or not finite
  std::string message;         ///< which element is worst, its analytic and numeric derivative

  explicit operator bool() const { return passed; }

  /// The result types of test frameworks that carry a message, as testing::AssertionResult.
  template <class R>
  requires requires(const R& r) { r.failure_message(); }
  operator R() const {  // NOLINT(google-explicit-constructor): the conversion is the purpose
    return R(passed) << message;
  }
};

inline std::ostream& operator<<(std::ostream& out, const GradcheckResult& result) { return out << result.message; }

namespace detail {

/// Compares one gradient tensor after another with central differences of a scalar function.
class GradientComparison {
 public:
  GradientComparison(std::string subject, const GradcheckOptions& options)
      : subject_(std::move(subject)), options_(options) {
    detail::check::above_zero("gradcheck", "epsilon", options.epsilon);
    detail::check::at_least_or_infinite("gradcheck", "tolerance", options.tolerance, 0.0);
  }

  /// `function` evaluates the scalar with the elements that `values` points to as they are.
  void compare(std::string_view name, double* values, const Shape& shape, const Tensor<double>& analytic,
               const std::function<double()>& function) {
    if (analytic.shape() != shape) {
      return fail(error_text("gradient of ", name, " has shape ", analytic.shape(), ", expected ", shape));
    }
    const double at_rest = function();
    const double size = analytic.empty() ? 0.0 : std::sqrt(analytic.array().square().mean());
    // Below this a derivative drowns in the rounding of the function itself.
    const double floor = 1e-4 * std::max(1.0, std::abs(at_rest));
    Tensor<double> numerics(shape);
    bool worst_is_here = false;
    for (Index i = 0; i < shape.numel(); ++i) {
      const double value = values[i];
      values[i] = value + options_.epsilon;
      const double above = function();
      values[i] = value - options_.epsilon;
      const double below = function();
      values[i] = value;
      const double numeric = (above - below) / (2.0 * options_.epsilon);
      numerics.mutable_data()[i] = numeric;
      const double exact = analytic.data()[i];
      const double scale = std::max({std::abs(exact), std::abs(numeric), size, floor});
      const double error = std::abs(exact - numeric) / scale;
      if (error <= result_.largest_error) continue;
      if (!std::isfinite(error)) return fail(element(name, shape, i, exact, numeric) + ": not finite");
      result_.largest_error = error;
      result_.passed = error <= options_.tolerance;
      worst_ = error_text(element(name, shape, i, exact, numeric), ", relative error ", error);
      worst_is_here = true;
    }
    if (worst_is_here && !result_.passed) worst_ += common_factor(name, analytic, numerics);
  }

  void fail(const std::string& reason) {
    if (broken_) return;
    broken_ = true;
    result_ = {false, std::numeric_limits<double>::infinity(), "gradcheck of " + subject_ + " failed: " + reason};
  }

  GradcheckResult result() const {
    if (broken_) return result_;
    GradcheckResult result = result_;
    result.message = error_text("gradcheck of ", subject_, result.passed ? " passed" : " failed", ", tolerance ",
                                options_.tolerance, worst_.empty() ? "" : "; worst: ", worst_);
    return result;
  }

 private:
  /// "; all of x is 2.00 times too large" if that is all that is wrong, else nothing.
  static std::string common_factor(std::string_view name, const Tensor<double>& analytic,
                                   const Tensor<double>& numeric) {
    const double square = numeric.array().square().sum();
    const double factor = (analytic.array() * numeric.array()).sum() / square;
    const double rest = std::sqrt((analytic.array() - factor * numeric.array()).square().sum() / square);
    if (!(rest < 1e-4 * std::abs(factor))) return "";
    const double size = std::abs(factor);
    const char* sign = factor < 0.0 ? "has the wrong sign" : "";
    if (std::abs(size - 1.0) < 0.01) return factor < 0.0 ? error_text("; all of ", name, " ", sign) : "";
    return error_text("; all of ", name, " is ", to_fixed(size > 1.0 ? size : 1.0 / size, 2), " times too ",
                      size > 1.0 ? "large" : "small", factor < 0.0 ? " and " : "", sign);
  }

  static std::string element(std::string_view name, const Shape& shape, Index i, double exact, double numeric) {
    std::string place = "]";
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      place = (axis > 0 ? ", " : "") + std::to_string(i % shape[axis]) + place;
      i /= shape[axis];
    }
    return error_text(name, "[", place, ": analytic ", exact, ", numeric ", numeric);
  }

  std::string subject_;
  GradcheckOptions options_;
  GradcheckResult result_;
  std::string worst_;
  bool broken_ = false;
};

/// Different numbers between -2 and 2 in random order, none nearer to another than 4 / count and none nearer
/// to 0 than 1 / count: the kink of a ReLU and the ties of a maximum keep their distance.
inline Tensor<double> distinct_numbers(const Shape& shape, Rng& rng) {
  Tensor<double> x(shape);
  std::span<double> values = x.mutable_span();
  const auto count = static_cast<double>(shape.numel());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = (4.0 * static_cast<double>(i) + 2.0) / count - 2.0;
  if (shape.numel() % 2 == 1) {
    for (double& value : values) value += 1.0 / count;  // an odd count has a number in the middle, at 0
  }
  shuffle(values, rng);
  return x;
}

}  // namespace detail

/// Checks a layer at a given input: dx and the gradient of every parameter. The layer is taken by value; each
/// evaluation runs on a copy of it, so a layer that changes as it runs is evaluated in the same state each
/// time.
template <LayerOf<double> L>
GradcheckResult gradcheck(L layer, Tensor<double> x, const GradcheckOptions& options = {}) {
  Rng rng(options.seed, 1);
  const Tensor<double> weights = Tensor<double>::randn(layer.output_shape(x.shape()), rng);
  detail::GradientComparison comparison(describe(layer), options);

  zero_grad(layer);
  L analytic = layer;
  const Tensor<double> y = analytic.forward(x, options.mode);
  detail::check::same_shape("gradcheck of " + describe(layer), "output", y.shape(), weights.shape());
  const Tensor<double> dx = analytic.backward(weights);

  const auto weighted_sum = [&] {
    L copy = layer;
    return (copy.forward(x, options.mode).array() * weights.array()).sum();
  };
  comparison.compare("x", x.mutable_data(), x.shape(), dx, weighted_sum);
  const auto exact = parameters(analytic);
  std::size_t position = 0;
  visit(layer, {.parameter = [&](std::string_view name, Parameter<double>& p) {
          const Parameter<double>& with_gradient = *exact[position++];
          if (!p.requires_grad) return;
          if (with_gradient.has_grad() || p.value.empty())
            comparison.compare(name, p.value.mutable_data(), p.value.shape(), with_gradient.grad, weighted_sum);
          else
            comparison.fail(error_text("backward has brought ", name, " no gradient: it must call add_grad"));
        }});
  return comparison.result();
}

/// Checks a layer at a random input of the given shape.
template <LayerOf<double> L>
GradcheckResult gradcheck(L layer, const Shape& shape, const GradcheckOptions& options = {}) {
  Rng rng(options.seed);
  return gradcheck(std::move(layer), detail::distinct_numbers(shape, rng), options);
}

/// A layer of another number type: its finite differences would say nothing.
template <Layer L, class X>
requires(!LayerOf<L, double>) GradcheckResult gradcheck(const L&, const X&, const GradcheckOptions& = {}) {
  static_assert(sizeof(X) == 0, "gradcheck: use double; check the layer as nn::Linear<double>, say");
  return {};
}
template <Layer L>
requires(!LayerOf<L, double>) GradcheckResult gradcheck(const L& layer, const Shape& x, const GradcheckOptions& = {}) {
  return gradcheck<L, Shape>(layer, x);
}

/// Checks a loss at given outputs and target.
template <class Target, LossOf<double, Target> L>
GradcheckResult gradcheck(L loss, Tensor<double> x, const Target& target, const GradcheckOptions& options = {}) {
  detail::GradientComparison comparison(describe(loss), options);
  L analytic = loss;
  analytic.forward(x, target);
  comparison.compare("x", x.mutable_data(), x.shape(), analytic.backward(), [&] {
    L copy = loss;
    return copy.forward(x, target);
  });
  return comparison.result();
}

}  // namespace eigengrad::EIGENGRAD_ISA
