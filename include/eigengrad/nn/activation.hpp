// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <eigengrad/core/layer.hpp>

// Activation: what layers share that have no parameters, an output of the input's shape, and remember one tensor.
//   template <class T = float>
//   class Tanh : public detail::Activation<T, Tanh<T>> {
//    public:
//     std::string description() const { return "Tanh"; }
//
//    private:
//     friend detail::Activation<T, Tanh>;
//     static constexpr detail::Keeps keeps() { return detail::Keeps::output; }
//     static Tensor<T> apply(Tensor<T> x) { return ops::tanh(std::move(x)); }
//     static Tensor<T> derive(Tensor<T> dy, const Tensor<T>& y) { return ops::tanh_backward(std::move(dy), y); }
//   };

namespace eigengrad::EIGENGRAD_ISA::nn::detail {

/// What backward starts from.
enum class Keeps { input, output };

/// The layer Self from its keeps(), apply(x) and derive(dy, what it keeps).
template <class T, class Self>
class Activation {
 public:
  Shape output_shape(const Shape& x) const { return x; }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    self().output_shape(x.shape());  // throws before anything is forgotten
    kept_.reset();                   // lets the memory of the last step go first
    const bool keeps_input = self().keeps() == Keeps::input;
    if (remembers(mode) && keeps_input) kept_ = x;
    Tensor<T> y = self().apply(std::move(x));
    if (remembers(mode) && !keeps_input) kept_ = y;
    return y;
  }

  Tensor<T> backward(Tensor<T> dy) {
    detail::check::remembered(self(), kept_.has_value());
    detail::check::same_shape(self(), "gradient of the output", dy.shape(), kept_->shape());
    return self().derive(std::move(dy), *kept_);
  }

 protected:
  void forget() { kept_.reset(); }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }

  Kept<Tensor<T>> kept_;  // of the last forward that remembers
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn::detail
