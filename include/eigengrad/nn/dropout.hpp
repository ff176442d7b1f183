// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/ops/dropout.hpp>

// nn::Dropout dropout{{.p = 0.5}};

namespace eigengrad::EIGENGRAD_ISA::nn {

struct DropoutOptions {
  double p = 0.5;  ///< the share of elements that become 0 in training, rounded to a multiple of 2^-16
};

/// In Mode::train each element becomes 0 with probability p and is divided by 1 - p otherwise; else y = x.
/// A layer takes its default_random_stream() when it is built, and every forward in Mode::train takes new numbers. A
/// copy of the layer goes through the same masks as the layer itself. So nn::Sequential{a, dropout, b, dropout}, which
/// copies one object twice, drops the same places in both; nn::Sequential{a, nn::Dropout{}, b, nn::Dropout{}} does not.
/// Errors   ValueError for p outside 0 ... 1
template <class T = float>
class Dropout {
 public:
  Dropout() : Dropout(DropoutOptions{}) {}
  explicit Dropout(const DropoutOptions& options) : options_(options), random_(default_random_stream()) {
    detail::check::between("Dropout", "p", options.p, 0.0, 1.0);
  }

  Shape output_shape(const Shape& x) const { return x; }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    kept_mask_.reset();  // lets the memory of the last step go first
    kept_shape_.reset();
    if (remembers(mode)) kept_shape_ = x.shape();
    if (mode != Mode::train || options_.p == 0.0) return x;
    const auto pass = static_cast<std::uint32_t>(random_.pass++);
    kept_mask_ = ops::dropout_mask(x.shape(), options_.p, Rng(random_.seed, random_.stream), pass);
    return ops::dropout(std::move(x), *kept_mask_, options_.p);
  }

  bool fold_into(ChannelMap<T>&) {
    kept_mask_.reset();
    kept_shape_.reset();
    return true;
  }

  Tensor<T> backward(Tensor<T> dy) {
    detail::check::remembered(*this, kept_shape_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), *kept_shape_);
    return kept_mask_ ? ops::dropout_backward(std::move(dy), *kept_mask_, options_.p) : dy;
  }

  void visit(auto&& f) {
    if constexpr (requires { f("random", random_); }) f("random", random_);
  }

  std::string description() const { return error_text("Dropout ", options_.p); }

 private:
  DropoutOptions options_;
  RandomStream random_;
  Kept<Shape> kept_shape_;                // of the last forward that remembers
  Kept<Tensor<std::uint8_t>> kept_mask_;  // of the last forward, if that was in Mode::train
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
