// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/nn/init.hpp>
#include <eigengrad/ops/linear.hpp>

// nn::Linear layer{3072, 100};

namespace eigengrad::EIGENGRAD_ISA::nn {

struct LinearOptions {
  bool bias = true;
};

/// y = x W^T + b on the last axis. Starts as PyTorch's Linear, from default_rng().
/// Shapes   x (..., in_features), y (..., out_features); weight (out_features, in_features); bias (out_features)
/// Errors   ValueError for a size below 1; ShapeError if x has another number of features, or if weight or bias has
///          been given another shape
template <class T = float>
class Linear {
 public:
  EIGENGRAD_COLD Linear(Index in_features, Index out_features, const LinearOptions& options = {})
      : in_features_(in_features), out_features_(out_features), options_(options) {
    detail::check::above_zero("Linear", "in_features", in_features);
    detail::check::above_zero("Linear", "out_features", out_features);
    Rng rng = default_rng();
    const Shape shape{out_features, in_features};
    weight.value = init::weight<T>(shape, init::fans(shape), init::PyTorch{}, rng);
    if (options.bias) bias.value = init::bias<T>({out_features}, init::fans(shape), init::PyTorch{}, rng);
  }

  EIGENGRAD_CALLED Shape output_shape(const Shape& x) const {
    detail::check::features(*this, x, in_features());
    return x.with(-1, out_features());
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    check_state();
    Tensor<T> y = ops::linear(x, weight.value, bias.value);
    if (remembers(mode))
      kept_ = std::move(x);
    else
      kept_.reset();
    return y;
  }

  Tensor<T> forward_mapped(Tensor<T> x, ChannelMap<T> f) {
    check_state();
    output_shape(x.shape());
    kept_.reset();
    f.after_adding(bias.value);
    return ops::linear_channel_map(x, weight.value, f);
  }

  Tensor<T> backward(Tensor<T> dy) {
    backward_parameters(dy);
    return ops::linear_backward_input(dy, weight.value);
  }

  void backward_parameters(const Tensor<T>& dy) {
    check_state();
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), output_shape(kept_->shape()));
    if (weight.requires_grad) weight.add_grad(ops::linear_backward_weight(dy, *kept_));
    if (has_bias() && bias.requires_grad) bias.add_grad(ops::linear_backward_bias(dy));
  }

  void visit(auto&& f) {
    f("weight", weight);
    if (has_bias()) f("bias", bias);
  }

  EIGENGRAD_COLD std::string description() const { return error_text("Linear ", in_features(), "->", out_features()); }
  Index multiply_adds(const Shape& x) const {
    return detail::check::product(*this, x.rows(), Shape{out_features_, in_features_}.numel());
  }

  Index in_features() const { return in_features_; }
  Index out_features() const { return out_features_; }
  bool has_bias() const { return options_.bias; }

  Parameter<T> weight;
  Parameter<T> bias;  ///< empty without a bias

 private:
  EIGENGRAD_CALLED void check_state() const {
    // Without a Shape to compare with: a prediction of one sample takes a microsecond.
    const Shape &w = weight.value.shape(), &b = bias.value.shape();
    const bool right = w.rank() == 2 && w.rows() == out_features_ && w.cols() == in_features_ && b.rank() == 1 &&
                       b.cols() == (has_bias() ? out_features_ : 0);
    if (right) return;
    detail::check::state(*this, "weight", weight.value.shape(), {out_features_, in_features_});
    detail::check::state(*this, "bias", bias.value.shape(), {has_bias() ? out_features_ : 0});
  }

  Index in_features_;
  Index out_features_;
  LinearOptions options_;
  Kept<Tensor<T>> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
