// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/memory.hpp>
#include <eigengrad/core/tensor.hpp>

// Variable: a tensor that remembers how it was computed, so that derivatives follow by themselves.
//
//   autodiff::Variable<double> x({2}, {3.0, 4.0});          // requires_grad: something to differentiate by
//   auto y = sum(x * x) + 1.0;                              // 26, and a graph of three operations
//   y.backward();
//   x.grad();                                               // [6, 8]
//
// Reverse mode in one page. A program computes a number L in many small steps. Each step is one operation
// y = f(a, b) of which two things are known: its value, and how a small change of y would have come from its
// inputs: if dy stands for dL/dy, then by the chain rule
//     dL/da += (dy/da)^T dy        dL/db += (dy/db)^T dy
// No matrix dy/da is ever built; each operation has a function that turns dy into these products: the same that
// layers call (ops/). "+=" because a may be used more than once, and every use contributes.
//
// Going forward, an operation makes a Node: its value, its inputs, its backward function. Going backward, dL/dL
// = 1 is put on the last node, and then every node, once all that used it have contributed, hands its inputs
// their share. That order needs a count of the uses, and nothing else: BackwardPass below is the algorithm.
//
// Gradients of gradients: a backward function is written for "an array X". With X = Tensor it computes; with
// X = Variable it records, and what comes out can be differentiated again (grad(...) with create_graph).
//
// Nothing here recurses, forward, backward or in destruction: a chain of a million operations is fine. Nodes and
// values live in the pool of the tensors.

namespace eigengrad::autodiff {

template <class T>
class Variable;

/// While it lives, operations of this thread record nothing: their results are constants.
class NoGradGuard {
 public:
  NoGradGuard() : outer_(std::exchange(active_, true)) {}
  NoGradGuard(const NoGradGuard&) = delete;
  NoGradGuard& operator=(const NoGradGuard&) = delete;
  ~NoGradGuard() { active_ = outer_; }

  static bool active() { return active_; }

 private:
  static inline thread_local bool active_ = false;
  bool outer_;
};

struct BackwardOptions {
  bool retain_graph = false;  ///< keep what the graph remembers, for another backward
};

namespace detail {

/// A value in the graph. As it stands a leaf: a constant, or something to differentiate by.
template <class T>
class Node {
 public:
  Node(Tensor<T> of_value, bool differentiate) : value(std::move(of_value)), requires_grad(differentiate) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  static void* operator new(std::size_t bytes) { return eigengrad::detail::pool_allocate(bytes); }
  static void operator delete(void* memory) { eigengrad::detail::pool_free(memory); }

  virtual bool is_leaf() const { return true; }
  virtual std::span<Variable<T>> inputs() { return {}; }
  /// Hands the inputs their share of dy, the gradient by this value.
  virtual void backward(Tensor<T>) {}
  virtual void backward(Variable<T>) {}
  /// Forgets what backward needs.
  virtual void free() {}

  /// The gradient that has come together so far in a backward pass.
  template <class X>
  X& slot() {
    if constexpr (std::same_as<X, Tensor<T>>)
      return tensor_slot;
    else
      return variable_slot;
  }

  Tensor<T> value;
  Tensor<T> grad;                     // of a leaf, over all passes
  Parameter<T>* parameter = nullptr;  // takes the gradient instead, where the leaf stands for one
  bool requires_grad;
  bool freed = false;
  std::atomic<std::uint32_t> references{0};

