// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <eigengrad/core/layer.hpp>

// AnyLayer<T>: holds a layer of any type, as std::any holds a value. Copying it copies the layer. This is
// what lets nn::Sequential keep different layers in one vector.

namespace eigengrad::EIGENGRAD_ISA::nn {

namespace detail {

/// The number type of a layer; float of what is no layer, so that AnyLayer says what it lacks.
template <class L>
struct ScalarOrFloatOf {
  using type = float;
};
template <class L>
requires requires { typename scalar_of<L>; }
struct ScalarOrFloatOf<L> {
  using type = scalar_of<L>;
};
template <class L>
using ScalarOrFloat = typename ScalarOrFloatOf<L>::type;

}  // namespace detail

template <class T>
class AnyLayer;

/// Receives the layers inside of a layer: the name, the layer, and the shape of its input if that of the whole is
/// known.
template <class T>
using LayerVisitor = std::function<void(std::string_view name, AnyLayer<T>& layer, const std::optional<Shape>& x)>;

template <class T>
class AnyLayer {
 public:
  template <class L>
  requires(!std::same_as<std::remove_cvref_t<L>, AnyLayer>) EIGENGRAD_COLD explicit AnyLayer(L&& layer) {
    using Held = std::remove_cvref_t<L>;
    constexpr bool kHasOutputShape = requires(const Held& held, const Shape& x) {
      { held.output_shape(x) } -> std::same_as<Shape>;
    };
    constexpr bool kHasBackward = requires { typename scalar_of<Held>; };
    static_assert(kHasOutputShape, "a layer needs Shape output_shape(const Shape& x) const; see core/layer.hpp");
    static_assert(kHasBackward,
                  "a layer needs Tensor<T> backward(Tensor<T> dy), once and no template; see core/layer.hpp");
    static_assert(Layer<Held> || !kHasOutputShape || !kHasBackward,
                  "a layer needs Tensor<T> forward(Tensor<T> x, Mode mode), and can be copied; see core/layer.hpp");
    if constexpr (Layer<Held>) {
      static_assert(std::same_as<scalar_of<Held>, T>, "all layers of a network have the same number type");
      held_.reset(new Model<Held>(std::forward<L>(layer)));
    }
  }
  AnyLayer(const AnyLayer& other) : held_(other.held_ == nullptr ? nullptr : other.held_->clone()) {}
  AnyLayer(AnyLayer&&) noexcept = default;
  /// A layer of the same type is assigned to: its parameters stay where they are, and keep their optimiser. One of
  /// another type takes its place. If the copy throws, nothing has changed.
  AnyLayer& operator=(const AnyLayer& other) {
    assign_copy(AnyLayer(other));
    return *this;
  }
  AnyLayer& operator=(AnyLayer&& other) {
    std::unique_ptr<Base> taken = std::move(other.held_);  // first, since `other` may be inside of what is held
    if (held_ == nullptr || taken == nullptr || !held_->take(*taken)) held_ = std::move(taken);
    return *this;
  }
  /// As assignment of another, of which this is a copy. The layer is assigned by copying once more, which is cheap,
  /// because tensors share their memory: a layer with its parameters in a std::vector would move them elsewhere.
  void assign_copy(AnyLayer copy) {
    if (held_ == nullptr || copy.held_ == nullptr || !held_->assign(*copy.held_)) held_ = std::move(copy.held_);
  }
  template <class L>
  requires(!std::same_as<std::remove_cvref_t<L>, AnyLayer>) AnyLayer& operator=(L&& layer) {
    return *this = AnyLayer(std::forward<L>(layer));
  }
  ~AnyLayer() = default;

  /// False once the layer has been moved away: then all but assignment, destruction and description is a StateError.
  bool has_value() const { return held_ != nullptr; }

  Shape output_shape(const Shape& x, Mode mode = Mode::eval) const { return held().output_shape(x, mode); }
  Tensor<T> forward(Tensor<T> x, Mode mode) { return held().forward(std::move(x), mode); }
  Tensor<T> backward(Tensor<T> dy) { return held().backward(std::move(dy)); }
  void backward_parameters(Tensor<T> dy) { held().backward_parameters(std::move(dy)); }
  void visit(const Visitor<T>& visitor) { held().visit(visitor); }
  void for_each_parameter(const std::function<void(Parameter<T>&)>& f) { held().for_each_parameter(f); }
  /// The layers inside of it, in their order.
  void visit_layers(const std::optional<Shape>& x, const LayerVisitor<T>& f) { held().visit_layers(x, f); }
  bool fold_into(ChannelMap<T>& f) { return held().fold_into(f); }
  /// True if the layer has forward_mapped; only then it may be called.
  bool maps_channels() const { return held().maps_channels(); }
  Tensor<T> forward_mapped(Tensor<T> x, const ChannelMap<T>& f) { return held().forward_mapped(std::move(x), f); }
  std::string description() const { return has_value() ? held_->description() : "moved away"; }
  Index multiply_adds(const Shape& x) const { return held().multiply_adds(x); }

