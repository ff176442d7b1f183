// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/nn/any_layer.hpp>
#include <eigengrad/nn/summary.hpp>

// Sequential: layers in a row.
//   nn::Sequential net{nn::Flatten{}, nn::Linear{3072, 100}, nn::ReLU{}, nn::Linear{100, 10}};
//   net.push_back(nn::Softmax{});
//   auto y = net.forward(x);                          // training; net.forward(x, Mode::inference) otherwise
//   net.backward_parameters(loss.backward());         // the gradients of the parameters
//   auto dx = net.backward(dy);                       // these and the gradient with respect to x

namespace eigengrad::EIGENGRAD_ISA::nn {

namespace detail {

/// A visitor that calls f with the prefix before every name.
template <class T, class F>
EIGENGRAD_COLD Visitor<T> prefixed(const std::string& prefix, F& f) {
  return {.parameter = [prefix, &f](std::string_view name, Parameter<T>& p) { f(prefix + std::string(name), p); },
          .buffer =
              [&, prefix](std::string_view name, Tensor<T>& buffer) {
                if constexpr (requires { f(prefix, buffer); }) f(prefix + std::string(name), buffer);
              },
          .random =
              [&, prefix](std::string_view name, RandomStream& stream) {
                if constexpr (requires { f(prefix, stream); }) f(prefix + std::string(name), stream);
              },
          .momentum =
              [&, prefix](std::string_view name, Momentum& momentum) {
                if constexpr (requires { f(prefix, momentum); }) f(prefix + std::string(name), momentum);
              }};
}

}  // namespace detail

/// Layers of any types that share a number type, applied one after another. Copying it copies the layers.
/// A parameter's name is the index of its layer, a dot and its name in the layer: "1.weight".
/// A Sequential is a layer too; but Sequential{Sequential{...}}, with this one argument, is a copy of it.
/// Assigning a network with layers of the same types, as in `best = net` and later `net = best`, changes what the
/// parameters hold and leaves them where they are: an optimiser goes on with them. Where a layer of another type comes
/// in, the optimiser's next step says that its parameter is gone.
/// One layer object given twice is two layers that start alike; for two Dropouts write nn::Dropout{} twice.
/// Gradients of parameters that no optimiser has do not pile up: the first backward after a step drops those that are
/// left, if some of the network's parameters have an optimiser.
/// Errors   ShapeError naming the layer, before any data is touched, if a layer does not fit its input, and if a
///          layer's forward or backward returns another shape than it should; StateError if backward comes before
///          forward or the network has been moved away
template <class T = float>
class Sequential {
  template <class First, class... Rest>
  static constexpr bool kIsCopy = sizeof...(Rest) == 0 && std::same_as<std::remove_cvref_t<First>, Sequential>;

 public:
  Sequential() = default;
  Sequential(const Sequential&) = default;
  Sequential(Sequential&& other) noexcept
      : layers_(std::move(other.layers_)),
        shapes_(std::move(other.shapes_)),
        steps_(other.steps_),
        moved_away_(std::exchange(other.moved_away_, true)) {}
  Sequential& operator=(const Sequential& other) {
    return assign(Sequential(other), [](AnyLayer<T>& to, AnyLayer<T>& from) { to.assign_copy(std::move(from)); });
  }
  Sequential& operator=(Sequential&& other) {
    if (this == &other) return *this;
    // To an object of its own first, since `other` may be inside of a layer.
    return assign(Sequential(std::move(other)), [](AnyLayer<T>& to, AnyLayer<T>& from) { to = std::move(from); });
  }
  ~Sequential() = default;
  template <class First, class... Rest>
  requires(!kIsCopy<First, Rest...>)  // or it would hide the copy constructor
      explicit Sequential(First&& first, Rest&&... rest) {
    layers_.reserve(1 + sizeof...(Rest));
    push_back(std::forward<First>(first));
    (push_back(std::forward<Rest>(rest)), ...);
  }

  /// Adds a layer at the end. A network that has been moved away begins anew.
  template <class L>
  Sequential& push_back(L&& layer) {
    return add(AnyLayer<T>(std::forward<L>(layer)));
  }