  // Of a backward pass.
  Tensor<T> tensor_slot;
  Variable<T> variable_slot;
  Index uses = 0;         // that have not contributed yet
  Node* next = nullptr;   // of all nodes that are reached; in destruction, of those that nobody holds
  Node* ready = nullptr;  // of the nodes whose gradient is complete
};

/// A counted reference to a node.
template <class T>
class NodePtr {
 public:
  NodePtr() = default;
  explicit NodePtr(Node<T>* node) noexcept : node_(node) {
    if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  NodePtr(const NodePtr& other) noexcept : NodePtr(other.node_) {}
  NodePtr(NodePtr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodePtr& operator=(NodePtr other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodePtr() {
    if (node_ != nullptr && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(node_);
  }

  Node<T>* get() const { return node_; }
  Node<T>* operator->() const { return node_; }

 private:
  /// Destroying a node lets go of its inputs, which may be the last to hold theirs. They queue up here.
  static void destroy(Node<T>* node) noexcept {
    static thread_local Node<T>* queue = nullptr;
    static thread_local bool busy = false;
    node->next = std::exchange(queue, node);
    if (std::exchange(busy, true)) return;
    while (queue != nullptr) {
      Node<T>* last = std::exchange(queue, queue->next);
      delete last;
    }
    busy = false;
  }

  Node<T>* node_ = nullptr;
};

/// Adds to a gradient that is there, or becomes it.
template <class T>
void accumulate(Tensor<T>& sum, Tensor<T> more) {
  if (sum.empty())
    sum = std::move(more);
  else
    sum.mutable_array() += more.array();
}
template <class T>
void accumulate(Variable<T>& sum, Variable<T> more) {
  sum = sum.defined() ? add(sum, more) : std::move(more);
}

/// One walk from a node back to all it was computed from.
template <class T, class X>
class BackwardPass {
 public:
  /// Counts the uses of every node that is reached.
  /// Errors   StateError, and nothing has changed, where a part of the graph has been freed
  explicit BackwardPass(Node<T>* root) : first_(root), last_(root) {
    hold(root);
    for (Node<T>* node = first_; node != nullptr; node = node->next) {
      if (node->freed) {
        throw_away();
        throw StateError(
            "backward: this graph has been freed by a backward before; the first one needs {.retain_graph = true}");
      }
      for (Variable<T>& input : node->inputs()) {
        Node<T>* from = input.node();
        if (!from->requires_grad || from->uses++ > 0) continue;
        last_ = last_->next = from;
        hold(from);
      }
    }
  }
  BackwardPass(const BackwardPass&) = delete;
  BackwardPass& operator=(const BackwardPass&) = delete;
  ~BackwardPass() { throw_away(); }

  /// Sends the gradient `seed` of the first node through the graph. complete(node, gradient) is called for every
  /// node as soon as nobody can contribute to it any more.
  template <class F>
  void run(X seed, const F& complete) {
    first_->template slot<X>() = std::move(seed);
    for (Node<T>* queue = first_; queue != nullptr;) {
      Node<T>* node = std::exchange(queue, queue->ready);
      X gradient = std::move(node->template slot<X>());
      complete(node, gradient);
      if (node->is_leaf()) continue;
      node->backward(std::move(gradient));
      for (Variable<T>& input : node->inputs()) {
        Node<T>* from = input.node();
        if (!from->requires_grad || --from->uses > 0) continue;
        from->ready = std::exchange(queue, from);
      }
    }
  }

  /// Lets every operation forget what its backward needs.
  void free() {
    for (Node<T>* node = first_; node != nullptr; node = node->next) node->free();
  }

 private:
  static void hold(Node<T>* node) {
    node->references.fetch_add(1, std::memory_order_relaxed);
    node->next = nullptr;
    node->ready = nullptr;
  }

  void throw_away() {
    while (first_ != nullptr) {
      Node<T>* node = std::exchange(first_, first_->next);
      node->uses = 0;
      node->template slot<X>() = X();
      const NodePtr<T> reference(node);
      node->references.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  Node<T>* first_;
  Node<T>* last_;
};

}  // namespace detail

/// A tensor in a graph of operations. Copies stand for the same value.
template <class T>
class Variable {
 public:
  using Scalar = T;

  /// Stands for no value.
  Variable() = default;
  // NOLINTBEGIN(google-explicit-constructor): constants mix with variables
  Variable(Tensor<T> constant) : node_(new detail::Node<T>(std::move(constant), false)) {}
  template <class N>
  requires std::is_arithmetic_v<N> Variable(N constant) : Variable(Tensor<T>({}, {static_cast<T>(constant)})) {}
  // NOLINTEND(google-explicit-constructor)
  /// Something to differentiate by: backward adds to its grad().
  Variable(const Shape& shape, std::initializer_list<T> values) : Variable(leaf(Tensor<T>(shape, values))) {}
  static Variable leaf(Tensor<T> value) { return of(new detail::Node<T>(std::move(value), true)); }
  /// Stands for a parameter: backward adds to the parameter's gradient. The parameter must live as long as the graph.
  explicit Variable(Parameter<T>& parameter) : Variable(leaf(parameter.value)) { node_->parameter = &parameter; }
  /// The variable of a node that an operation has made.
  static Variable of(detail::Node<T>* node) {
    Variable result;
    result.node_ = detail::NodePtr<T>(node);
    return result;
  }

  bool defined() const { return node_.get() != nullptr; }
  const Tensor<T>& value() const { return node_->value; }
  const Shape& shape() const { return node_->value.shape(); }
  T item() const { return node_->value.item(); }
  bool requires_grad() const { return node_->requires_grad; }

  /// The sum of the gradients that backward has brought to this leaf; empty where there was none.
  const Tensor<T>& grad() const { return node_->parameter != nullptr ? node_->parameter->grad : node_->grad; }
  void zero_grad() { (node_->parameter != nullptr ? node_->parameter->grad : node_->grad) = Tensor<T>(); }

  /// The same value as a constant.
  Variable detach() const { return Variable(node_->value); }

  /// Adds the gradients of this number to the grad() of all leaves it was computed from, and frees the graph.
  /// Errors   ShapeError for more than one element; StateError for a constant or a graph that has been freed
  void backward(const BackwardOptions& options = {}) const {
    if (value().numel() != 1) {
      throw ShapeError(error_text("backward: of a variable of shape ", shape(),
                                  ", expected one element; give the gradient by it: backward(dy)"));
    }
    backward(Tensor<T>::ones(shape()), options);
  }
  /// The same from dy, the gradient by this value.
  /// Shapes   dy as the value
  void backward(Tensor<T> dy, const BackwardOptions& options = {}) const {
    if (!requires_grad()) {
      throw StateError("backward: of a constant; nothing it was computed from requires a gradient");
    }
    check::same_shape("backward", "gradient", dy.shape(), shape());
    detail::BackwardPass<T, Tensor<T>> pass(node_.get());
    pass.run(std::move(dy), [](detail::Node<T>* node, Tensor<T>& gradient) {
      if (!node->is_leaf()) return;
      if (node->parameter != nullptr)
        node->parameter->add_grad(std::move(gradient));
      else
        detail::accumulate(node->grad, std::move(gradient));
    });
    if (!options.retain_graph) pass.free();
  }

  detail::Node<T>* node() const { return node_.get(); }

  // Found by their arguments, so that constants on either side become variables. The functions are in functions.hpp.
  friend Variable operator-(const Variable& x) { return neg(x); }
  friend Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
  friend Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
  friend Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
  friend Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }

 private:
  detail::NodePtr<T> node_;
};

namespace detail {

template <class X, class T>
decltype(auto) as(const Variable<T>& variable) {
  if constexpr (std::same_as<X, Tensor<T>>)
    return variable.value();
  else
    return variable;
}

/// Takes the shares of the inputs, and does not ask for those that nobody wants.
template <class X, class T>
class Shares {
 public:
  explicit Shares(std::span<Variable<T>> inputs) : inputs_(inputs) {}

  template <class F>
  void operator()(std::size_t i, const F& share) const {
    if (Node<T>* node = inputs_[i].node(); node->requires_grad) accumulate(node->template slot<X>(), X(share()));
  }
  bool wanted(std::size_t i) const { return inputs_[i].requires_grad(); }

 private:
  std::span<Variable<T>> inputs_;
};

/// The result of an operation on N inputs. f(dy, y, inputs..., give) calls give(i, share) for each input i, where
/// share() computes its gradient; dy, y and the inputs are all Tensors or all Variables.
template <class T, class F, std::size_t N>
class Operation final : public Node<T> {
 public:
  Operation(Tensor<T> result, F f, std::array<Variable<T>, N> arguments)
      : Node<T>(std::move(result), true), f_(std::move(f)), inputs_(std::move(arguments)) {}

  bool is_leaf() const override { return false; }
  std::span<Variable<T>> inputs() override { return {inputs_.data(), this->freed ? 0 : N}; }
  void backward(Tensor<T> dy) override { call(std::move(dy), this->value); }
  void backward(Variable<T> dy) override { call(std::move(dy), Variable<T>::of(this)); }
  void free() override {
    this->freed = true;
    inputs_ = {};
  }

 private:
  template <class X>
  void call(X dy, const X& y) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      f_(std::move(dy), y, as<X>(inputs_[I])..., Shares<X, T>(inputs_));
    }
    (std::make_index_sequence<N>{});
  }

  F f_;
  std::array<Variable<T>, N> inputs_;
};

}  // namespace detail

/// The result of an operation: a node with a backward function, or a constant where no input requires a gradient.
/// f(dy, y, inputs..., give) as detail::Operation says.
template <class T, class F, class... Inputs>
Variable<T> record(Tensor<T> value, F f, const Inputs&... inputs) {
  if (NoGradGuard::active() || !(inputs.requires_grad() || ...)) return Variable<T>(std::move(value));
  using Result = detail::Operation<T, F, sizeof...(Inputs)>;
  return Variable<T>::of(new Result(std::move(value), std::move(f), {inputs...}));
}

}  // namespace eigengrad::autodiff
