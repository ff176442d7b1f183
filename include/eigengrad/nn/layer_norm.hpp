// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/layer_norm.hpp>

// nn::LayerNorm norm{100};

namespace eigengrad::EIGENGRAD_ISA::nn {

struct LayerNormOptions {
  double eps = 1e-5;               ///< added to the variance
  bool elementwise_affine = true;  ///< false: neither weight nor bias
  bool bias = true;
};

/// y = w (x - mean) / sqrt(variance + eps) + b over the last axis. Starts with w = 1 and b = 0.
/// Shapes   x, y (..., features); weight, bias (features)
/// Errors   ValueError for a size below 1 or an eps below 0; ShapeError if x has another number of features, or if
///          weight or bias has been given another shape
template <class T = float>
class LayerNorm {
 public:
  explicit LayerNorm(Index features, const LayerNormOptions& options = {}) : features_(features), options_(options) {
    detail::check::above_zero("LayerNorm", "features", features);
    detail::check::at_least("LayerNorm", "eps", options.eps, 0.0);
    if (has_weight()) weight.value = Tensor<T>::ones({features});
    if (has_bias()) bias.value = Tensor<T>::zeros({features});
  }

  Shape output_shape(const Shape& x) const {
    detail::check::last_axis(*this, "features", x, features_);
    return x;
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    check_state();
    output_shape(x.shape());
    kept_.reset();  // lets the memory of the last step go first
    auto [y, normalized, inv_std] =
        ops::layer_norm(std::move(x), weight.value, bias.value, options_.eps, remembers(mode));
    if (remembers(mode)) kept_ = Remembered{std::move(normalized), std::move(inv_std)};
    return std::move(y);
  }

  Tensor<T> backward(Tensor<T> dy) {
    backward_parameters(dy);
    return ops::layer_norm_backward_input(std::move(dy), kept_->normalized, kept_->inv_std, weight.value);
  }

  void backward_parameters(const Tensor<T>& dy) {
    check_state();
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), kept_->normalized.shape());
    if (has_weight() && weight.requires_grad) weight.add_grad(ops::layer_norm_backward_weight(dy, kept_->normalized));
    if (has_bias() && bias.requires_grad) bias.add_grad(ops::layer_norm_backward_bias(dy));
  }

  void visit(auto&& f) {
    if (has_weight()) f("weight", weight);
    if (has_bias()) f("bias", bias);
  }

  std::string description() const { return error_text("LayerNorm ", features_); }

  bool has_weight() const { return options_.elementwise_affine; }
  bool has_bias() const { return options_.elementwise_affine && options_.bias; }

  Parameter<T> weight;  ///< empty without elementwise_affine
  Parameter<T> bias;    ///< empty without elementwise_affine or without a bias

 private:
  struct Remembered {
    Tensor<T> normalized;
    Tensor<T> inv_std;
  };

  void check_state() const {
    detail::check::state(*this, "weight", weight.value.shape(), {has_weight() ? features_ : 0});
    detail::check::state(*this, "bias", bias.value.shape(), {has_bias() ? features_ : 0});
  }

  Index features_;
  LayerNormOptions options_;
  Kept<Remembered> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