  Index size() const { return static_cast<Index>(layers().size()); }
  /// Errors   ValueError for an index outside 0 ... size() - 1
  AnyLayer<T>& operator[](Index i) {
    if (i < 0 || i >= size()) throw ValueError(error_text("Sequential: layer ", i, " of ", size()));
    return layers_[static_cast<std::size_t>(i)];
  }

  Shape output_shape(const Shape& x, Mode mode = Mode::eval) const {
    Shape shape = x;
    for (std::size_t i = 0; i < layers().size(); ++i) shape = output_shape_of(i, shape, mode);
    return shape;
  }

  Tensor<T> forward(Tensor<T> x, Mode mode = Mode::train) {
    Shapes shapes = shapes_from(x.shape(), mode);  // throws before anything is computed
    shapes_.clear();
    if (mode == Mode::inference) return infer(std::move(x), shapes);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      x = named(i, [&] { return layers_[i].forward(std::move(x), mode); });
      check_output(i, x.shape(), shapes[i + 1]);
    }
    shapes_ = std::move(shapes);
    return x;
  }

  /// The outputs for a batch of inputs, without a thought of training: forward in Mode::inference.
  Tensor<T> predict(Tensor<T> x) { return forward(std::move(x), Mode::inference); }

  Tensor<T> backward(Tensor<T> dy) {
    begin_backward(dy.shape());
    for (std::size_t i = layers_.size(); i-- > 0;) dy = backward_of(i, std::move(dy));
    return dy;
  }

  /// The gradients of the parameters alone. The first layer that learns does not compute its dx, which saves about a
  /// third of that layer's work. The frozen layers before it are not walked at all.
  void backward_parameters(Tensor<T> dy) {
    begin_backward(dy.shape());
    std::size_t first = 0;
    while (first < layers_.size() && !eigengrad::requires_grad(layers_[first])) ++first;
    if (first == layers_.size()) return;
    for (std::size_t i = layers_.size(); i-- > first + 1;) dy = backward_of(i, std::move(dy));
    named(first, [&] { layers_[first].backward_parameters(std::move(dy)); });
  }

  void visit(auto&& f) {
    for (std::size_t i = 0; i < layers().size(); ++i) layers_[i].visit(detail::prefixed<T>(std::to_string(i) + ".", f));
  }

  void for_each_parameter(auto&& f) {
    for (std::size_t i = 0; i < layers().size(); ++i) layers_[i].for_each_parameter(std::ref(f));
  }

  /// Pointers to all parameters, in order. They stay valid as long as the layers, also when the net is moved or
  /// assigned to.
  std::vector<Parameter<T>*> parameters() { return eigengrad::parameters(*this); }

  /// Drops every gradient.
  void zero_grad() { eigengrad::zero_grad(*this); }

  std::string description() const { return "Sequential"; }
  EIGENGRAD_COLD Index multiply_adds(const Shape& x) const {
    Index total = 0;
    Shape shape = x;
    for (std::size_t i = 0; i < layers().size(); ++i) {
      total = detail::check::sum(*this, total, layers_[i].multiply_adds(shape));
      shape = output_shape_of(i, shape);
    }
    return total;
  }

  /// A table of the layers, those inside of others too, for an input of the given shape: output shape, parameters,
  /// multiply-adds; totals.
  std::string summary(const Shape& x) { return detail::summary(*this, x); }

  void visit_layers(std::optional<Shape> x, const LayerVisitor<T>& f) {
    for (std::size_t i = 0; i < layers().size(); ++i) {
      f(std::to_string(i), layers_[i], x);
      if (x) x = output_shape_of(i, *x);
    }
  }

 private:
  EIGENGRAD_COLD Sequential& add(AnyLayer<T> layer) {
    layers_.push_back(std::move(layer));
    moved_away_ = false;
    return *this;
  }

  /// Takes over what is in another network, the layers one by one if they are as many.
  template <class F>
  Sequential& assign(Sequential other, const F& assign_layer) {
    if (other.layers_.size() != layers_.size())
      layers_ = std::move(other.layers_);
    else
      for (std::size_t i = 0; i < layers_.size(); ++i) assign_layer(layers_[i], other.layers_[i]);
    shapes_ = std::move(other.shapes_);
    steps_ = other.steps_;
    moved_away_ = other.moved_away_;
    return *this;
  }

  using Shapes = std::vector<Shape, detail::PoolAllocator<Shape>>;

