// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/nn/any_layer.hpp>

// Sequential: layers in a row.
//   nn::Sequential net{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 10}};
//   net.push_back(nn::Softmax{});
//   auto y = net.forward(x);                          // training; net.forward(x, Mode::inference) otherwise
//   net.backward_parameters(loss.backward());         // the gradients of the parameters
//   auto dx = net.backward(dy);                       // these and the gradient by x

namespace eigengrad::nn {

/// Layers of any types that share a number type, applied one after another. Copying it copies the layers.
/// A parameter's name is the index of its layer, a dot and its name in the layer: "1.weight".
/// Errors   ShapeError naming the layer, before any data is touched, where a layer does not fit its input
template <class T = float>
class Sequential {
 public:
  Sequential() = default;
  template <class... Layers>
  requires(sizeof...(Layers) > 0 && !(std::same_as<std::remove_cvref_t<Layers>, Sequential> &&
                                      ...)) explicit Sequential(Layers&&... layers) {
    layers_.reserve(sizeof...(Layers));
    (push_back(std::forward<Layers>(layers)), ...);
  }

  /// Adds a layer at the end.
  template <class L>
  Sequential& push_back(L&& layer) {
    layers_.emplace_back(std::forward<L>(layer));
    if (!first_learning_ && !eigengrad::parameters(layers_.back()).empty())
      first_learning_ = layers_.size() - 1;
    checked_.reset();
    return *this;
  }

  Index size() const { return static_cast<Index>(layers_.size()); }
  AnyLayer<T>& operator[](Index i) { return layers_.at(static_cast<std::size_t>(i)); }

  Shape output_shape(const Shape& x) const {
    Shape shape = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) shape = output_shape_of(i, shape);
    return shape;
  }

  Tensor<T> forward(Tensor<T> x, Mode mode = Mode::train) {
    if (checked_ != x.shape()) {
      output_shape(x.shape());
      checked_ = x.shape();
    }
    for (AnyLayer<T>& layer : layers_) x = layer.forward(std::move(x), mode);
    return x;
  }

  Tensor<T> backward(Tensor<T> dy) {
    for (std::size_t i = layers_.size(); i-- > 0;) dy = layers_[i].backward(std::move(dy));
    return dy;
  }

  /// The gradients of the parameters alone. The first layer that has any does not compute its dx, which saves
  /// about a third of that layer's work.
  void backward_parameters(Tensor<T> dy) {
    if (!first_learning_) return;
    for (std::size_t i = layers_.size(); i-- > *first_learning_ + 1;) dy = layers_[i].backward(std::move(dy));
    layers_[*first_learning_].backward_parameters(std::move(dy));
  }

  void visit(auto&& f) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const std::string prefix = std::to_string(i) + ".";
      layers_[i].visit(
          {.parameter = [&](std::string_view name, Parameter<T>& p) { f(prefix + std::string(name), p); },
           .buffer =
               [&](std::string_view name, Tensor<T>& buffer) {
                 if constexpr (requires { f(prefix, buffer); }) f(prefix + std::string(name), buffer);
               }});
    }
  }

  /// Pointers to all parameters, in order. They stay valid as long as the layers, also when the net is moved.
  std::vector<Parameter<T>*> parameters() { return eigengrad::parameters(*this); }

  /// Drops every gradient.
  void zero_grad() { eigengrad::zero_grad(*this); }

  std::string description() const { return "Sequential"; }
  Index multiply_adds(const Shape& x) const {
    Index total = 0;
    Shape shape = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      total += layers_[i].multiply_adds(shape);
      shape = output_shape_of(i, shape);
    }
    return total;
  }

  /// A table of the layers for an input of the given shape: output shape, parameters, multiply-adds; totals.
  std::string summary(const Shape& x);

 private:
  Shape output_shape_of(std::size_t i, const Shape& x) const {
    try {
      return layers_[i].output_shape(x);
    } catch (const ShapeError& error) {
      const std::string name = layers_[i].description();
      std::string_view problem = error.what();
      if (problem.starts_with(name + ": ")) problem.remove_prefix(name.size() + 2);
      throw ShapeError(error_text("layer ", i, " (", name, "): ", problem));
    }
  }

  std::vector<AnyLayer<T>> layers_;
  std::optional<std::size_t> first_learning_;  // the first layer with parameters
  std::optional<Shape> checked_;               // the last input shape that fits all layers
};

template <class First, class... Rest>
Sequential(First&&, Rest&&...) -> Sequential<scalar_of<std::remove_cvref_t<First>>>;

template <class T>
std::string Sequential<T>::summary(const Shape& x) {
  std::string text;
  const auto line = [&](const std::string& name, const std::string& shape, Index parameters,
                        Index multiply_adds) {
    const auto pad = [](const std::string& s, std::size_t width) {
      return s.size() < width ? s + std::string(width - s.size(), ' ') : s + " ";
    };
    const auto number = [](Index n) {
      const std::string s = std::to_string(n);
      return s.size() < 14 ? std::string(14 - s.size(), ' ') + s : " " + s;
    };
    text += pad(name, 32) + pad(shape, 24) + number(parameters) + number(multiply_adds) + "\n";
  };
  text += "layer                           output shape                parameters multiply-adds\n";
  Index all_parameters = 0;
  Shape shape = x;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Index multiply_adds = layers_[i].multiply_adds(shape);
    shape = output_shape_of(i, shape);
    Index count = 0;
    for (const Parameter<T>* parameter : eigengrad::parameters(layers_[i])) count += parameter->value.numel();
    all_parameters += count;
    line(std::to_string(i) + " " + layers_[i].description(), to_string(shape), count, multiply_adds);
  }
  line("total", to_string(shape), all_parameters, multiply_adds(x));
  return text;
}

}  // namespace eigengrad::nn