  /// The layer itself, or nullptr if it is of another type or there is none.
  template <class L>
  L* get_if() {
    auto* model = dynamic_cast<Model<L>*>(held_.get());
    return model == nullptr ? nullptr : &model->layer;
  }

 private:
  struct Base {
    Base() = default;
    Base(const Base&) = default;
    Base& operator=(const Base&) = delete;
    virtual ~Base() = default;
    virtual std::unique_ptr<Base> clone() const = 0;
    virtual bool take(Base& other) = 0;
    virtual bool assign(const Base& other) = 0;
    virtual const void* type() const = 0;
    virtual Shape output_shape(const Shape& x, Mode mode) const = 0;
    virtual Tensor<T> forward(Tensor<T> x, Mode mode) = 0;
    virtual Tensor<T> backward(Tensor<T> dy) = 0;
    virtual void backward_parameters(Tensor<T> dy) = 0;
    virtual void visit(const Visitor<T>& visitor) = 0;
    virtual void for_each_parameter(const std::function<void(Parameter<T>&)>& f) {
      visit({.parameter = [&f](std::string_view, Parameter<T>& p) { f(p); }});
    }
    virtual void visit_layers(const std::optional<Shape>& x, const LayerVisitor<T>& f) = 0;
    virtual bool fold_into(ChannelMap<T>& f) = 0;
    virtual bool maps_channels() const = 0;
    virtual Tensor<T> forward_mapped(Tensor<T> x, const ChannelMap<T>& f) = 0;
    virtual std::string description() const = 0;
    virtual Index multiply_adds(const Shape& x) const = 0;

   protected:
    [[noreturn]] EIGENGRAD_COLD void throw_has_no_forward_mapped() const {
      throw StateError(description() + ": has no forward_mapped");
    }
  };

  template <class L>
  struct Model final : Base {
    EIGENGRAD_COLD explicit Model(const L& held) : layer(held) {}
    EIGENGRAD_COLD explicit Model(L&& held) : layer(std::move(held)) {}
    Model(const Model&) = default;
    Model& operator=(const Model&) = delete;
    EIGENGRAD_COLD ~Model() override = default;

    EIGENGRAD_COLD std::unique_ptr<Base> clone() const override { return std::unique_ptr<Base>(new Model(layer)); }
    /// Assigns the other's layer to this one, if it is of the same type.
    EIGENGRAD_COLD bool take(Base& other) override {
      if (other.type() != type()) return false;
      layer = std::move(static_cast<Model&>(other).layer);
      return true;
    }
    EIGENGRAD_COLD bool assign(const Base& other) override {
      if (other.type() != type()) return false;
      layer = static_cast<const Model&>(other).layer;
      return true;
    }
    const void* type() const override { return &kType; }
    Shape output_shape(const Shape& x, Mode mode) const override { return eigengrad::output_shape(layer, x, mode); }
    Tensor<T> forward(Tensor<T> x, Mode mode) override { return layer.forward(std::move(x), mode); }
    Tensor<T> backward(Tensor<T> dy) override { return layer.backward(std::move(dy)); }
    void backward_parameters(Tensor<T> dy) override { eigengrad::backward_parameters(layer, std::move(dy)); }
    void visit(const Visitor<T>& visitor) override { eigengrad::visit(layer, visitor); }
    void for_each_parameter(const std::function<void(Parameter<T>&)>& f) override {
      if constexpr (requires { layer.for_each_parameter(f); })
        layer.for_each_parameter(f);
      else
        Base::for_each_parameter(f);
    }
    EIGENGRAD_COLD void visit_layers(const std::optional<Shape>& x, const LayerVisitor<T>& f) override {
      if constexpr (requires { layer.visit_layers(x, f); }) layer.visit_layers(x, f);
    }
    bool fold_into(ChannelMap<T>& f) override { return eigengrad::fold_into(layer, f); }
    bool maps_channels() const override { return MapsChannels<L>; }
    Tensor<T> forward_mapped(Tensor<T> x, const ChannelMap<T>& f) override {
      if constexpr (MapsChannels<L>)
        return layer.forward_mapped(std::move(x), f);
      else
        this->throw_has_no_forward_mapped();
    }
    EIGENGRAD_COLD std::string description() const override { return describe(layer); }
    EIGENGRAD_COLD Index multiply_adds(const Shape& x) const override {
      if constexpr (requires { layer.multiply_adds(x); })
        return layer.multiply_adds(x);
      else
        return 0;
    }

    static constexpr char kType = 0;  // its address stands for the type, which needs no RTTI
    L layer;
  };

  Base& held() const {
    if (held_ == nullptr) throw StateError("AnyLayer: holds no layer; it has been moved away");
    return *held_;
  }

  std::unique_ptr<Base> held_;
};

}  // namespace eigengrad::EIGENGRAD_ISA::nn
