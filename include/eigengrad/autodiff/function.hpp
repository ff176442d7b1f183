// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <eigengrad/autodiff/functions.hpp>

// nn::Function: a layer from a function on Variables. It needs no backward.
//   nn::Sequential net{nn::Linear{64, 64}, nn::Function{[](auto x) { return x * sigmoid(x); }}, nn::Linear{64, 10}};
//   nn::Function scale{[](auto x, auto s) { return x * s; }, Tensor<float>::ones({64})};     // s is learned
//   auto layer = nn::function<double>([](auto x) { return exp(x); });                        // of double

namespace eigengrad::EIGENGRAD_ISA::nn {

/// y = f(x, parameters...), differentiated by autodiff. The parameters start at the given values and are called "0",
/// "1", ... The function is called with variables, in training and in use.
/// Errors   what f throws for an x that it does not take, from output_shape, before a network computes; StateError
///          if backward comes before forward; ShapeError if a parameter has been given another shape
template <class T, class F, std::size_t N = 0>
class Function {
 public:
  template <class... Values>
  explicit Function(F f, Values... values)
      : f_(std::move(f)), parameters_{Parameter<T>(Tensor<T>(std::move(values)))...} {
    static_assert(sizeof...(Values) == N, "one value for each parameter");
    for (std::size_t i = 0; i < N; ++i) shapes_[i] = parameters_[i].value.shape();
  }

  /// Calls f with zeros, once for each new shape.
  Shape output_shape(const Shape& x) const {
    check_state();
    if (!known_ || known_->x != x) {
      const autodiff::NoGradGuard no_grad;
      known_ = Shapes{x, call(autodiff::Variable<T>(Tensor<T>::zeros(x)), values()).shape()};
    }
    return known_->y;
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    check_state();
    kept_.reset();
    if (!remembers(mode)) {
      const autodiff::NoGradGuard no_grad;
      return call(autodiff::Variable<T>(std::move(x)), values()).value();
    }
    Memory memory{autodiff::Variable<T>::leaf(std::move(x)), values(), {}};
    memory.y = call(memory.x, memory.parameters);
    kept_ = std::move(memory);
    return kept_->y.value();
  }

  Tensor<T> backward(Tensor<T> dy) {
    check_state();
    detail::check::remembered(*this, kept_.has_value());
    detail::check::same_shape(*this, "gradient of the output", dy.shape(), kept_->y.shape());
    // Not those of the leaves, which copies of this layer share: another one may go backward at the same time.
    Tensor<T> dx;
    std::array<Tensor<T>, N> gradients;
    if (kept_->y.requires_grad()) {
      autodiff::detail::BackwardPass<T, Tensor<T>> pass(kept_->y.in_graph());
      pass.run(std::move(dy), [&](autodiff::detail::Node<T>* node, Tensor<T>& gradient) {
        if (!node->is_leaf()) return;
        const auto is_node = [&](const autodiff::Variable<T>& leaf) { return &leaf.node() == node; };
        const auto parameter = std::find_if(kept_->parameters.begin(), kept_->parameters.end(), is_node);
        if (is_node(kept_->x))
          dx = std::move(gradient);
        else if (parameter != kept_->parameters.end())
          gradients[static_cast<std::size_t>(parameter - kept_->parameters.begin())] = std::move(gradient);
        else
          node->collect(std::move(gradient));  // f's own
      });
    }
    for (std::size_t i = 0; i < N; ++i) {
      if (parameters_[i].requires_grad) parameters_[i].add_grad(or_zeros(std::move(gradients[i]), shapes_[i]));
    }
    return or_zeros(std::move(dx), kept_->x.shape());
  }

  void visit(auto&& f) {
    for (std::size_t i = 0; i < N; ++i) f(std::to_string(i), parameters_[i]);
  }

  std::string description() const { return "Function"; }

 private:
  using Variables = std::array<autodiff::Variable<T>, N>;
  struct Shapes {
    Shape x, y;
  };
  struct Memory {
    autodiff::Variable<T> x;
    Variables parameters;
    autodiff::Variable<T> y;
  };

  void check_state() const {
    for (std::size_t i = 0; i < N; ++i)
      detail::check::state(*this, "a parameter", parameters_[i].value.shape(), shapes_[i]);
  }

  Variables values() const {
    Variables result;
    for (std::size_t i = 0; i < N; ++i) {
      const Tensor<T>& value = parameters_[i].value;
      using Variable = autodiff::Variable<T>;
      result[i] = parameters_[i].requires_grad ? Variable::leaf(value) : Variable(value);
    }
    return result;
  }

  autodiff::Variable<T> call(const autodiff::Variable<T>& x, const Variables& parameters) const {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return f_(x, parameters[I]...); }
    (std::make_index_sequence<N>{});
  }

  static Tensor<T> or_zeros(Tensor<T> gradient, const Shape& shape) {
    return gradient.shape() == shape ? std::move(gradient) : Tensor<T>::zeros(shape);
  }

  F f_;
  std::array<Parameter<T>, N> parameters_;
  std::array<Shape, N> shapes_;  // of the parameters
  mutable std::optional<Shapes> known_;
  Kept<Memory> kept_;  // of the last forward that remembers
};

template <class F>
Function(F) -> Function<float, F, 0>;
template <class F, class T, class... More>
Function(F, Tensor<T>, More...) -> Function<T, F, 1 + sizeof...(More)>;

/// A Function of numbers of type T.
template <class T, class F, class... Values>
Function<T, F, sizeof...(Values)> function(F f, Values... values) {
  return Function<T, F, sizeof...(Values)>(std::move(f), std::move(values)...);
}

}  // namespace eigengrad::EIGENGRAD_ISA::nn
