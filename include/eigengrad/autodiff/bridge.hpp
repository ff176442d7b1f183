// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <eigengrad/autodiff/variable.hpp>
#include <eigengrad/core/scratch.hpp>

// Bridges from layers and hand-written derivatives to Variables.
//   nn::Linear layer{64, 64};
//   auto h = autodiff::apply(layer, x);                    // one node; used twice, its gradients add up
//   auto y = autodiff::custom(MyOperation{}, a, b);        // as torch.autograd.Function

namespace eigengrad::EIGENGRAD_ISA::autodiff {

namespace detail {

/// A node that can be differentiated once: its backward computes on tensors alone, and by one thread at a time, because
/// a layer or an operation of a user's may change as it does so.
template <class T>
class FirstOrderNode : public Node<T> {
 public:
  explicit FirstOrderNode(Tensor<T> result) : Node<T>(std::move(result), true) {}
  bool is_leaf() const override { return false; }
  void backward(Tensor<T> dy, BackwardPass<T, Tensor<T>>& pass) final {
    const std::lock_guard lock(mutex_);
    differentiate(std::move(dy), pass);
  }
  void backward(Variable<T>, BackwardPass<T, Variable<T>>&) final {
    throw StateError("grad with create_graph: a layer or a custom operation can be differentiated only once");
  }

 private:
  virtual void differentiate(Tensor<T> dy, BackwardPass<T, Tensor<T>>& pass) = 0;

  std::mutex mutex_;
};

/// A layer's forward, remembered by a copy of the layer, which shares its weights. So the layer itself may be called
/// again before backward.
template <class L>
class LayerNode final : public FirstOrderNode<scalar_of<L>> {
 public:
  using T = scalar_of<L>;
  LayerNode(Tensor<T> result, L& layer, const Variable<T>& x)
      : FirstOrderNode<T>(std::move(result)), layer_(&layer), copy_(layer), input_{x.in_graph()} {
    zero_grad(*copy_);
  }

  std::span<const NodePtr<T>> inputs() const override { return input_; }
  void forget() override {
    input_ = {};
    copy_.reset();
  }

 private:
  void differentiate(Tensor<T> dy, BackwardPass<T, Tensor<T>>& pass) override {
    if (input_[0]->requires_grad)
      pass.give(*input_[0], copy_->backward(std::move(dy)));
    else
      backward_parameters(*copy_, std::move(dy));
    hand_over();
  }

  /// The copy's gradients to the layer's parameters.
  /// Errors   StateError if the layer has got other parameters since
  void hand_over() {
    Index count = 0;
    for_each_parameter(*copy_, [&](Parameter<T>&) { ++count; });
    const Scratch<Parameter<T>*> parameters(count, 1);
    Parameter<T>** place = parameters.of(0);
    Parameter<T>** const end = place + count;
    for_each_parameter(*copy_, [&](Parameter<T>& p) { *place++ = &p; });
    place -= count;
    bool same = true;
    for_each_parameter(*layer_, [&](Parameter<T>& p) {
      same = same && place != end && (*place)->value.shape() == p.value.shape();
      if (same) ++place;
    });
    if (!same || place != end)
      throw StateError(error_text("apply: ", describe(*layer_), " has got other parameters since its forward"));
    place -= count;
    for_each_parameter(*layer_, [&](Parameter<T>& p) {
      Parameter<T>& from = **place++;
      const std::lock_guard lock(gradient_lock(&p));
      if (from.has_grad()) p.add_grad(std::exchange(from.grad, Tensor<T>()));
    });
  }

  L* layer_;
  std::optional<L> copy_;
  std::array<NodePtr<T>, 1> input_;
};

/// A user's pair of forward and backward.
template <class T, class F, std::size_t N>
class CustomNode final : public FirstOrderNode<T> {
 public:
  CustomNode(Tensor<T> result, F f, std::array<NodePtr<T>, N> arguments)
      : FirstOrderNode<T>(std::move(result)), f_(std::move(f)), inputs_(std::move(arguments)) {}

  std::span<const NodePtr<T>> inputs() const override { return inputs_; }
  void forget() override {
    inputs_ = {};
    f_.reset();
  }

 private:
  void differentiate(Tensor<T> dy, BackwardPass<T, Tensor<T>>& pass) override {
    std::array<bool, N> wanted;
    for (std::size_t i = 0; i < N; ++i) wanted[i] = inputs_[i]->requires_grad;
    std::array<Tensor<T>, N> shares = f_->backward(dy, wanted);
    for (std::size_t i = 0; i < N; ++i) {
      if (!wanted[i]) continue;
      detail::check::same_shape("custom", "gradient", shares[i].shape(), inputs_[i]->value.shape());
      pass.give(*inputs_[i], std::move(shares[i]));
    }
  }

  std::optional<F> f_;
  std::array<NodePtr<T>, N> inputs_;
};

}  // namespace detail

/// A layer called on a variable: one node. Gradients reach the layer's parameters, as in a network of layers. The layer
/// must stay where it is as long as the graph.
/// Errors   ShapeError if x does not fit the layer; StateError in a second derivative
template <Layer L>
Variable<scalar_of<L>> apply(L& layer, const Variable<scalar_of<L>>& x, Mode mode = Mode::train) {
  using T = scalar_of<L>;
  output_shape(layer, x.shape(), mode);
  const bool differentiable = x.requires_grad() || requires_grad(layer);
  const bool record = differentiable && remembers(mode) && !NoGradGuard::active();
  Tensor<T> y = layer.forward(x.value(), mode);
  if (!record) return Variable<T>(std::move(y));
  return Variable<T>::of(new detail::LayerNode<L>(std::move(y), layer, x));
}

/// An operation of one's own, with its derivative written by hand:
///   struct Square {
///     Tensor<float> x_;
///     Tensor<float> forward(const Tensor<float>& x) { x_ = x; ... }                  // keeps what backward needs
///     std::array<Tensor<float>, 1> backward(const Tensor<float>& dy, std::array<bool, 1> wanted) { ... }
///   };
/// backward may leave out (return empty) what is not wanted. It is called on the object that forward was called on.
/// Errors   ShapeError if a gradient has another shape than its input; StateError in a second derivative
template <class F, class T, class... More>
Variable<T> custom(F f, const Variable<T>& first, const More&... more) {
  constexpr std::size_t kInputs = 1 + sizeof...(More);
  Tensor<T> y = f.forward(first.value(), more.value()...);
  if (NoGradGuard::active() || !(first.requires_grad() || ... || more.requires_grad()))
    return Variable<T>(std::move(y));
  using Result = detail::CustomNode<T, F, kInputs>;
  return Variable<T>::of(new Result(std::move(y), std::move(f), {first.in_graph(), more.in_graph()...}));
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
