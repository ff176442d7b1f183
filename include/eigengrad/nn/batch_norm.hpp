// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/batch_norm.hpp>

// nn::BatchNorm2d norm{64};                  // after a Conv2d
// nn::BatchNorm1d norm{700};                 // after a Linear

namespace eigengrad::EIGENGRAD_ISA::nn {

struct BatchNormOptions {
  double eps = 1e-5;      ///< added to the variance, in units of x squared
  double momentum = 0.1;  ///< running = (1 - momentum) running + momentum batch
  bool affine = true;     ///< learn weight and bias; else they are 1 and 0
};

namespace detail {

/// What BatchNorm1d and BatchNorm2d share: all but the ranks that they take.
template <class T>
class BatchNorm {
 public:
  /// Errors   ShapeError for another rank or number of channels, or in training for a single value a channel, which
  ///          has no deviation; forward and backward also if a parameter or a statistic has been given another shape
  EIGENGRAD_CALLED Shape output_shape(const Shape& x, Mode mode = Mode::eval) const {
    if (x.rank() < ranks_.least || x.rank() > ranks_.most) {
      throw ShapeError(
          error_text(description(), ": input has ", x.rank(), " axes, expected ", ranks_.text, "; input shape ", x));
    }
    detail::check::channels(*this, x, num_features_);
    if (mode == Mode::train && x.rows() < 2) {
      throw ShapeError(error_text(description(), ": input has ", x.rows(),
                                  " value a channel, expected more than 1 in training; input shape ", x));
    }
    return x;
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    check_state();
    output_shape(x.shape(), mode);
    kept_.reset();
    Memory memory{.x = {}, .mean = {}, .inv_std = {}, .source = ops::BatchNormSource::running};
    if (mode == Mode::train) {
      auto [mean, var] = ops::batch_norm_statistics(x);
      memory.inv_std = ops::batch_norm_inv_std(var, options_.eps);
      track(mean, var, static_cast<double>(x.shape().rows()));
      memory.mean = std::move(mean);
      memory.source = ops::BatchNormSource::batch;
    } else {
      memory.mean = running_mean;
      memory.inv_std = ops::batch_norm_inv_std(running_var, options_.eps);
    }
    if (remembers(mode)) memory.x = x;
    Tensor<T> y = ops::batch_norm(std::move(x), memory.mean, memory.inv_std, weight.value, bias.value);
    if (remembers(mode)) kept_ = std::move(memory);
    return y;
  }

  bool fold_into(ChannelMap<T>& f) {
    check_state();
    if (f.relu) return false;
    kept_.reset();
    Tensor<T> scale = ops::detail::batch_norm_scale(ops::batch_norm_inv_std(running_var, options_.eps), weight.value);
    Tensor<T> shift({num_features_});
    T* shifts = shift.mutable_data();
    for (Index c = 0; c < num_features_; ++c) {
      shifts[c] = -running_mean.data()[c] * scale.data()[c];
      if (options_.affine) shifts[c] += bias.value.data()[c];
    }
    f.then(std::move(scale), std::move(shift));
    return true;
  }

  Tensor<T> backward(Tensor<T> dy) {
    check_state();
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), kept_->x.shape());
    auto [dx, dweight, dbias] =
        ops::batch_norm_backward(std::move(dy), kept_->x, kept_->mean, kept_->inv_std, weight.value, kept_->source);
    if (options_.affine) {
      weight.add_grad(std::move(dweight));
      bias.add_grad(std::move(dbias));
    }
    return std::move(dx);
  }

  void visit(auto&& f) {
    if (options_.affine) {
      f("weight", weight);
      f("bias", bias);
    }
    f("running_mean", running_mean);
    f("running_var", running_var);
    if constexpr (requires { f("momentum", momentum_); }) f("momentum", momentum_);
  }

  EIGENGRAD_COLD std::string description() const { return error_text(ranks_.layer, " ", num_features_); }

