// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <eigengrad/core/channel_map.hpp>
#include <eigengrad/core/check.hpp>
#include <eigengrad/core/kept.hpp>
#include <eigengrad/core/parameter.hpp>
#include <eigengrad/core/random.hpp>
#include <eigengrad/core/tensor.hpp>
#include <eigengrad/core/type_name.hpp>

// What a layer and a loss are: plain values that satisfy a concept. There is no base class.
//
//   template <class T = float>
//   struct Scale {                                               // y = s x with one learned number s
//     Parameter<T> s{Tensor<T>::ones({1})};
//     Tensor<T> x_;
//     Shape output_shape(const Shape& x) const { return x; }
//     Tensor<T> forward(Tensor<T> x, Mode mode) { ... }
//     Tensor<T> backward(Tensor<T> dy) { ... }
//     void visit(auto&& f) { f("s", s); }                        // only if it has parameters or buffers
//   };
//   static_assert(Layer<Scale<>>);

namespace eigengrad::EIGENGRAD_ISA {

/// What a forward pass is for.
enum class Mode {
  train,      ///< behaves as in training and remembers what backward needs
  eval,       ///< behaves as in use (running statistics, no dropout) and still remembers what backward needs
  inference,  ///< as eval, but remembers nothing: less memory, and more can be computed in place
};

/// True if a layer must keep what its backward needs.
inline bool remembers(Mode mode) { return mode != Mode::inference; }

namespace detail {

template <class Result>
struct ScalarOfTensor {};
template <class T>
struct ScalarOfTensor<Tensor<T>> {
  using type = T;
};
template <class Member>
struct ScalarOfMember {};
template <class L, class Result, class... Arguments>
struct ScalarOfMember<Result (L::*)(Arguments...)> : ScalarOfTensor<Result> {};
template <class L, class Result, class... Arguments>
struct ScalarOfMember<Result (L::*)(Arguments...) const> : ScalarOfTensor<Result> {};
template <class L, class Result, class... Arguments>
struct ScalarOfMember<Result (L::*)(Arguments...) noexcept> : ScalarOfTensor<Result> {};
template <class L, class Result, class... Arguments>
struct ScalarOfMember<Result (L::*)(Arguments...) const noexcept> : ScalarOfTensor<Result> {};

}  // namespace detail

/// The number type of a layer, read from the result of its backward.
template <class L>
using scalar_of = typename detail::ScalarOfMember<decltype(&L::backward)>::type;

/// The contract of a layer. Beyond these it may have
///   void visit(auto&& f)                 calls f(name, x) for each Parameter<T> and each buffer Tensor<T> and, if f
///                                        can be called with it, each RandomStream that forward draws from and each
///                                        Momentum by which buffers follow the batches
///   void backward_parameters(Tensor dy)  as backward, without computing dx: for the first layer that learns
///   std::string description() const      "Linear 3072->100", for errors and summaries
///   void visit_layers(x, f)              of a layer that holds others: calls f(name, layer, input shape) for each, an
///                                        nn::AnyLayer; x and the shapes are std::optional<Shape>, empty if not known
///   Index multiply_adds(const Shape&)    products of one forward pass, for summaries and benchmarks
///   Shape output_shape(const Shape& x, Mode) const   if it cannot be trained on every shape that it takes
///   bool fold_into(ChannelMap<T>& f)     if in inference it treats every channel by itself: adds that to f, unless
///                                        f cannot express it, and forgets the last forward; its forward is not called
///   Tensor forward_mapped(Tensor x, const ChannelMap<T>& f)   forward in Mode::inference, then f, in one pass
/// After one forward, backward may be called several times, for the rows of a Jacobian, say: every call is the
/// derivative at that forward, and the gradients of the parameters add up. A parameter whose requires_grad is false
/// drops what it is given; a layer may save the work of computing it. Gradients in a shape other than that of the
/// parameter, a result that contradicts output_shape, and a dx that has not the shape of x are found by nn::Sequential.
/// A layer remembers its last forward, so one object serves one thread at a time: give every thread a copy of the
/// network, which shares the weights until one of them is trained.
/// output_shape throws ShapeError for an input that does not fit; forward may rely on it having been called.
template <class L>
concept Layer = std::copyable<L> && requires(L layer, const L& fixed, const Shape& shape, Mode mode) {
  typename scalar_of<L>;
  { fixed.output_shape(shape) } -> std::same_as<Shape>;
  { layer.forward(std::declval<Tensor<scalar_of<L>>>(), mode) } -> std::same_as<Tensor<scalar_of<L>>>;
  { layer.backward(std::declval<Tensor<scalar_of<L>>>()) } -> std::same_as<Tensor<scalar_of<L>>>;
};

/// A layer of numbers of type T.
template <class L, class T>
concept LayerOf = Layer<L> && std::same_as<scalar_of<L>, T>;

/// The contract of a loss: forward compares outputs with a target and returns one number, the mean over the
/// batch; backward returns the gradient with respect to the outputs.
/// It may have
///   void check_target(const Shape& outputs, const Target& target) const     throws what forward would on outputs of
///                                                                           that shape; fit asks before the first step
template <class L, class Target = Tensor<Index>>
concept Loss = std::copyable<L> && requires(L loss, const Target& target) {
  typename scalar_of<L>;
  { loss.forward(std::declval<Tensor<scalar_of<L>>>(), target) } -> std::same_as<scalar_of<L>>;
  { loss.backward() } -> std::same_as<Tensor<scalar_of<L>>>;
};

/// A loss on numbers of type T.
template <class L, class T, class Target = Tensor<Index>>
concept LossOf = Loss<L, Target> && std::same_as<scalar_of<L>, T>;

/// How far buffers follow each batch: running = (1 - momentum) running + momentum batch. A layer that has one shows it
/// in visit, so that the buffers can be computed anew (train/update_bn.hpp).
struct Momentum {
  double value = 0.1;
};

/// Receives the state of a layer by name: parameters, which are learned, buffers, which are not, places in sequences of
/// random numbers, and the momentum of buffers that follow the batches.
template <class T>
struct Visitor {
  std::function<void(std::string_view, Parameter<T>&)> parameter = [](std::string_view, Parameter<T>&) {};
  std::function<void(std::string_view, Tensor<T>&)> buffer = [](std::string_view, Tensor<T>&) {};
  std::function<void(std::string_view, RandomStream&)> random = [](std::string_view, RandomStream&) {};
  std::function<void(std::string_view, Momentum&)> momentum = [](std::string_view, Momentum&) {};