  const std::vector<AnyLayer<T>>& layers() const {
    if (moved_away_) throw StateError("Sequential: has been moved away");
    return layers_;
  }

  /// The shape of the input and of every layer's output.
  Shapes shapes_from(const Shape& x, Mode mode) const {
    Shapes shapes;
    shapes.reserve(layers().size() + 1);
    shapes.push_back(x);
    for (std::size_t i = 0; i < layers_.size(); ++i) shapes.push_back(output_shape_of(i, shapes[i], mode));
    return shapes;
  }

  EIGENGRAD_CALLED void check_output(std::size_t i, const Shape& y, const Shape& expected) const {
    if (y == expected) return;
    throw ShapeError(name_error(i, error_text("forward gives shape ", y, ", but output_shape says ", expected)));
  }

  /// Forward in inference. Batch norm and ReLU behind a convolution or a linear layer are folded into it.
  Tensor<T> infer(Tensor<T> x, const Shapes& shapes) {
    for (std::size_t i = 0; i < layers_.size();) {
      const std::size_t first = i++;
      AnyLayer<T>& layer = layers_[first];
      if (layer.maps_channels()) {
        ChannelMap<T> f;
        while (i < layers_.size() && named(i, [&] { return layers_[i].fold_into(f); })) ++i;
        x = named(first, [&] { return layer.forward_mapped(std::move(x), f); });
      } else {
        x = named(first, [&] { return layer.forward(std::move(x), Mode::inference); });
      }
      check_output(first, x.shape(), shapes[i]);
    }
    return x;
  }

  EIGENGRAD_CALLED Shape output_shape_of(std::size_t i, const Shape& x, Mode mode = Mode::eval) const {
    return named(i, [&] { return layers_[i].output_shape(x, mode); });
  }

  void begin_backward(const Shape& dy) {
    detail::check::remembered(*this, shapes_.size() == layers().size() + 1);
    if (layers_.empty())
      detail::check::same_shape(*this, "gradient of the output", dy, shapes_.back());
    else
      named(layers_.size() - 1,
            [&] { detail::check::same_shape(layers_.back(), "gradient of the output", dy, shapes_.back()); });
    Index steps = 0;
    for_each_parameter([&](const Parameter<T>& p) { steps += p.optimizer_steps(); });
    if (steps > steps_) {
      for_each_parameter([](Parameter<T>& p) {
        if (!p.has_optimizer()) p.zero_grad();
      });
    }
    steps_ = steps;
  }

  EIGENGRAD_CALLED Tensor<T> backward_of(std::size_t i, Tensor<T> dy) {
    return named(i, [&] {
      Tensor<T> dx = layers_[i].backward(std::move(dy));
      detail::check::same_shape(layers_[i], "backward's result", dx.shape(), shapes_[i]);
      return dx;
    });
  }

  /// Calls f; an error it throws says which layer it comes from.
  template <class F>
  decltype(auto) named(std::size_t i, const F& f) const {
    try {
      return f();
    } catch (const Error&) {
      rethrow_named(i);
    }
  }

  /// The error that is being handled, with the layer's name if it has to do with the layer.
  [[noreturn]] EIGENGRAD_COLD void rethrow_named(std::size_t i) const {
    try {
      throw;
    } catch (const ShapeError& error) {
      throw ShapeError(name_error(i, error.what()));
    } catch (const StateError& error) {
      throw StateError(name_error(i, error.what()));
    } catch (const MemoryError& error) {
      throw MemoryError(name_error(i, error.what()));
    }
  }

  EIGENGRAD_COLD std::string name_error(std::size_t i, std::string_view problem) const {
    const std::string name = layers_[i].description();
    if (problem.starts_with(name + ": ")) problem.remove_prefix(name.size() + 2);
    return error_text("layer ", i, " (", name, "): ", problem);
  }

  std::vector<AnyLayer<T>> layers_;
  Shapes shapes_;            // of the last forward that remembers: its input, and every layer's output
  Index steps_ = 0;          // that optimisers had made with the parameters before the last backward
  bool moved_away_ = false;  // then it is not the empty network, which is the identity
};

template <class First, class... Rest>
Sequential(First&&, Rest&&...) -> Sequential<detail::ScalarOrFloat<std::remove_cvref_t<First>>>;

}  // namespace eigengrad::EIGENGRAD_ISA::nn
