// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>

#include <eigengrad/core/layer.hpp>

// AnyLayer<T>: holds a layer of any type, as std::any holds a value. Copying it copies the layer. This is
// what lets nn::Sequential keep different layers in one vector.

namespace eigengrad::nn {

template <class T>
class AnyLayer {
 public:
  template <class L>
  requires(!std::same_as<std::remove_cvref_t<L>, AnyLayer>) explicit AnyLayer(L&& layer) {
    using Held = std::remove_cvref_t<L>;
    static_assert(Layer<Held>,
                  "this type does not satisfy the concept eigengrad::Layer: it needs output_shape, forward and "
                  "backward as core/layer.hpp describes them");
    if constexpr (Layer<Held>) {
      static_assert(std::same_as<scalar_of<Held>, T>, "all layers of a network have the same number type");
      held_ = std::make_unique<Model<Held>>(std::forward<L>(layer));
    }
  }
  AnyLayer(const AnyLayer& other) : held_(other.held_ == nullptr ? nullptr : other.held_->clone()) {}
  AnyLayer(AnyLayer&&) noexcept = default;
  AnyLayer& operator=(AnyLayer other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }
  ~AnyLayer() = default;

  Shape output_shape(const Shape& x, Mode mode = Mode::eval) const { return held_->output_shape(x, mode); }
  Tensor<T> forward(Tensor<T> x, Mode mode) { return held_->forward(std::move(x), mode); }
  Tensor<T> backward(Tensor<T> dy) { return held_->backward(std::move(dy)); }
  void backward_parameters(Tensor<T> dy) { held_->backward_parameters(std::move(dy)); }
  void visit(const Visitor<T>& visitor) { held_->visit(visitor); }
  bool has_parameters() { return held_->has_parameters(); }
  bool fold_into(ChannelMap<T>& f) { return held_->fold_into(f); }
  /// True if the layer has infer; only then it may be called.
  bool infers() const { return held_->infers(); }
  Tensor<T> infer(Tensor<T> x, const ChannelMap<T>& f) { return held_->infer(std::move(x), f); }
  std::string description() const { return held_->description(); }
  Index multiply_adds(const Shape& x) const { return held_->multiply_adds(x); }

  /// The layer itself, or nullptr if it is of another type.
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
    virtual Shape output_shape(const Shape& x, Mode mode) const = 0;
    virtual Tensor<T> forward(Tensor<T> x, Mode mode) = 0;
    virtual Tensor<T> backward(Tensor<T> dy) = 0;
    virtual void backward_parameters(Tensor<T> dy) = 0;
    virtual void visit(const Visitor<T>& visitor) = 0;
    virtual bool has_parameters() = 0;
    virtual bool fold_into(ChannelMap<T>& f) = 0;
    virtual bool infers() const = 0;
    virtual Tensor<T> infer(Tensor<T> x, const ChannelMap<T>& f) = 0;
    virtual std::string description() const = 0;
    virtual Index multiply_adds(const Shape& x) const = 0;
  };

  template <class L>
  struct Model final : Base {
    explicit Model(L held) : layer(std::move(held)) {}

    std::unique_ptr<Base> clone() const override { return std::make_unique<Model>(layer); }
    Shape output_shape(const Shape& x, Mode mode) const override { return eigengrad::output_shape(layer, x, mode); }
    Tensor<T> forward(Tensor<T> x, Mode mode) override { return layer.forward(std::move(x), mode); }
    Tensor<T> backward(Tensor<T> dy) override { return layer.backward(std::move(dy)); }
    void backward_parameters(Tensor<T> dy) override { eigengrad::backward_parameters(layer, std::move(dy)); }
    void visit(const Visitor<T>& visitor) override { eigengrad::visit(layer, visitor); }
    bool has_parameters() override { return eigengrad::has_parameters(layer); }
    bool fold_into(ChannelMap<T>& f) override { return eigengrad::fold_into(layer, f); }
    bool infers() const override { return Infers<L>; }
    Tensor<T> infer(Tensor<T> x, const ChannelMap<T>& f) override {
      if constexpr (Infers<L>)
        return layer.infer(std::move(x), f);
      else
        throw StateError(describe(layer) + ": has no infer");
    }
    std::string description() const override { return describe(layer); }
    Index multiply_adds(const Shape& x) const override {
      if constexpr (requires { layer.multiply_adds(x); })
        return layer.multiply_adds(x);
      else
        return 0;
    }

    L layer;
  };

  std::unique_ptr<Base> held_;
};

}  // namespace eigengrad::nn