  void operator()(std::string_view name, Parameter<T>& x) const { parameter(name, x); }
  void operator()(std::string_view name, Tensor<T>& x) const { buffer(name, x); }
  void operator()(std::string_view name, RandomStream& x) const { random(name, x); }
  void operator()(std::string_view name, Momentum& x) const { momentum(name, x); }
};

/// Calls the layer's visit, if it has one.
template <class L>
void visit(L& layer, const Visitor<scalar_of<L>>& visitor) {
  if constexpr (requires { layer.visit(visitor); }) layer.visit(visitor);
}

/// Calls f with each parameter of a layer, in the order of its visit; takes no memory.
template <class L, class F>
void for_each_parameter(L& layer, F&& f) {
  if constexpr (requires { layer.for_each_parameter(f); })
    layer.for_each_parameter(f);
  else
    visit(layer, {.parameter = [&f](std::string_view, Parameter<scalar_of<L>>& p) { f(p); }});
}

/// Pointers to all parameters of a layer, in the order of its visit. They stay valid as long as the layer, also when it
/// is assigned to. An optimiser needs no care: it notices when a parameter is gone.
template <class L>
std::vector<Parameter<scalar_of<L>>*> parameters(L& layer) {
  std::vector<Parameter<scalar_of<L>>*> found;
  for_each_parameter(layer, [&](Parameter<scalar_of<L>>& p) { found.push_back(&p); });
  return found;
}

/// The layer's output shape, by the mode if the layer asks for it.
template <class L>
Shape output_shape(const L& layer, const Shape& x, Mode mode) {
  if constexpr (requires { layer.output_shape(x, mode); })
    return layer.output_shape(x, mode);
  else
    return layer.output_shape(x);
}

/// True if the layer has parameters that are not frozen.
template <class L>
bool requires_grad(L& layer) {
  bool found = false;
  for_each_parameter(layer, [&](Parameter<scalar_of<L>>& p) { found = found || p.requires_grad; });
  return found;
}

/// Freezes all parameters of a layer or network, or lets them learn again.
template <class L>
EIGENGRAD_COLD void set_requires_grad(L& layer, bool requires_grad) {
  for_each_parameter(layer, [&](Parameter<scalar_of<L>>& p) { p.requires_grad = requires_grad; });
}

/// The gradients of the parameters alone: the layer's backward_parameters, or its backward if it has none.
template <class L>
void backward_parameters(L& layer, Tensor<scalar_of<L>> dy) {
  if constexpr (requires { layer.backward_parameters(std::move(dy)); })
    layer.backward_parameters(std::move(dy));
  else
    layer.backward(std::move(dy));
}

/// True if a layer can apply in inference what follows it channel by channel.
template <class L>
concept MapsChannels = requires(L layer, const ChannelMap<scalar_of<L>>& f) {
  { layer.forward_mapped(std::declval<Tensor<scalar_of<L>>>(), f) } -> std::same_as<Tensor<scalar_of<L>>>;
};

/// The layer's fold_into, or false if it has none.
template <class L>
bool fold_into(L& layer, ChannelMap<scalar_of<L>>& f) {
  if constexpr (requires { layer.fold_into(f); })
    return layer.fold_into(f);
  else
    return false;
}

/// Drops every gradient of a layer.
template <class L>
void zero_grad(L& layer) {
  for_each_parameter(layer, [](Parameter<scalar_of<L>>& p) { p.zero_grad(); });
}

/// The layer's own description, or the name of its type if it has none.
template <class L>
std::string describe(const L& layer) {
  if constexpr (requires { layer.description(); })
    return layer.description();
  else
    return detail::type_name<L>();
}

}  // namespace eigengrad::EIGENGRAD_ISA
