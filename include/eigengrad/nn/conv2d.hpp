// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/nn/init.hpp>
#include <eigengrad/ops/conv2d.hpp>

// nn::Conv2d layer{64, 128, {.kernel = 3, .padding = 1}};
// nn::Conv2d wide{64, 64, {.kernel = {1, 7}, .padding = {0, 3}, .bias = false}};      // {height, width}

namespace eigengrad::EIGENGRAD_ISA::nn {

struct Conv2dOptions {
  Size2d kernel = 0;  ///< must be given: one number for both sides, or {height, width}; likewise the next three
  Size2d stride = 1;
  Size2d padding = 0;   ///< pixels of zeros on each side
  Size2d dilation = 1;  ///< pixels from one tap to the next
  Index groups = 1;     ///< outputs of a group see the inputs of their group alone
  bool bias = true;
  Conv2dAlgorithm algorithm = Conv2dAlgorithm::automatic;  ///< how it is computed, for comparisons
};

/// Convolution of images, as torch.nn.Conv2d. Starts as PyTorch's, from default_rng().
/// Shapes   x (N, H, W, in_channels), y (N, P, Q, out_channels) with P = (H + 2 padding - dilation (R - 1) - 1) /
///          stride + 1, rounded down; weight (out_channels, R, S, in_channels / groups); bias (out_channels)
/// Errors   ValueError for an option out of range, or channels that groups do not divide; ShapeError if x has another
///          number of channels or is, with its padding, smaller than the window, or if weight or bias has been given
///          another shape
template <class T = float>
class Conv2d {
 public:
  Conv2d(Index in_channels, Index out_channels, const Conv2dOptions& options)
      : in_channels_(in_channels),
        out_channels_(out_channels),
        window_{options.kernel, options.stride, options.padding, options.dilation},
        groups_(options.groups),
        has_bias_(options.bias),
        algorithm_(options.algorithm) {
    detail::check::above_zero(description(), "in_channels", in_channels);
    detail::check::above_zero(description(), "out_channels", out_channels);
    detail::check::above_zero(description(), "groups", options.groups);
    window_.check_options(*this);
    detail::check::divisible(*this, "input channels", in_channels, groups_);
    detail::check::divisible(*this, "output channels", out_channels, groups_);
    Rng rng = default_rng();
    const Shape shape = weight_shape();
    weight.value = init::weight<T>(shape, init::fans(shape), init::PyTorch{}, rng);
    if (options.bias) bias.value = init::bias<T>({out_channels}, init::fans(shape), init::PyTorch{}, rng);
  }

  Conv2d(Index in_channels, Index out_channels, std::convertible_to<Size2d> auto kernel)
      : Conv2d(in_channels, out_channels, Conv2dOptions{.kernel = kernel}) {}

  Shape output_shape(const Shape& x) const { return window_.output(*this, x, in_channels_).with(-1, out_channels_); }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    check_state();
    Tensor<T> y = plan_for(x.shape()).forward(x, weight.value, {.scale = {}, .shift = bias.value});
    if (remembers(mode))
      kept_ = std::move(x);
    else
      kept_.reset();
    return y;
  }

  Tensor<T> forward_mapped(Tensor<T> x, ChannelMap<T> f) {
    check_state();
    const ops::Conv2dPlan<T>& plan = plan_for(x.shape());
    kept_.reset();
    f.after_adding(bias.value);
    return plan.forward(x, weight.value, f);
  }

  Tensor<T> backward(Tensor<T> dy) {
    backward_parameters(dy);
    return plan_for(kept_->shape()).backward_input(dy, weight.value);
  }

  void backward_parameters(const Tensor<T>& dy) {
    check_state();
    detail::check::remembered(*this, kept_.has_value());
    const ops::Conv2dPlan<T>& plan = plan_for(kept_->shape());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), plan.problem().y);
    if (weight.requires_grad) weight.add_grad(plan.backward_weight(dy, *kept_));
    if (has_bias() && bias.requires_grad) bias.add_grad(ops::conv2d_backward_bias(dy));
  }

  void visit(auto&& f) {
    f("weight", weight);
    if (has_bias()) f("bias", bias);
  }

  /// "Conv2d 64->128 3x3 padding 1x1": the stride, padding, dilation and groups that are not the defaults
  std::string description() const {
    std::string text = error_text("Conv2d ", in_channels_, "->", out_channels_, " ", window_.kernel);
    if (window_.stride != Size2d(1)) text += error_text(" stride ", window_.stride);
    if (window_.padding != Size2d(0)) text += error_text(" padding ", window_.padding);
    if (window_.dilation != Size2d(1)) text += error_text(" dilation ", window_.dilation);
    if (groups_ != 1) text += error_text(" groups ", groups_);
    return text;
  }
  Index multiply_adds(const Shape& x) const {
    return detail::check::product(*this, output_shape(x).rows(), weight_shape().numel());
  }

  bool has_bias() const { return has_bias_; }

  Parameter<T> weight;
  Parameter<T> bias;  ///< empty without a bias

 private:
  Shape weight_shape() const {
    return {out_channels_, window_.kernel.height, window_.kernel.width, in_channels_ / groups_};
  }
  void check_state() const {
    detail::check::state(*this, "weight", weight.value.shape(), weight_shape());
    detail::check::state(*this, "bias", bias.value.shape(), {has_bias_ ? out_channels_ : 0});
  }

  /// The plan for images of this shape, made anew if the last ones had another.
  const ops::Conv2dPlan<T>& plan_for(const Shape& x) {
    if (!plan_ || plan_->problem().x != x) {
      const ops::Conv2dOptions options{window_.stride, window_.padding, window_.dilation, groups_, algorithm_};
      plan_.emplace(*this, x, weight_shape(), options);
    }
    return *plan_;
  }

  Index in_channels_;
  Index out_channels_;
  Window window_;
  Index groups_;
  bool has_bias_;
  Conv2dAlgorithm algorithm_;
  Kept<ops::Conv2dPlan<T>> plan_;
  Kept<Tensor<T>> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
