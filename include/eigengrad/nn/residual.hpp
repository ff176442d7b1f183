// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <eigengrad/nn/sequential.hpp>
#include <eigengrad/ops/map.hpp>

// Residual: two paths from one input, and the sum of their outputs.
//   nn::Residual{nn::Sequential{nn::Linear{64, 64}, nn::ReLU{}, nn::Linear{64, 64}}}
//   nn::Residual{nn::Sequential{nn::Linear{64, 32}, nn::ReLU{}}, nn::Linear{64, 32}}

namespace eigengrad::EIGENGRAD_ISA::nn {

/// y = body(x) + shortcut(x); without a shortcut y = body(x) + x.
/// Parameters are named "body." or "shortcut." and then as in the Sequential: "body.0.weight".
/// Errors   ShapeError, before anything is computed, if a path does not fit its input (it names the path) or the
///          outputs of the two differ in shape (it names both)
/// Source   He, Zhang, Ren, Sun 2015
template <class T = float>
class Residual {
 public:
  explicit Residual(Sequential<T> body_path, Sequential<T> shortcut_path = Sequential<T>())
      : body(std::move(body_path)), shortcut(std::move(shortcut_path)) {}
  /// Paths of one layer each.
  template <LayerOf<T> Body>
  requires(!std::same_as<Body, Sequential<T>> && !std::same_as<Body, Residual>) explicit Residual(Body body_layer)
      : Residual(Sequential<T>(std::move(body_layer))) {}
  template <LayerOf<T> Body, LayerOf<T> Shortcut>
  requires(!std::same_as<Body, Sequential<T>> || !std::same_as<Shortcut, Sequential<T>>)
      Residual(Body body_layer, Shortcut shortcut_layer)
      : Residual(Sequential<T>(std::move(body_layer)), Sequential<T>(std::move(shortcut_layer))) {}

  Shape output_shape(const Shape& x, Mode mode = Mode::eval) const {
    const Shape from_body = named("body", [&] { return body.output_shape(x, mode); });
    const Shape from_shortcut = named("shortcut", [&] { return shortcut.output_shape(x, mode); });
    if (from_body == from_shortcut) return from_body;
    throw ShapeError(
        error_text(description(), ": body gives ", from_body, ", shortcut gives ", from_shortcut, "; input shape ", x));
  }

  Tensor<T> forward(Tensor<T> x, Mode mode) {
    output_shape(x.shape(), mode);  // throws before anything is computed
    Tensor<T> y = named("body", [&] { return body.forward(x, mode); });
    return sum(std::move(y), named("shortcut", [&] { return shortcut.forward(std::move(x), mode); }));
  }

  Tensor<T> backward(Tensor<T> dy) {
    Tensor<T> dx = named("body", [&] { return body.backward(dy); });
    return sum(std::move(dx), named("shortcut", [&] { return shortcut.backward(std::move(dy)); }));
  }

  /// The gradients of the parameters alone: neither path computes the gradient with respect to x.
  void backward_parameters(Tensor<T> dy) {
    named("body", [&] { body.backward_parameters(dy); });
    named("shortcut", [&] { shortcut.backward_parameters(std::move(dy)); });
  }

  void visit(auto&& f) {
    body.visit(detail::prefixed<T>("body.", f));
    shortcut.visit(detail::prefixed<T>("shortcut.", f));
  }

  void for_each_parameter(auto&& f) {
    body.for_each_parameter(f);
    shortcut.for_each_parameter(f);
  }

  void visit_layers(const std::optional<Shape>& x, const LayerVisitor<T>& f) {
    const auto named = [&](std::string_view path) {
      return [&f, path](std::string_view name, AnyLayer<T>& layer, const std::optional<Shape>& input) {
        f(joined(path, ".", name), layer, input);
      };
    };
    body.visit_layers(x, named("body"));
    shortcut.visit_layers(x, named("shortcut"));
  }

  std::string description() const { return "Residual"; }
  Index multiply_adds(const Shape& x) const {
    return detail::check::sum(*this, body.multiply_adds(x), shortcut.multiply_adds(x));
  }

  Sequential<T> body;
  Sequential<T> shortcut;  ///< empty for the identity

 private:
  /// a + b, written over one of them if nobody else holds it.
  static Tensor<T> sum(Tensor<T> a, Tensor<T> b) {
    if (!a.unique()) std::swap(a, b);
    return ops::map(std::move(a), b, [](const auto& u, const auto& v) { return u + v; });
  }

  /// Calls f; an error it throws says which path it comes from.
  template <class F>
  decltype(auto) named(const char* path, const F& f) const {
    try {
      return f();
    } catch (const ShapeError& error) {
      throw ShapeError(error_text(description(), ": ", path, ": ", error.what()));
    } catch (const StateError& error) {
      throw StateError(error_text(description(), ": ", path, ": ", error.what()));
    } catch (const MemoryError& error) {
      throw MemoryError(error_text(description(), ": ", path, ": ", error.what()));
    }
  }
};

template <Layer Body, class... Shortcut>
Residual(Body, Shortcut...) -> Residual<scalar_of<Body>>;

}  // namespace eigengrad::EIGENGRAD_ISA::nn
