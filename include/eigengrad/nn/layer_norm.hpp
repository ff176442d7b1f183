// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/layer_norm.hpp>

// nn::LayerNorm norm{100};

namespace eigengrad::nn {

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
    check::above_zero("LayerNorm", "features", features);
    check::at_least("LayerNorm", "eps", options.eps, 0.0);
    if (has_weight()) weight.value = Tensor<T>::ones({features});
    if (has_bias()) bias.value = Tensor<T>::zeros({features});
  }

  Shape output_shape(const Shape& x) const {
    check::last_axis(*this, "features", x, features_);
    return x;
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    check_state();
    output_shape(x.shape());
    remembered_.reset();  // lets the memory of the last step go first
    auto [y, normalized, inv_std] =
        ops::layer_norm(std::move(x), weight.value, bias.value, options_.eps, remembers(mode));
    if (remembers(mode)) remembered_ = Remembered{std::move(normalized), std::move(inv_std)};
    return std::move(y);
  }

  Tensor<T> backward(Tensor<T> dy) {
    backward_parameters(dy);
    return ops::layer_norm_backward_input(std::move(dy), remembered_->normalized, remembered_->inv_std, weight.value);
  }

  void backward_parameters(const Tensor<T>& dy) {
    check_state();
    check::remembered(*this, remembered_.has_value());
    check::same_shape(*this, "gradient of the output", dy.shape(), remembered_->normalized.shape());
    if (has_weight()) weight.add_grad(ops::layer_norm_backward_weight(dy, remembered_->normalized));
    if (has_bias()) bias.add_grad(ops::layer_norm_backward_bias(dy));
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
    check::state(*this, "weight", weight.value.shape(), {has_weight() ? features_ : 0});
    check::state(*this, "bias", bias.value.shape(), {has_bias() ? features_ : 0});
  }

  Index features_;
  LayerNormOptions options_;
  Kept<Remembered> remembered_;  // of the last forward that remembers
};

}  // namespace eigengrad::nn
