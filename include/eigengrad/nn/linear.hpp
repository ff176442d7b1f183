// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/nn/init.hpp>
#include <eigengrad/ops/channel_map.hpp>
#include <eigengrad/ops/linear.hpp>

// nn::Linear layer{3072, 100};

namespace eigengrad::nn {

struct LinearOptions {
  bool bias = true;
};

/// y = x W^T + b on the last axis. Starts as PyTorch's Linear, from default_rng().
/// Shapes   x (..., in_features), y (..., out_features); weight (out_features, in_features); bias (out_features)
/// Errors   ValueError for a size below 1; ShapeError if x has another number of features, or if weight or bias has been
///          given another shape
template <class T = float>
class Linear {
 public:
  EIGENGRAD_COLD Linear(Index in_features, Index out_features, const LinearOptions& options = {})
      : in_features_(in_features), out_features_(out_features), options_(options) {
    check::above_zero("Linear", "in_features", in_features);
    check::above_zero("Linear", "out_features", out_features);
    Rng rng = default_rng();
    const Shape shape{out_features, in_features};
    weight.value = init::weight<T>(shape, init::fans(shape), init::PyTorch{}, rng);
    if (options.bias) bias.value = init::bias<T>({out_features}, init::fans(shape), init::PyTorch{}, rng);
  }

  EIGENGRAD_CALLED Shape output_shape(const Shape& x) const {
    check::last_axis(*this, "features", x, in_features());
    return x.with(-1, out_features());
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    check_state();
    Tensor<T> y = ops::linear(x, weight.value, bias.value);
    if (remembers(mode))
      x_ = std::move(x);
    else
      x_.reset();
    return y;
  }

  Tensor<T> infer(Tensor<T> x, ChannelMap<T> f) {
    check_state();
    output_shape(x.shape());
    x_.reset();
    f.after_adding(bias.value);
    return ops::channel_map(ops::linear(x, weight.value), f);
  }

  Tensor<T> backward(Tensor<T> dy) {
    backward_parameters(dy);
    return ops::linear_backward_input(dy, weight.value);
  }

  void backward_parameters(const Tensor<T>& dy) {
    check_state();
    check::remembered(*this, x_.has_value());
    check::same_shape(*this, "gradient of the output", dy.shape(), output_shape(x_->shape()));
    weight.add_grad(ops::linear_backward_weight(dy, *x_));
    if (has_bias()) bias.add_grad(ops::linear_backward_bias(dy));
  }

  void visit(auto&& f) {
    f("weight", weight);
    if (has_bias()) f("bias", bias);
  }

  EIGENGRAD_COLD std::string description() const { return error_text("Linear ", in_features(), "->", out_features()); }
  Index multiply_adds(const Shape& x) const {
    return check::product(*this, x.rows(), Shape{out_features_, in_features_}.numel());
  }

  Index in_features() const { return in_features_; }
  Index out_features() const { return out_features_; }
  bool has_bias() const { return options_.bias; }

  Parameter<T> weight;
  Parameter<T> bias;  ///< empty without a bias

 private:
  EIGENGRAD_CALLED void check_state() const {
    check::state(*this, "weight", weight.value.shape(), {out_features_, in_features_});
    check::state(*this, "bias", bias.value.shape(), {has_bias() ? out_features_ : 0});
  }

  Index in_features_;
  Index out_features_;
  LinearOptions options_;
  Kept<Tensor<T>> x_;  // of the last forward that remembers
};

}  // namespace eigengrad::nn
