// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

#include <eigengrad/ops/kernels/channel_map.hpp>
#include <eigengrad/ops/kernels/conv_definition.hpp>
#include <eigengrad/ops/kernels/conv_groups.hpp>
#include <eigengrad/ops/kernels/conv_list.hpp>

namespace eigengrad::EIGENGRAD_ISA::ops {

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
  Index groups = 1;
  Conv2dAlgorithm algorithm = Conv2dAlgorithm::automatic;
};

/// A convolution of given sizes: these checked, groups merged and an algorithm chosen for each direction, once for all
/// three.
///   const Conv2dPlan<float> plan("conv2d", x.shape(), weight.shape(), {.padding = 1});
///   y = plan.forward(x, weight, {.shift = bias});
/// The choice depends on the sizes alone. Tensors must have the shapes that the plan was made for.
template <class T>
class Conv2dPlan {
 public:
  /// Shapes   x (N, H, W, C); weight (K, R, S, C / groups)
  /// Errors   ShapeError if the shapes do not fit, images have no pixels or the window is larger than the padded
  ///          image; ValueError for options out of range, outputs that groups do not divide, or an algorithm that does
  ///          not suit
  Conv2dPlan(const detail::check::Where& where, const Shape& x, const Shape& weight, const Conv2dOptions& options)
      : problem_(checked(where, x, weight, options)), computed_(problem_) {
    const Algorithm* named = nullptr;
    if (options.algorithm == Conv2dAlgorithm::automatic)
      computed_.groups /= detail::groups::mergeable<T>(problem_);
    else
      named = &find(where, options.algorithm);
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const auto direction = static_cast<Direction>(i);
      if (named == nullptr)
        chosen_[i] = &fastest(direction);
      else
        chosen_[i] = named->has(direction) ? named : &general();
    }
  }

  /// The sizes as asked for.
  const detail::ConvProblem& problem() const { return problem_; }
  Shape weight() const {
    const Size2d& kernel = problem_.window.kernel;
    return {problem_.y[3], kernel.height, kernel.width, problem_.group_inputs()};
  }
  /// What computes a direction. Numbers that it is not made for are left to im2col.
  Conv2dAlgorithm algorithm(detail::ConvDirection direction) const { return chosen(direction).name; }

  /// y = f(x * W)
  Tensor<T> forward(const Tensor<T>& x, const Tensor<T>& weight, const ChannelMap<T>& f) const {
    if (problem_.is_nothing()) return detail::channel_map(Tensor<T>::zeros(problem_.y), f);
    const Tensor<T> w = merged(weight);
    Tensor<T> y(problem_.y);
    if (!chosen(Direction::forward).forward(computed_, x, w, f, y)) general().forward(computed_, x, w, f, y);
    if (zeros_have_spoilt(y)) general().forward(problem_, x, weight, f, y);
    return y;
  }

  /// dx from dy.
  Tensor<T> backward_input(const Tensor<T>& dy, const Tensor<T>& weight) const {
    if (problem_.is_nothing()) return Tensor<T>::zeros(problem_.x);
    const Tensor<T> w = merged(weight);
    Tensor<T> dx(problem_.x);
    if (!chosen(Direction::backward_input).backward_input(computed_, dy, w, dx))
      general().backward_input(computed_, dy, w, dx);
    if (zeros_have_spoilt(dx)) general().backward_input(problem_, dy, weight, dx);
    return dx;
  }

  /// dW from dy and x.
  Tensor<T> backward_weight(const Tensor<T>& dy, const Tensor<T>& x) const {
    if (problem_.is_nothing()) return Tensor<T>::zeros(weight());
    Tensor<T> dw(weight().with(3, computed_.group_inputs()));
    if (!chosen(Direction::backward_weight).backward_weight(computed_, dy, x, dw))
      general().backward_weight(computed_, dy, x, dw);
    return has_merged() ? detail::groups::split(dw, problem_.groups, merged_groups()) : dw;
  }

 private:
  using Direction = detail::ConvDirection;
  using Algorithm = detail::ConvAlgorithm<T>;

  static detail::ConvProblem checked(const detail::check::Where& where, const Shape& x, const Shape& w,
                                     const Conv2dOptions& options) {
    if (w.rank() != 4) throw ShapeError(error_text(where.name(), ": weight has shape ", w, ", expected (K, R, S, C)"));
    const Window window{{w[1], w[2]}, options.stride, options.padding, options.dilation};
    window.check_options(where);
    detail::check::above_zero(where, "groups", options.groups);
    const Shape positions = window.output(where, x, detail::check::product(where, w[3], options.groups));
    detail::check::divisible(where, "output channels", w[0], options.groups);
    return {x, positions.with(-1, w[0]), window, options.groups};
  }

  /// Errors   ValueError for an algorithm that does not compute this problem
  const Algorithm& find(const detail::check::Where& where, Conv2dAlgorithm name) const {
    for (const Algorithm& algorithm : detail::kConvAlgorithms<T>) {
      if (algorithm.name == name && algorithm.suits(problem_)) return algorithm;
    }
    const Window& w = problem_.window;
    throw ValueError(error_text(where.name(), ": algorithm ", name, " computes no window of ", w.kernel,
                                " with stride ", w.stride, ", padding ", w.padding, " and dilation ", w.dilation));
  }

  const Algorithm& fastest(Direction direction) const {
    const Algorithm* best = nullptr;
    double least = 0.0;
    for (const Algorithm& algorithm : detail::kConvAlgorithms<T>) {
      if (!algorithm.has(direction) || !algorithm.suits(computed_)) continue;
      const double cycles = algorithm.cycles(computed_, direction);
      if (best == nullptr || cycles < least) best = &algorithm, least = cycles;
    }
    return *best;
  }
  const Algorithm& chosen(Direction direction) const { return *chosen_[static_cast<std::size_t>(direction)]; }
  static const Algorithm& general() { return detail::kConvAlgorithms<T>.back(); }

  Index merged_groups() const { return problem_.groups / computed_.groups; }
  bool has_merged() const { return merged_groups() > 1; }
  Tensor<T> merged(const Tensor<T>& weight) const {
    return has_merged() ? detail::groups::merge(weight, problem_.groups, merged_groups()) : weight;
  }
  /// True if the zeros between merged groups have met something that is not finite: then each is computed by itself.
  bool zeros_have_spoilt(const Tensor<T>& images) const {
    return has_merged() && !detail::definition::is_number_in_merged_groups(images, computed_.groups);
  }

  detail::ConvProblem problem_;
  detail::ConvProblem computed_;  // the same, with some of the groups merged into one
  std::array<const Algorithm*, 3> chosen_{};
};

}  // namespace eigengrad::EIGENGRAD_ISA::ops
