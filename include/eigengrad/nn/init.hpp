// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string_view>
#include <variant>

#include <eigengrad/core/layer.hpp>

// Initial values of weights.
//   nn::initialize(net, nn::init::Normal{1e-4}, rng);
// A weight has its outputs on the first axis: (O, I) or (O, R, S, I). fan_in is the number of inputs of one
// output, fan_out the number of outputs one input reaches.

namespace eigengrad::EIGENGRAD_ISA::nn {

namespace init {

/// U(-1/sqrt(fan_in), 1/sqrt(fan_in)) for weight and bias: what PyTorch's Linear and Conv2d start from, and
/// what the layers of this library have when they are built.
struct PyTorch {};

/// N(0, std^2); biases 0.
struct Normal {
  double std = 1e-2;
};

/// N(0, gain^2 / fan_in); biases 0. The gain of a ReLU is sqrt(2).
/// Source   He, Zhang, Ren, Sun 2015
struct KaimingNormal {
  double gain = 1.4142135623730951;
};

/// U(-b, b) with b = gain sqrt(3 / fan_in); biases 0.
/// Source   He, Zhang, Ren, Sun 2015
struct KaimingUniform {
  double gain = 1.4142135623730951;
};

/// N(0, 2 gain^2 / (fan_in + fan_out)); biases 0.
/// Source   Glorot & Bengio 2010
struct XavierNormal {
  double gain = 1.0;
};

/// U(-b, b) with b = gain sqrt(6 / (fan_in + fan_out)); biases 0.
/// Source   Glorot & Bengio 2010
struct XavierUniform {
  double gain = 1.0;
};

using Scheme = std::variant<PyTorch, Normal, KaimingNormal, KaimingUniform, XavierNormal, XavierUniform>;

struct Fans {
  double in;
  double out;
};

/// fan_in and fan_out of a weight with its outputs on the first axis and its inputs on the last.
inline Fans fans(const Shape& weight) {
  nn::detail::check::rank_at_least("init", weight, 2);
  const auto numel = static_cast<double>(weight.numel());
  return {numel / static_cast<double>(weight[0]), numel / static_cast<double>(weight[-1])};
}

namespace detail {

inline double deviation(const Normal& s, Fans) { return s.std; }
inline double deviation(const KaimingNormal& s, Fans fans) { return s.gain / std::sqrt(fans.in); }
inline double deviation(const XavierNormal& s, Fans fans) { return s.gain * std::sqrt(2.0 / (fans.in + fans.out)); }
inline double bound(const PyTorch&, Fans fans) { return 1.0 / std::sqrt(fans.in); }
inline double bound(const KaimingUniform& s, Fans fans) { return s.gain * std::sqrt(3.0 / fans.in); }
inline double bound(const XavierUniform& s, Fans fans) { return s.gain * std::sqrt(6.0 / (fans.in + fans.out)); }

}  // namespace detail

/// Random values for a weight of the given fans.
/// Errors   ValueError for a gain or a standard deviation below 0 or not finite
template <class T>
Tensor<T> weight(const Shape& shape, Fans fans, const Scheme& scheme, Rng& rng) {
  return std::visit(
      [&](const auto& s) {
        if constexpr (requires { s.std; }) nn::detail::check::at_least("init", "std", s.std, 0.0);
        if constexpr (requires { s.gain; }) nn::detail::check::at_least("init", "gain", s.gain, 0.0);
        if constexpr (requires { detail::deviation(s, fans); }) {
          const double std = detail::deviation(s, fans);
          return Tensor<T>::generate(shape, [&] { return static_cast<T>(std * rng.normal()); });
        } else {
          const double bound = detail::bound(s, fans);
          return Tensor<T>::rand(shape, rng, -bound, bound);
        }
      },
      scheme);
}

/// Values for the bias that belongs to a weight of the given fans.
template <class T>
Tensor<T> bias(const Shape& shape, Fans fans, const Scheme& scheme, Rng& rng) {
  if (std::holds_alternative<PyTorch>(scheme)) return weight<T>(shape, fans, scheme, rng);
  return Tensor<T>::zeros(shape);
}

}  // namespace init

/// Gives new values to every weight of two axes or more in a layer or network, and to the bias that follows
/// it. Other parameters (a BatchNorm's weight and bias) keep theirs.
template <class L>
void initialize(L& layer, const init::Scheme& scheme, Rng& rng) {
  using T = scalar_of<L>;
  init::Fans fans{};
  bool bias_expected = false;
  visit(layer, {.parameter = [&](std::string_view name, Parameter<T>& p) {
          const Shape shape = p.value.shape();
          if (shape.rank() >= 2) {
            fans = init::fans(shape);
            p.value = init::weight<T>(shape, fans, scheme, rng);
          } else if (bias_expected && name.ends_with("bias")) {
            p.value = init::bias<T>(shape, fans, scheme, rng);
          }
          bias_expected = shape.rank() >= 2;
        }});
}

}  // namespace eigengrad::EIGENGRAD_ISA::nn