  Parameter<T> weight;     ///< (C), starts at 1; empty if not affine
  Parameter<T> bias;       ///< (C), starts at 0; empty if not affine
  Tensor<T> running_mean;  ///< (C), starts at 0
  Tensor<T> running_var;   ///< (C), starts at 1; the unbiased variance, as PyTorch's

 protected:
  struct Ranks {
    const char* layer;
    int least, most;
    const char* text;
  };

  EIGENGRAD_COLD BatchNorm(const Ranks& ranks, Index num_features, const BatchNormOptions& options)
      : ranks_(ranks), num_features_(num_features), options_(options), momentum_{options.momentum} {
    detail::check::above_zero(ranks.layer, "num_features", num_features);
    detail::check::at_least(ranks.layer, "eps", options.eps, 0.0);
    detail::check::between(ranks.layer, "momentum", options.momentum, 0.0, 1.0);
    if (options.affine) {
      weight.value = Tensor<T>::ones({num_features});
      bias.value = Tensor<T>::zeros({num_features});
    }
    running_mean = Tensor<T>::zeros({num_features});
    running_var = Tensor<T>::ones({num_features});
  }

 private:
  struct Memory {
    Tensor<T> x, mean, inv_std;
    ops::BatchNormSource source;
  };

  EIGENGRAD_CALLED void check_state() const {
    const Shape channels{num_features_}, learned{options_.affine ? num_features_ : 0};
    detail::check::state(*this, "weight", weight.value.shape(), learned);
    detail::check::state(*this, "bias", bias.value.shape(), learned);
    detail::check::state(*this, "running_mean", running_mean.shape(), channels);
    detail::check::state(*this, "running_var", running_var.shape(), channels);
  }

  /// Moves the running statistics towards those of a batch of `count` values a channel.
  void track(const Tensor<T>& mean, const Tensor<T>& var, double count) {
    const T step = static_cast<T>(momentum_.value);
    const T unbiased = static_cast<T>(count / (count - 1.0));
    const auto towards = [this, kept = T(1) - step](Tensor<T>& running, const Tensor<T>& now, T share) {
      const auto blend = [kept, share](const auto& r, const auto& v) { return kept * r + share * v; };
      T* to = running.mutable_data();
      ops::detail::map_row<T>(num_features_, to, blend, to, now.data());
    };
    towards(running_mean, mean, step);
    towards(running_var, var, step * unbiased);
  }

  Ranks ranks_;
  Index num_features_;
  BatchNormOptions options_;
  Momentum momentum_;
  Kept<Memory> kept_;  // of the last forward that remembers
};

}  // namespace detail

/// Batch normalisation of images, as torch.nn.BatchNorm2d: in training by the statistics of the batch over (N, H, W),
/// which also move the running ones; otherwise by the running ones.
/// Shapes   x, y (N, H, W, C)
/// Errors   ValueError for an option out of range; ShapeError for another rank or C, or in training for N H W below 2
/// Source   Ioffe & Szegedy 2015
template <class T = float>
class BatchNorm2d : public detail::BatchNorm<T> {
 public:
  explicit BatchNorm2d(Index num_features, const BatchNormOptions& options = {})
      : detail::BatchNorm<T>({"BatchNorm2d", 4, 4, "4: (N, H, W, C)"}, num_features, options) {}
};

/// Batch normalisation of features, as torch.nn.BatchNorm1d, over (N) or (N, L).
/// Shapes   x, y (N, C) or (N, L, C), channels last
/// Errors   as BatchNorm2d
template <class T = float>
class BatchNorm1d : public detail::BatchNorm<T> {
 public:
  explicit BatchNorm1d(Index num_features, const BatchNormOptions& options = {})
      : detail::BatchNorm<T>({"BatchNorm1d", 2, 3, "2 or 3: (N, C) or (N, L, C)"}, num_features, options) {}
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
